// How the connections do: the whole mesh in one picture, whose the trouble is, and for each
// person the figures and a plot of the last minutes. Loaded when it is opened.
import { html, nothing, svg } from '../vendor/lit-html/lit-html.js';
import { repeat } from '../vendor/lit-html/directives/repeat.js';
import UPlot from '../vendor/uplot/uplot.js';
import { pairsOf, verdictOf } from '../klatch/mesh.js';
import { define } from './define.js';
import { Part } from './part.js';
import { icon } from './icons.js';
import { kilobits, milliseconds, percent, pictureOf, reportOf, soundOf } from './stats-report.js';
import { statsStyle, uplotStyle } from './stats-panel.css.js';

/** @typedef {import('../klatch/index.js').Person} Person */
/** @typedef {import('../klatch/stats.js').Reading} Reading */

/**
 * @typedef {object} StatsProps
 * @property {import('../klatch/index.js').Room} room
 * @property {(person: {name: string}) => string} nameOf
 * @property {import('./strings.js').Texts} t
 */

const PLOT_HEIGHT_PX = 150;
const MESH_PX = 260;
/** For a name on either side of it. */
const NAME_PX = 70;
const SELF = 'self';

/**
 * Emits 'close-stats' when it was closed.
 * @extends {Part<StatsProps>}
 */
export class KlatchStats extends Part {
  /** @override */
  static styles = [uplotStyle, statsStyle];

  /** @type {Map<Person, Reading>} */
  #readings = new Map();
  /** @type {Map<Element, UPlot>} */
  #plots = new Map();
  /** @type {string | null} */
  #report = null;
  #copied = false;

  /** @override */
  entered() {
    const { room } = this.props;
    const stop = room.budget.watch((readings) => {
      this.#readings = readings;
      this.update();
    });
    this.life.addEventListener('abort', stop);
    window.addEventListener('resize', () => this.#fitPlots(), { signal: this.life });
  }

  /** @override */
  left() {
    for (const plot of this.#plots.values()) plot.destroy();
    this.#plots.clear();
  }

  /** @override */
  view() {
    const { t, room } = this.props;
    const pairs = pairsOf(this.#links());
    return html`<dialog part="dialog" aria-labelledby="heading" @close=${() => this.emit('close-stats')}>
      <div class="inside">
        <header>
          <h2 id="heading">${t('stats.heading')}</h2>
          <button type="button" class="plain" aria-label=${t('stats.close')} @click=${this.close}>${icon('close')}</button>
        </header>
        <p class="verdict" role="status">${this.#verdict(pairs)}</p>
        ${pairs.length > 0 ? html`<div class="mesh">${this.#picture(pairs)}</div>${this.#table(pairs)}` : nothing}
        ${repeat(room.people, (person) => person, (person, at) => this.#person(person, at === 0))}
        <div><button type="button" part="button" class="button" @click=${this.#copy}>${icon(this.#copied ? 'check' : 'link')}
          ${this.#copied ? t('stats.copied') : t('stats.copy')}</button></div>
        ${this.#report === null ? nothing
          : html`<textarea readonly aria-label=${t('stats.report')} .value=${this.#report}></textarea>`}
      </div>
    </dialog>`;
  }

  /** @override */
  drawn() {
    const dialog = /** @type {HTMLDialogElement} */ (this.need('dialog'));
    if (!dialog.open) dialog.showModal();
    for (const details of dialog.querySelectorAll('details[data-person]')) {
      const person = this.props.room.people.find(({ id }) => id === details.getAttribute('data-person'));
      if (details instanceof HTMLDetailsElement && details.open && person) this.#draw(details, person);
    }
  }

  close() {
    /** @type {HTMLDialogElement} */ (this.need('dialog')).close();
  }

  /** What this page and the others say. @returns {import('../klatch/mesh.js').Link[]} */
  #links() {
    const { room } = this.props;
    const known = new Set(room.people.map(({ id }) => id));
    const own = room.people.map((person) => {
      const { lossUp = null, rttMs = null } = this.#readings.get(person) ?? {};
      return { from: SELF, to: person.id, state: person.state, loss: lossUp, rttMs };
    });
    const theirs = [...room.budget.views].flatMap(([{ id: from }, views]) => views.flatMap(({ id, ...rest }) => {
      const to = id === room.self.id ? SELF : id;
      return to === SELF || known.has(to) ? [{ from, to, ...rest }] : [];
    }));
    return [...own, ...theirs];
  }

  /** @param {string} id */
  #name(id) {
    const { t, room, nameOf } = this.props;
    if (id === SELF) return t('person.you');
    const person = room.people.find((one) => one.id === id);
    return person ? nameOf(person) : '';
  }

  /** @param {import('../klatch/mesh.js').Pair[]} pairs */
  #verdict(pairs) {
    const { t } = this.props;
    const verdict = verdictOf(pairs, SELF);
    const measured = pairs.some(({ loss, rttMs }) => loss !== null || rttMs !== null);
    if (verdict.kind === 'good' && !measured) return t('stats.waiting');
    const name = 'who' in verdict ? this.#name(verdict.who) : '';
    const other = 'other' in verdict ? this.#name(verdict.other) : '';
    return t(`stats.verdict.${verdict.kind}`, { name, other });
  }

  /** @param {import('../klatch/mesh.js').Pair[]} pairs */
  #picture(pairs) {
    const { t, room } = this.props;
    const ids = [SELF, ...room.people.map(({ id }) => id)];
    const middle = MESH_PX / 2;
    const at = new Map(ids.map((id, number) => {
      const turn = (number / ids.length) * 2 * Math.PI + Math.PI / 2;
      const [right, down] = [Math.cos(turn), Math.sin(turn)];
      const far = (/** @type {number} */ px) => ({ x: middle + right * px, y: middle + down * px });
      return [id, { ...far(middle - 30), name: far(middle - 10), side: Math.abs(right) < 0.3 ? 'above' : right < 0 ? 'left' : 'right' }];
    }));
    const place = (/** @type {string} */ id) => at.get(id) ?? { x: middle, y: middle, name: { x: middle, y: middle }, side: 'above' };
    return html`<svg viewBox="${-NAME_PX} 0 ${MESH_PX + 2 * NAME_PX} ${MESH_PX}" role="img" aria-label=${t('stats.mesh')}>
      ${pairs.map(({ ends: [a, b], grade }) => svg`<line class=${grade} x1=${place(a).x} y1=${place(a).y}
        x2=${place(b).x} y2=${place(b).y}/>`)}
      ${ids.map((id) => svg`<g class=${id === SELF ? 'self' : ''}>
        <circle cx=${place(id).x} cy=${place(id).y} r="11"/>
        <text class=${place(id).side} x=${place(id).name.x} y=${place(id).name.y + 5}>${
          shorten(this.#name(id), ids.length > CROWD ? 6 : place(id).side === 'above' ? 16 : 9)}</text></g>`)}
    </svg>`;
  }

  /** @param {import('../klatch/mesh.js').Pair[]} pairs */
  #table(pairs) {
    const { t } = this.props;
    return html`<details><summary>${t('stats.table')}</summary><div class="wide" tabindex="0" role="group"
        aria-label=${t('stats.table')}><table>
      <thead><tr><th scope="col">${t('stats.between')}</th><th scope="col">${t('stats.grade')}</th>
        <th scope="col">${t('stats.rtt')}</th><th scope="col">${t('stats.loss')}</th></tr></thead>
      <tbody>${pairs.map(({ ends: [a, b], grade, loss, rttMs }) => html`<tr>
        <th scope="row">${this.#name(a)} – ${this.#name(b)}</th><td>${t(`stats.grade.${grade}`)}</td>
        <td>${milliseconds(rttMs)}</td><td>${percent(loss)}</td></tr>`)}</tbody>
    </table></div></details>`;
  }

  /** @param {Person} person @param {boolean} open */
  #person(person, open) {
    const { t, nameOf } = this.props;
    const reading = this.#readings.get(person);
    return html`<details ?open=${open} data-person=${person.id} @toggle=${this.update}>
      <summary>${nameOf(person)}: ${t(`person.${person.state}`)}</summary>
      ${reading ? html`<dl>${this.#facts(reading, person).map(([label, value]) => html`<div><dt>${label}</dt><dd>${value}</dd></div>`)}</dl>`
        : html`<p>${t('stats.waiting')}</p>`}
      <div class="plot" data-plot="bits" role="img" aria-label=${t('stats.plot.bits', { name: nameOf(person) })}></div>
      <div class="plot" data-plot="way" role="img" aria-label=${t('stats.plot.way', { name: nameOf(person) })}></div>
    </details>`;
  }

  /** @param {Reading} reading @param {Person} person @returns {[string, string][]} */
  #facts(reading, { frozen }) {
    const { t } = this.props;
    const sent = pictureOf(reading.sends);
    const got = pictureOf(reading.receives);
    const size = (/** @type {ReturnType<typeof pictureOf>} */ one) => (one
      ? `${one.width}×${one.height}, ${Math.round(one.fps)}/s, ${one.codec}` : '–');
    const limit = sent?.limitedBy ?? 'none';
    const freezes = `${got?.freezes ?? 0} (${Math.round(got?.frozenS ?? 0)} s)`;
    return [
      [t('stats.up'), `${kilobits(reading.up)} kbit/s`],
      [t('stats.down'), `${kilobits(reading.down)} kbit/s`],
      [t('stats.rtt'), milliseconds(reading.rttMs)],
      [t('stats.lossUp'), percent(reading.lossUp)],
      [t('stats.lossDown'), percent(reading.lossDown)],
      [t('stats.path'), reading.path ? t(`stats.path.${reading.path}`) : '–'],
      [t('stats.sent'), size(sent)],
      [t('stats.got'), size(got)],
      [t('stats.limit'), limit === 'bandwidth' || limit === 'cpu' ? t(`stats.limit.${limit}`) : t('stats.limit.none')],
      [t('stats.madeUp'), percent(soundOf(reading.receives)?.concealed ?? null)],
      [t('stats.freezes'), frozen ? t('stats.frozen', { freezes }) : freezes],
    ];
  }

  /** @param {HTMLDetailsElement} details @param {Person} person */
  #draw(details, person) {
    const { t, room } = this.props;
    const samples = room.budget.samples.get(person) ?? [];
    const times = samples.map(({ atMs }) => atMs / 1000);
    const column = (/** @type {(sample: import('../klatch/budget.js').Sample) => number | null} */ of) => samples.map(of);
    this.#plot(details, 'bits', [[t('stats.up'), 'bits'], [t('stats.down'), 'bits']],
      [times, column(({ up }) => up / 1000), column(({ down }) => down / 1000)]);
    this.#plot(details, 'way', [[t('stats.rtt'), 'ms'], [t('stats.loss'), 'percent']],
      [times, column(({ rttMs }) => rttMs), column(({ loss }) => (loss === null ? null : loss * 100))]);
  }

  /**
   * @param {HTMLElement} details @param {string} kind
   * @param {[string, string][]} lines label and scale of each @param {(number | null)[][]} data
   */
  #plot(details, kind, lines, data) {
    const place = details.querySelector(`[data-plot=${kind}]`);
    if (!(place instanceof HTMLElement)) return;
    const columns = /** @type {import('../vendor/uplot/uplot.js').AlignedData} */ (/** @type {unknown} */ (data));
    const known = this.#plots.get(place);
    if (known) {
      known.setData(columns);
      return;
    }
    const look = getComputedStyle(this);
    const colour = (/** @type {string} */ name) => look.getPropertyValue(name).trim();
    const axis = { stroke: colour('--muted'), grid: { stroke: colour('--line'), width: 1 } };
    const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });
    const times = { ...axis, space: 90, values: (/** @type {unknown} */ _u, /** @type {number[]} */ marks) => (
      marks.map((mark) => clock.format(mark * 1000))) };
    const scales = [...new Set(lines.map(([, scale]) => scale))];
    this.#plots.set(place, new UPlot({
      width: place.clientWidth, height: PLOT_HEIGHT_PX, cursor: { show: false }, legend: { live: false },
      scales: Object.fromEntries(scales.map((scale) => [scale, { range: fromZero }])),
      series: [{}, ...lines.map(([label, scale], at) => ({
        label, scale, width: 2, stroke: colour(at === 0 ? '--accent' : '--bad'), dash: at === 0 ? [] : [6, 4],
      }))],
      axes: [times, ...scales.map((scale, at) => ({ ...axis, scale, side: at === 0 ? 3 : 1, size: 60,
        values: (/** @type {unknown} */ _u, /** @type {number[]} */ marks) => marks.map((mark) => `${mark} ${UNITS[scale] ?? ''}`) }))],
    }, columns, place));
  }

  #fitPlots() {
    for (const [place, plot] of this.#plots) plot.setSize({ width: place.clientWidth, height: PLOT_HEIGHT_PX });
  }

  async #copy() {
    const { room } = this.props;
    const entries = room.people.map((person) => ({
      state: person.state, frozen: person.frozen, reading: this.#readings.get(person) ?? null,
    }));
    const kind = verdictOf(pairsOf(this.#links()), SELF).kind;
    const { quality, bits } = room.budget;
    const text = reportOf({ agent: navigator.userAgent, quality, bits, verdict: `verdict: ${kind}`, entries });
    try {
      await navigator.clipboard.writeText(text);
      this.#copied = true;
    } catch {
      // Refused: it can be copied by hand.
      this.#report = text;
    }
    this.update();
  }
}

/** @type {Readonly<Record<string, string>>} */
const UNITS = Object.freeze({ bits: 'k', ms: 'ms', percent: '%' });
/** With more people names in the picture are cut shorter; the table has them whole. */
const CROWD = 8;

/**
 * @param {UPlot} _plot @param {number} _least @param {number} most
 * @returns {[number, number]}
 */
function fromZero(_plot, _least, most) {
  return [0, Math.max(most ?? 0, 1) * 1.1];
}

/** @param {string} name @param {number} shown how many letters at most */
function shorten(name, shown) {
  const letters = [...name];
  return letters.length > shown ? `${letters.slice(0, shown - 1).join('')}…` : name;
}

define('klatch-stats', KlatchStats);

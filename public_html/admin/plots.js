// The plots: what each shows, and drawing them with uPlot. What a plot shows last stands beside it as
// text, for who doesn't see it.
import UPlot from '../vendor/uplot/uplot.js';

/** @typedef {import('./figures.js').History} History */

const HEIGHT_PX = 160;
const MEBIBYTE = 1024 * 1024;

const count = (/** @type {number} */ value) => String(Math.round(value * 100) / 100);
/** @param {number} value in MiB */
function mebibytes(value) {
  const [number, unit] = value < 1024 ? [value, 'MiB'] : [value / 1024, 'GiB'];
  return `${Math.round(number * 100) / 100} ${unit}`;
}
const inMebibytes = (/** @type {(number | null)[]} */ values) => values.map((value) => (value === null ? null : value / MEBIBYTE));

/**
 * @typedef {object} Plot
 * @property {string} name
 * @property {string} heading
 * @property {{label: string, of: (history: History) => (number | null)[]}[]} lines
 * @property {(value: number) => string} said
 * @property {boolean} [loose] from the least value, not from 0
 */

/** @type {readonly Plot[]} */
export const PLOTS = Object.freeze([
  { name: 'people', heading: 'People and rooms', said: count, lines: [
    { label: 'People', of: (history) => history.values('people') }, { label: 'Rooms', of: (history) => history.values('rooms') }] },
  { name: 'polls', heading: 'Waiting requests', said: count, lines: [
    { label: 'Held', of: (history) => history.values('held') }, { label: 'May be held', of: (history) => history.values('budget') }] },
  { name: 'messages', heading: 'Messages a second', said: count, lines: [
    { label: 'Sent', of: (history) => history.rates('messages') }] },
  { name: 'errors', heading: 'Errors a second', said: count, lines: [
    { label: 'Refused or failed', of: (history) => history.rates('errors') }] },
  { name: 'data', heading: 'Data folder', said: mebibytes, lines: [
    { label: 'Takes', of: (history) => inMebibytes(history.values('data')) }] },
  { name: 'disk', heading: 'Disk', said: mebibytes, loose: true, lines: [
    { label: 'Free', of: (history) => inMebibytes(history.values('diskFree')) }] },
]);

/** The last value of each line, as text. @param {Plot} plot @param {History} history */
export function lastOf({ lines, said }, history) {
  return lines.map(({ label, of }) => {
    const value = of(history).at(-1) ?? null;
    return { label, value: value === null ? '–' : said(value) };
  });
}

export class Plots {
  /** @type {Map<Element, UPlot>} */
  #drawn = new Map();
  #look = '';

  /** @param {HTMLElement} host whose custom properties are the colours @param {readonly HTMLElement[]} places @param {History} history */
  draw(host, places, history) {
    const look = getComputedStyle(host);
    const colours = ['--accent', '--bad', '--muted', '--line'].map((name) => look.getPropertyValue(name).trim());
    if (this.#look !== colours.join()) this.clear(); // the theme has changed
    this.#look = colours.join();
    for (const place of places) {
      const plot = PLOTS.find(({ name }) => name === place.dataset.plot);
      if (plot) this.#one(place, plot, history, colours);
    }
  }

  clear() {
    for (const plot of this.#drawn.values()) plot.destroy();
    this.#drawn.clear();
  }

  fit() {
    for (const [place, plot] of this.#drawn) plot.setSize({ width: place.clientWidth, height: HEIGHT_PX });
  }

  /** @param {HTMLElement} place @param {Plot} plot @param {History} history @param {readonly string[]} colours */
  #one(place, plot, history, [accent, bad, muted, line]) {
    const data = /** @type {import('../vendor/uplot/uplot.js').AlignedData} */ (
      /** @type {unknown} */ ([history.times(), ...plot.lines.map(({ of }) => of(history))]));
    const known = this.#drawn.get(place);
    if (known) {
      known.setData(data);
      return;
    }
    const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });
    const axis = { stroke: muted, grid: { stroke: line, width: 1 } };
    this.#drawn.set(place, new UPlot({
      width: place.clientWidth, height: HEIGHT_PX, cursor: { show: false }, legend: { live: false, show: plot.lines.length > 1 },
      // Half of a time's text stands beyond the last mark.
      padding: [null, 36, null, null],
      scales: { y: { range: plot.loose ? around : fromZero } },
      series: [{}, ...plot.lines.map(({ label }, at) => ({
        label, width: 2, stroke: at === 0 ? accent : bad, dash: at === 0 ? [] : [6, 4],
      }))],
      axes: [
        { ...axis, space: 90, values: (/** @type {unknown} */ _u, /** @type {number[]} */ marks) => marks.map((mark) => clock.format(mark * 1000)) },
        { ...axis, size: 76, values: (/** @type {unknown} */ _u, /** @type {number[]} */ marks) => marks.map(plot.said).map(once) },
      ],
    }, data, place));
  }
}

/** Marks so near that they say the same say it once. @param {string} text @param {number} at @param {string[]} all */
function once(text, at, all) {
  return text === all[at - 1] ? '' : text;
}

/** @param {UPlot} _plot @param {number} _least @param {number} most @returns {[number, number]} */
function fromZero(_plot, _least, most) {
  return [0, Math.max(most ?? 0, 1) * 1.1];
}

/** @param {UPlot} _plot @param {number} least @param {number} most @returns {[number, number]} */
function around(_plot, least, most) {
  const spare = Math.max((most ?? 0) - (least ?? 0), 1) / 2;
  return [Math.max((least ?? 0) - spare, 0), (most ?? 0) + spare];
}

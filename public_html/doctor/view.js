// Draws the doctor: plain elements, since the doctor must also work when what the chat page draws
// with was not uploaded. Text gets in as text only.
import { configLines, linesText, sorted, verdict } from './report.js';
import { t } from './texts.js';

/** @typedef {import('./run.js').Progress} Progress */
/** @typedef {import('./report.js').Told} Told */

/**
 * @param {string} name @param {Record<string, string | boolean>} attributes @param {...(Node | string)} children
 * @returns {HTMLElement}
 */
export function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(key, '');
    else if (value !== false) element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

/**
 * @typedef {object} Handlers
 * @property {() => void} again
 * @property {() => void} stop
 * @property {(key: string) => void} withKey
 * @property {(key: string) => void} save
 * @property {() => string} report
 */

export class View {
  #root;
  #handlers;
  #status = el('p', { class: 'verdict', role: 'status' });
  #counts = el('p', { class: 'counts' });
  #bar = /** @type {HTMLProgressElement} */ (el('progress', { max: '1', value: '0', 'aria-label': t('section.checks') }));
  #again = el('button', { class: 'button primary', type: 'button' }, t('again'));
  #stop = el('button', { class: 'button', type: 'button' }, t('stop'));
  #checks = el('ol', { class: 'checks' });
  #results = el('div', { class: 'results' });
  #lines = el('section', { class: 'panel', 'aria-labelledby': 'lines', hidden: true });
  #facts = el('div');
  #said = el('p', { class: 'said', role: 'status' });
  #key = /** @type {HTMLInputElement} */ (el('input', {
    type: 'password', id: 'key', autocomplete: 'off', spellcheck: 'false', autocapitalize: 'none', 'aria-describedby': 'owner-more',
  }));
  #drawn = '';

  /** @param {ShadowRoot} root @param {Handlers} handlers */
  constructor(root, handlers) {
    this.#root = root;
    this.#handlers = handlers;
    this.#again.addEventListener('click', () => handlers.again());
    this.#stop.addEventListener('click', () => handlers.stop());
    root.replaceChildren(this.#top(), el('div', { class: 'columns' },
      this.#results,
      el('div', { class: 'side' }, this.#checksPanel(), this.#ownerPanel(), this.#reportPanel())));
  }

  get key() {
    return this.#key.value.trim();
  }

  /** @param {readonly Progress[]} all @param {{running: boolean, stopped: boolean}} state */
  show(all, { running, stopped }) {
    const done = all.filter(({ state }) => state === 'done' || state === 'skipped').length;
    const said = verdict(all, running, stopped);
    // Said again to a screen reader only when it changed.
    if (this.#status.textContent !== said) this.#status.textContent = said;
    this.#status.dataset.state = running ? 'running' : worst(all);
    const now = all.filter(({ state }) => state === 'running').map(({ name }) => t(`check.${name}`)).pop() ?? '';
    const counts = now === '' ? 'verdict.counts' : 'verdict.counts.now';
    this.#counts.textContent = running || stopped ? t(counts, { done, all: all.length, now }) : '';
    this.#bar.value = done / all.length;
    this.#bar.hidden = !running;
    this.#swap(running);
    this.#checks.replaceChildren(...all.map(checkLine));
    this.#showResults(all);
    if (running) this.#lines.hidden = true;
    else this.#showLines(configLines(all));
  }

  /** What only its owner is told. @param {Record<string, unknown> | null} facts */
  showFacts(facts) {
    this.#facts.replaceChildren();
    if (!facts) return;
    const rows = Object.entries(facts).flatMap(([name, value]) => [el('dt', {}, name), el('dd', {}, String(value))]);
    this.#facts.append(el('h3', {}, t('owner.facts')), el('dl', {}, ...rows));
  }

  /** A sentence about what was just done. @param {string} text */
  say(text) {
    this.#said.textContent = text;
  }

  #top() {
    return el('header', {},
      el('h1', {}, t('title')), el('p', { class: 'lead' }, t('lead')),
      el('div', { class: 'now' }, this.#status, this.#counts, this.#bar),
      el('div', { class: 'actions' }, this.#again, this.#stop, el('a', { class: 'button', href: './' }, t('room'))));
  }

  /** One of the two buttons, and the focus stays on it. @param {boolean} running */
  #swap(running) {
    const [shown, hidden] = running ? [this.#stop, this.#again] : [this.#again, this.#stop];
    const moves = this.#root.activeElement === hidden;
    shown.hidden = false;
    hidden.hidden = true;
    if (moves) shown.focus();
  }

  /** @param {readonly Progress[]} all */
  #showResults(all) {
    const { bad, warn, info, good } = sorted(all);
    const drawn = JSON.stringify([bad, warn, info, good]);
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    const part = (/** @type {string} */ level, /** @type {Told[]} */ list) => (list.length > 0 ? [findings(level, list)] : []);
    const sections = [...part('bad', bad), ...part('warn', warn), this.#lines, ...part('info', info)];
    if (good.length > 0) {
      sections.push(el('section', { 'aria-labelledby': 'good' }, el('h2', { id: 'good' }, t('section.good')),
        el('ul', { class: 'good' }, ...good.map((text) => el('li', {}, text)))));
    }
    this.#results.replaceChildren(...sections);
  }

  /** @param {Record<string, string>} lines */
  #showLines(lines) {
    const text = linesText(lines);
    this.#lines.hidden = text === '';
    if (text === '') return;
    const copy = el('button', { class: 'button', type: 'button' }, t('lines.copy'));
    const save = el('button', { class: 'button primary', type: 'button' }, t('lines.save'));
    copy.addEventListener('click', () => this.#copy(text));
    save.addEventListener('click', () => {
      if (this.key === '') this.#key.focus();
      else this.#handlers.save(this.key);
    });
    this.#lines.replaceChildren(el('h2', { id: 'lines' }, t('section.lines')), el('p', {}, t('lines.more')),
      el('pre', { tabindex: '0' }, text), el('div', { class: 'actions' }, save, copy));
  }

  #checksPanel() {
    return el('section', { class: 'panel', 'aria-labelledby': 'checks' }, el('h2', { id: 'checks' }, t('section.checks')), this.#checks);
  }

  #ownerPanel() {
    const form = el('form', { class: 'owner' },
      el('label', { class: 'field', for: 'key' }, el('span', {}, t('owner.key')), this.#key),
      el('button', { class: 'button' }, t('owner.check')));
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      if (this.key !== '') this.#handlers.withKey(this.key);
    });
    return el('section', { class: 'panel', 'aria-labelledby': 'owner' }, el('h2', { id: 'owner' }, t('section.owner')),
      el('p', { id: 'owner-more' }, t('owner.more')), form, this.#said, this.#facts);
  }

  #reportPanel() {
    const copy = el('button', { class: 'button', type: 'button' }, t('report.copy'));
    copy.addEventListener('click', () => this.#copy(this.#handlers.report()));
    return el('section', { class: 'panel', 'aria-labelledby': 'report' }, el('h2', { id: 'report' }, t('section.report')),
      el('p', {}, t('report.more')), copy, el('p', { class: 'copied', role: 'status' }));
  }

  /** @param {string} text */
  async #copy(text) {
    const told = /** @type {HTMLElement} */ (this.#root.querySelector('.copied'));
    this.#root.querySelector('.by-hand')?.remove();
    try {
      await navigator.clipboard.writeText(text);
      told.textContent = t('copied');
    } catch {
      // Refused, or not there without https.
      told.textContent = t('copied.not');
      const area = /** @type {HTMLTextAreaElement} */ (el('textarea', { class: 'by-hand', readonly: true, rows: '12', 'aria-label': t('report.text') }));
      area.value = text;
      told.after(area);
      area.focus();
      area.select();
    }
  }
}

/** @param {readonly Progress[]} all */
function worst(all) {
  const { bad, warn } = sorted(all);
  if (bad.length > 0) return 'bad';
  return warn.length > 0 ? 'warn' : 'good';
}

/** @param {Progress} progress */
function checkLine(progress) {
  const { name, state, detail } = progress;
  const more = detail ? ` ${t(detail.key, detail.values)}` : '';
  return el('li', { 'data-state': state, 'data-worst': state === 'done' ? worst([progress]) : false }, el('span', { class: 'sign', 'aria-hidden': 'true' }),
    el('span', {}, t(`check.${name}`), el('span', { class: 'hidden-text' }, `, ${t(`state.${state}`)}`),
      ...more === '' ? [] : [el('span', { class: 'detail' }, more)]));
}

/** @param {string} level @param {Told[]} list */
function findings(level, list) {
  return el('section', { 'aria-labelledby': level }, el('h2', { id: level }, t(`section.${level}`)),
    ...list.map(({ code, words }) => el('article', { class: `finding ${level}` },
      el('h3', {}, words.title), el('p', { class: 'code' }, code), el('p', {}, words.means), steps(words.todo))));
}

/** @param {string[]} todo */
function steps(todo) {
  if (todo[0] === 'Nothing.') return '';
  if (todo.length === 1) return el('p', { class: 'todo' }, el('b', {}, `${t('todo')}: `), todo[0] ?? '');
  return el('div', { class: 'todo' }, el('p', {}, el('b', {}, t('todo'))), el('ol', {}, ...todo.map((step) => el('li', {}, step))));
}

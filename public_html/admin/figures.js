// Prometheus' text read into numbers, and the last minutes of them for the plots.

/** How many samples are kept: ten minutes at one each two seconds. */
export const SAMPLES_MAX = 300;

/** @typedef {{name: string, labels: Record<string, string>, value: number}} Sample */

const LINE = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-z_]+)="((?:[^"\\]|\\.)*)"/g;

/** @param {string} text @returns {Sample[]} */
export function parseMetrics(text) {
  /** @type {Sample[]} */
  const samples = [];
  for (const line of text.split('\n')) {
    const match = LINE.exec(line);
    if (!match) continue;
    const labels = Object.fromEntries([...(match[2] ?? '').matchAll(LABEL)].map(([, name, value]) => [name, value]));
    samples.push({ name: match[1] ?? '', labels, value: Number(match[3]) });
  }
  return samples;
}

/** The value of a metric, or the sum of its values; null: there is none. @param {readonly Sample[]} samples @param {string} name */
export function sumOf(samples, name) {
  const found = samples.filter((sample) => sample.name === name);
  return found.length === 0 ? null : found.reduce((sum, { value }) => sum + value, 0);
}

/**
 * What a moment's figures are to the owner.
 * @typedef {object} Figures
 * @property {number} at seconds of Unix time
 * @property {number | null} rooms
 * @property {number | null} people
 * @property {number | null} held
 * @property {number | null} budget
 * @property {number | null} messages since the counting began
 * @property {number | null} errors likewise
 * @property {number | null} diskFree bytes
 * @property {number | null} data bytes
 * @property {readonly [string, number][]} codes errors by their code, likewise
 */

/** @param {string} text @param {number} at @returns {Figures} */
export function figuresOf(text, at) {
  const samples = parseMetrics(text);
  const of = (/** @type {string} */ name) => sumOf(samples, name);
  return {
    at,
    rooms: of('klatch_rooms'), people: of('klatch_people'),
    held: of('klatch_polls_held'), budget: of('klatch_polls_budget'),
    messages: of('klatch_messages_sent_total'), errors: of('klatch_errors_total'),
    diskFree: of('klatch_disk_free_bytes'), data: of('klatch_data_bytes'),
    codes: samples.filter(({ name }) => name === 'klatch_errors_total').map(({ labels, value }) => [labels.code ?? '', value]),
  };
}

/** The last minutes, oldest first. */
export class History {
  /** @type {Figures[]} */
  #all = [];

  get all() {
    return this.#all;
  }

  get last() {
    return this.#all.at(-1) ?? null;
  }

  /** @param {Figures} figures */
  add(figures) {
    this.#all = [...this.#all, figures].slice(-SAMPLES_MAX);
  }

  times() {
    return this.#all.map(({ at }) => at);
  }

  /** @param {'rooms' | 'people' | 'held' | 'budget' | 'diskFree' | 'data'} what */
  values(what) {
    return this.#all.map((figures) => figures[what]);
  }

  /**
   * How many a second, from one sample to the next; a counter that went down began anew.
   * @param {'messages' | 'errors'} what @returns {(number | null)[]}
   */
  rates(what) {
    return this.#all.map((figures, number) => {
      const before = this.#all[number - 1];
      const [now, then] = [figures[what], before?.[what] ?? null];
      if (before === undefined || now === null || then === null || figures.at <= before.at) return null;
      return (now < then ? now : now - then) / (figures.at - before.at);
    });
  }

  /** Errors by code since the first sample that is kept, the most first. @returns {[string, number][]} */
  codes() {
    const first = new Map(this.#all[0]?.codes ?? []);
    return (this.last?.codes ?? []).map(([code, count]) => /** @type {[string, number]} */ ([code, count - (first.get(code) ?? 0)]))
      .filter(([, count]) => count > 0).sort((a, b) => b[1] - a[1]);
  }
}

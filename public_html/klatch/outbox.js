/* outbox: letters in the order they were written, handed out in batches.
 * The server takes a batch whole or not at all, so one letter to somebody who has
 * just gone would refuse the others: a refused batch is tried again by addressee. */

import { randomId } from './bytes.js';

/** @typedef {import('./types.js').Letter} Letter */

// Apache's mod_fcgid takes bodies of 131,072 bytes unless told otherwise, some rule sets less; the
// rest up to 100 kB is for the key and what is around the letters.
const BATCH_BYTES_MAX = 96_000;
const BATCH_LETTERS_MAX = 32;

export class Outbox {
  /** @type {Letter[]} */
  #letters = [];
  /** Those that go by addressee. @type {WeakSet<Letter>} */
  #singly = new WeakSet();
  /** Those that a poll carries. @type {WeakSet<Letter>} */
  #riding = new WeakSet();
  #weigh;

  /** @param {(letter: Letter) => number} weigh how many bytes it adds to a request's body */
  constructor(weigh) {
    this.#weigh = weigh;
  }

  /** Whether there is a letter that nothing carries. */
  get waits() {
    return this.#letters.some((letter) => !this.#riding.has(letter));
  }

  /**
   * @param {string | null} to null is everybody else
   * @param {string} type
   * @param {unknown} data
   * @returns {boolean} false when no request could carry it
   */
  add(to, type, data) {
    const letter = { id: randomId(), type, data, ...(to === null ? {} : { to }) };
    if (this.#weigh(letter) > BATCH_BYTES_MAX) return false;
    this.#letters.push(letter);
    return true;
  }

  /** @returns {Letter[]} the first letters that fit into one request, at least one of them */
  batch() {
    const [first] = this.#letters;
    const batch = [];
    let bytes = 0;
    for (const letter of this.#letters.slice(0, BATCH_LETTERS_MAX)) {
      bytes += this.#weigh(letter);
      if (batch.length > 0 && bytes > BATCH_BYTES_MAX) break;
      if (this.#singly.has(first) && letter.to !== first.to) break;
      batch.push(letter);
    }
    return batch;
  }

  /** @returns {Letter[]} for a poll to carry: all, or none where one request can't take them */
  ride() {
    const batch = this.batch();
    if (batch.length < this.#letters.length) return [];
    this.#riding = new WeakSet(batch);
    return batch;
  }

  /** The poll that carried letters failed: they wait again. */
  alight() {
    this.#riding = new WeakSet();
  }

  /** @param {Letter[]} batch these have arrived, or never will */
  done(batch) {
    const gone = new Set(batch);
    this.#letters = this.#letters.filter((letter) => !gone.has(letter));
  }

  /**
   * The server refused this batch.
   * @param {Letter[]} batch
   * @returns {boolean} false when it can't be split further
   */
  split(batch) {
    if (new Set(batch.map((letter) => letter.to)).size < 2) return false;
    for (const letter of batch) this.#singly.add(letter);
    return true;
  }

  /** @param {string} to drop what waits for somebody who is gone */
  forget(to) {
    this.#letters = this.#letters.filter((letter) => letter.to !== to);
  }

  clear() {
    this.#letters = [];
  }
}

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
  /** How many of the first letters go by addressee. */
  #singly = 0;
  #weigh;

  /** @param {(letter: Letter) => number} weigh how many bytes it adds to a request's body */
  constructor(weigh) {
    this.#weigh = weigh;
  }

  get empty() {
    return this.#letters.length === 0;
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
      if (this.#singly > 0 && letter.to !== first?.to) break;
      batch.push(letter);
    }
    return batch;
  }

  /** @param {Letter[]} batch these have arrived, or never will */
  done(batch) {
    const gone = new Set(batch);
    this.#letters = this.#letters.filter((letter) => !gone.has(letter));
    this.#singly = Math.max(0, this.#singly - batch.length);
  }

  /**
   * The server refused this batch.
   * @param {Letter[]} batch
   * @returns {boolean} false when it can't be split further
   */
  split(batch) {
    if (new Set(batch.map((letter) => letter.to)).size < 2) return false;
    this.#singly = Math.max(this.#singly, batch.length);
    return true;
  }

  /** @param {string} to drop what waits for somebody who is gone */
  forget(to) {
    this.#letters = this.#letters.filter((letter) => letter.to !== to);
    this.#singly = Math.min(this.#singly, this.#letters.length);
  }

  clear() {
    this.#letters = [];
    this.#singly = 0;
  }
}

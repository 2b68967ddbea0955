/* ticket: the token that lets a person in, where the server asks for one. It is the
 * site's to sign; a function is asked for a new one each time that one is needed. */

import { KlatchProblem } from './problem.js';

export class Ticket {
  #token;
  /** @type {{token?: string}} */
  #last = {};

  /** @param {import('./types.js').JoinOptions['token']} token */
  constructor(token) {
    this.#token = token;
  }

  /** What a join that may not need one sends along. */
  get last() {
    return this.#last;
  }

  /**
   * @returns {Promise<{token?: string}>} what a join sends
   * @throws {KlatchProblem} token-failed
   */
  async fresh() {
    if (this.#token === undefined || this.#token === null) return {};
    try {
      const token = typeof this.#token === 'function' ? await this.#token() : this.#token;
      if (typeof token !== 'string' || token === '') throw new TypeError('A token is a text.');
      this.#last = { token };
    } catch (cause) {
      throw new KlatchProblem('token-failed', { cause, transient: true });
    }
    return this.#last;
  }
}

/* ticket: what lets a person in, where the server asks for it: a token, which is the site's
 * to sign (a function is asked for a new one each time that one is needed), and the room's
 * password, which is kept in memory alone. */

import { KlatchProblem } from './problem.js';

export class Ticket {
  #token;
  /** @type {{token?: string, password?: string}} */
  #last = {};

  /**
   * @param {import('./types.js').JoinOptions['token']} token
   * @param {string | null} [password]
   */
  constructor(token, password = null) {
    this.#token = token;
    this.password = password;
  }

  /** The room has this one now. @param {string | null} password null or empty: none */
  set password(password) {
    this.#last = { ...this.#last, password: password || undefined };
  }

  /** What a join that may not need it sends along. */
  get last() {
    return this.#last;
  }

  /**
   * @param {AbortSignal} [signal] ends the waiting for a token
   * @returns {Promise<{token?: string, password?: string}>} what a join sends
   * @throws {KlatchProblem} token-failed; aborted when the signal said so
   */
  async fresh(signal) {
    if (this.#token === undefined || this.#token === null) return this.#last;
    try {
      const token = typeof this.#token === 'function' ? await unlessAborted(this.#token, signal) : this.#token;
      if (typeof token !== 'string' || token === '') throw new TypeError('A token is a text.');
      this.#last = { ...this.#last, token };
    } catch (cause) {
      if (signal?.aborted) throw new KlatchProblem('aborted', { cause });
      throw new KlatchProblem('token-failed', { cause, transient: true });
    }
    return this.#last;
  }
}

/**
 * @template T
 * @param {() => T | Promise<T>} work which may never settle
 * @param {AbortSignal} [signal]
 * @returns {Promise<T>}
 */
async function unlessAborted(work, signal) {
  signal?.throwIfAborted();
  const done = new AbortController();
  try {
    return await Promise.race([work(), new Promise((_resolve, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason), { signal: done.signal });
    })]);
  } finally {
    done.abort();
  }
}

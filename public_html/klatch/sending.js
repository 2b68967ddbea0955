/* sending: the lane in which one member's letters go, in the order they were written.
 * What one turn of the event loop wrote goes as one request, one request at a time, so that a
 * send never waits behind a poll. What was written while mail was read goes with the poll that
 * follows anyhow. Until that is answered its letters count as not sent: the lane sends them
 * again before newer ones, and the server knows them by their ids. */

import { FINAL, GONE, asProblem } from './problem.js';
import { Outbox } from './outbox.js';
import { Backoff, endOfTurn } from './timing.js';
import { bodyBytes } from './http.js';

/** @typedef {import('./types.js').Exchanged} Exchanged */

/** A poll that carries letters is held no longer, and missed as soon as a send: its answer is their receipt. */
const RECEIPT_MS = 5_000;

export class Sending {
  #random;
  #visit;
  #due = false;
  #busy = false;

  /**
   * @param {{env: import('./env.js').Environment, base: URL, visit: import('./signaling.js').Visit}} options
   *   base is the API's
   */
  constructor({ env, base, visit }) {
    this.outbox = new Outbox((letter) => bodyBytes(env, base.href, letter));
    this.#random = env.random;
    this.#visit = visit;
  }

  /**
   * @param {string | null} to null is everybody else
   * @param {string} type
   * @param {unknown} data in its envelope
   * @returns {boolean} false when no request could carry it
   */
  add(to, type, data) {
    if (!this.outbox.add(to, type, data)) return false;
    void this.flush();
    return true;
  }

  /** Send what waits, when what runs now has run. */
  async flush() {
    if (this.#due || this.#busy) return;
    this.#due = true;
    await endOfTurn();
    this.#due = false;
    await this.#work();
  }

  /**
   * Ask for mail, and send what waits with it.
   * @param {{wait_ms: number}} body of a poll
   * @param {{timeoutMs: number, signal: AbortSignal}} options
   * @returns {Promise<Exchanged>}
   * @throws {import('./problem.js').KlatchProblem} of the poll, never one of its letters alone
   */
  async poll(body, options) {
    const visit = this.#visit;
    const letters = this.#busy || visit.quiet() ? [] : this.outbox.ride();
    if (letters.length > 0) {
      try {
        const carrying = { ...body, wait_ms: Math.min(body.wait_ms, RECEIPT_MS), send: letters };
        const answer = await visit.ask(carrying, { signal: options.signal });
        this.outbox.done(letters);
        return answer;
      } catch (error) {
        this.outbox.alight();
        void this.#work();
        const problem = asProblem(error);
        // Reading is what empties a mailbox that is full.
        if (isOfVisit(problem) && problem.code !== 'mailbox-full') throw problem;
      }
    }
    return visit.ask(body, options);
  }

  async #work() {
    if (this.#busy) return;
    this.#busy = true;
    const visit = this.#visit;
    const backoff = new Backoff({ random: this.#random });
    for (;;) {
      await visit.rejoining();
      if (!this.outbox.waits || visit.quiet()) break;
      const batch = this.outbox.batch();
      try {
        await visit.ask({ key: visit.key(), send: batch });
        this.outbox.done(batch);
        visit.reached();
        backoff.reset();
      } catch (error) {
        const problem = asProblem(error);
        if (isOfVisit(problem)) {
          await visit.recover(problem, backoff);
        } else if (!this.outbox.split(batch)) {
          this.outbox.done(batch);
          if (problem.code !== 'peer-not-found') visit.problem(problem);
        }
      }
    }
    this.#busy = false;
  }
}

/**
 * Whether a problem is of the network, the server or the member rather than of a letter.
 * @param {import('./problem.js').KlatchProblem} problem
 */
function isOfVisit({ code, transient }) {
  return transient || code === 'aborted' || GONE.has(code) || FINAL.has(code);
}

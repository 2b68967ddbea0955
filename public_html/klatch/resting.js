/* resting: lets go of this page's poll while another member polls for all, as relax.js
 * permits it, and tells the others whether this page polls, since they rest by that. */

import { Relax } from './relax.js';

/** @typedef {import('./member.js').Member} Member */

export class Resting {
  #relax = new Relax();
  #signaling;
  #members;
  #awaits;

  /**
   * @param {import('./signaling.js').Signaling} signaling
   * @param {() => Member[]} members everybody else
   * @param {() => boolean} awaits whether mail may come of which nobody else is told
   */
  constructor(signaling, members, awaits) {
    this.#signaling = signaling;
    this.#members = members;
    this.#awaits = awaits;
  }

  /** @param {import('./types.js').Listed[]} listed who was here when we joined as somebody new */
  arrive(listed) {
    this.#relax.arrive(listed);
  }

  /** @param {string} newcomer who is on our list now */
  met(newcomer) {
    this.#relax.met(newcomer);
  }

  /**
   * There is mail for us, or will be in a moment.
   * @param {string | null} newcomer
   */
  look(newcomer) {
    this.#relax.look(newcomer);
    this.rest();
  }

  /** Rest while another member polls for all, and not a moment longer. */
  rest() {
    const before = this.#signaling.polling;
    // Nothing that matters comes from who has no part in this room.
    const others = this.#members().filter(({ person }) => person.outside === null);
    this.#signaling.relax(this.#relax.mayRest(others) && !this.#awaits());
    if (this.#signaling.polling !== before) this.tell();
  }

  /** With the next beat, and at once. */
  tell() {
    for (const member of this.#members()) member.beat();
  }
}

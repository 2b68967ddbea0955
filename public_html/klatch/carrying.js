/* carrying: the way to carry.js, which is loaded when two have no path between them: they,
 * and who may pass on for them. */

import { Later, loadPart } from './later.js';

/** @typedef {import('./member.js').Member} Member */
/** @typedef {import('./carry.js').Pair} Pair */

/** The letters in which two members tell each other their keys. */
export const KEY_LETTER = 'carry-key';

export class Carrying {
  /** For whom we pass on. @type {readonly Pair[]} */
  pairs = [];
  #part;

  /**
   * @param {Omit<import('./carry.js').Around, 'told' | 'tellKey'>
   *   & {mail: (member: Member, type: string, body: object) => void}} around
   * @param {(problem: import('./problem.js').KlatchProblem) => void} failed when it can't be loaded
   */
  constructor(around, failed) {
    this.#part = new Later(async () => {
      const { Carry } = await loadPart(() => import('./carry.js'), 'carry');
      return new Carry({
        ...around,
        tellKey: (member, body) => around.mail(member, KEY_LETTER, body),
        told: (pairs) => {
          this.pairs = pairs;
          around.emit('carrying', { pairs });
        },
      });
    }, failed);
  }

  /** @param {Member} member of whom something is different now */
  updated(member) {
    // Without WebCrypto nothing could be sealed: nothing is carried then.
    const needed = member.person.state === 'no-path' && member.instance !== null && globalThis.crypto?.subtle;
    this.#part[needed ? 'tell' : 'tellIfWanted']((carry) => carry.look());
  }

  /** @param {Member} member whose channel is open (again) */
  opened(member) {
    this.#part.tellIfWanted((carry) => carry.opened(member));
  }

  /**
   * @param {Member} member
   * @param {Record<string, any>} value
   * @returns {boolean} whether it was about passing on
   */
  heard(member, value) {
    if (typeof value.t !== 'string' || !value.t.startsWith('carry')) return false;
    this.#part.tell((carry) => carry.heard(member, value));
    return true;
  }

  /**
   * @param {Member} member whose key has come by mailbox
   * @param {any} value
   */
  mailed(member, value) {
    if (globalThis.crypto?.subtle) this.#part.tell((carry) => carry.mailed(member, value));
  }

  /** @param {Member} member who is gone */
  forget(member) {
    this.#part.tellIfWanted((carry) => carry.forget(member));
  }

  close() {
    this.#part.close((carry) => carry.close());
  }
}

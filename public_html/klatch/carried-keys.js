/* carried-keys: this page's key for what others pass on, and those of everybody to whom there is no path,
 * which come by mailbox. */

import { CarriedKeys } from './carried-seal.js';

const PUB = /^[A-Za-z0-9_-]{87}$/;
/** With more page loads nothing is carried: counters that were forgotten would begin again. */
const SEALS_MAX = 1_000;

/** @typedef {import('./member.js').Member} Member */
/** @typedef {import('./carried-seal.js').PairSeal} PairSeal */

export class Keyring {
  #around;
  /** @type {Promise<CarriedKeys> | null} */
  #keys = null;
  /** Whose key has come. @type {WeakMap<Member, {pub: string, seal: Promise<PairSeal | null>}>} */
  #seals = new WeakMap();
  /** By key and page load: a page that is listed anew goes on with its counters. @type {Map<string, Promise<PairSeal | null>>} */
  #pages = new Map();

  /** @param {Pick<import('./carry.js').Around, 'room' | 'instance' | 'tellKey' | 'broken'>} around */
  constructor(around) {
    this.#around = around;
  }

  /** @param {Member} member @returns {Promise<PairSeal | null> | undefined} once their key has come; null where there can be none */
  seal(member) {
    return this.#seals.get(member)?.seal;
  }

  /**
   * Tell our key, and who was at fault.
   * @param {Member} member
   */
  async tell(member, without = /** @type {string[]} */ ([])) {
    const { pub } = await this.#own();
    const asks = !this.#seals.has(member);
    this.#around.tellKey(member, { from: this.#around.instance, to: member.instance, pub, asks, without });
  }

  /**
   * The other end's key.
   * @param {Member} member
   * @param {any} value
   * @returns {boolean} whether it is theirs, for this page
   */
  take(member, value) {
    const { instance, broken } = this.#around;
    if (value?.from !== member.instance || value?.to !== instance || typeof value.pub !== 'string' || !PUB.test(value.pub)) return false;
    const known = this.#seals.get(member);
    if (known && known.pub !== value.pub) {
      broken(member, 'seal-other-key');
      return false;
    }
    if (!known) this.#seals.set(member, { pub: value.pub, seal: this.#pair(member, value.pub) });
    if (value.asks === true) void this.tell(member);
    return true;
  }

  #own() {
    this.#keys ??= CarriedKeys.make(this.#around.room);
    return this.#keys;
  }

  /**
   * @param {Member} member
   * @param {string} pub
   * @returns {Promise<PairSeal | null>}
   */
  #pair(member, pub) {
    const page = `${pub} ${member.instance}`;
    const known = this.#pages.get(page);
    if (known || this.#pages.size >= SEALS_MAX) return known ?? Promise.resolve(null);
    const seal = this.#derive(member, pub);
    this.#pages.set(page, seal);
    return seal;
  }

  /**
   * @param {Member} member
   * @param {string} pub
   */
  async #derive(member, pub) {
    try {
      return await (await this.#own()).pair(pub, this.#around.instance, String(member.instance));
    } catch {
      this.#around.broken(member, 'seal-broken');
      return null;
    }
  }
}

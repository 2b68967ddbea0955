/* sealing: the envelopes of a sealed room. Loaded by post.js for links with a secret. */

import { KlatchProblem } from './problem.js';
import { Sealer } from './sealed.js';

/** @typedef {import('./types.js').Card} Card */
/** @typedef {import('./post.js').Page} Page */
/** @typedef {import('./seal.js').Sealed} Sealed */

const PUB = /^[A-Za-z0-9_-]{87}$/;

export class Sealing {
  #sealer;
  #out = Promise.resolve();

  /** @param {Sealer} sealer */
  constructor(sealer) {
    this.#sealer = sealer;
  }

  /**
   * @param {string} room
   * @param {string} secret the link's
   * @returns {Promise<Sealing>}
   * @throws {KlatchProblem} sealed-insecure
   */
  static async make(room, secret) {
    return new Sealing(await Sealer.make({ room, secret }));
  }

  /**
   * @param {object} card what this page says of itself at joining
   * @returns {Promise<Sealed>}
   */
  card(card) {
    return this.#sealer.card(card);
  }

  /**
   * @param {Sealed} meta what somebody said at joining
   * @returns {Promise<Card>}
   */
  async read(meta) {
    const card = await this.#sealer.openCard(meta);
    const good = typeof card?.pub === 'string' && PUB.test(card.pub);
    return good ? { value: card, plain: false, pub: card.pub, outside: null }
      : { value: undefined, plain: false, pub: null, outside: 'other-secret' };
  }

  /**
   * Seal a letter to one member, after those before it.
   * @param {() => string} self our id in the room
   * @param {Page} to
   * @param {string} type
   * @param {unknown} body
   * @param {(to: string, type: string, data: unknown) => void} send
   */
  write(self, to, type, body, send) {
    this.#out = this.#out.then(async () => {
      const { pub } = to;
      if (pub === null || pub === this.#sealer.pub) return;
      /** @type {string} */
      let from;
      /** @type {string} */
      let id;
      let data;
      // The envelope names both, and either may join anew meanwhile.
      do {
        [from, id] = [self(), to.id];
        data = await this.#sealer.seal(from, { id, pub }, type, body);
      } while (from !== self() || id !== to.id);
      send(id, 'sealed', data);
    }).catch(() => {});
  }

  /**
   * @param {string} self our id in the room when the letter came
   * @param {Page} from
   * @param {Sealed | null} data null where it isn't sealed
   * @returns {Promise<{type: string, value: any, plain: boolean} | null>} null: nothing to be used
   * @throws {KlatchProblem} seal-broken
   */
  async open(self, from, data) {
    // Who isn't of this room has no key: whatever comes from there.
    if (from.pub === null || from.pub === this.#sealer.pub) return null;
    const opened = data ? await this.#sealer.open(self, { id: from.id, pub: from.pub }, data) : 'broken';
    if (opened === 'broken') throw new KlatchProblem('seal-broken');
    return opened === 'replayed' ? null : { type: opened.type, value: opened.body, plain: false };
  }
}

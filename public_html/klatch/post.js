/* post: what goes into mailboxes and comes out of them, in its envelopes: open ones in
 * an open room, sealed ones in a sealed room. Sealing takes turns of the event loop, so
 * each way has a lane that keeps the order. */

import { KlatchProblem } from './problem.js';
import { Sealer } from './sealed.js';
import { isSealed, unwrap, wrap } from './seal.js';

/** @typedef {import('./types.js').Listed} Listed */
/** @typedef {import('./types.js').Card} Card */
/** @typedef {{id: string, pub: string | null, instance: string | null}} Page a member */

const PUB = /^[A-Za-z0-9_-]{87}$/;

export class Post {
  #sealer;
  #in = Promise.resolve();
  #out = Promise.resolve();

  /** @param {Sealer | null} sealer null in an open room */
  constructor(sealer) {
    this.#sealer = sealer;
  }

  /**
   * @param {string} room
   * @param {string | null} secret the link's
   * @returns {Promise<Post>}
   * @throws {KlatchProblem} sealed-insecure
   */
  static async make(room, secret) {
    return new Post(secret === null ? null : await Sealer.make({ room, secret }));
  }

  get sealed() {
    return this.#sealer !== null;
  }

  /**
   * @param {object} card what this page says of itself at joining
   * @returns {Promise<unknown>} for the server to list
   */
  async meta(card) {
    return this.#sealer ? this.#sealer.card(card) : wrap(card);
  }

  /**
   * Do this after what came in before.
   * @param {() => Promise<void> | void} work must not throw
   * @returns {Promise<void>}
   */
  inOrder(work) {
    this.#in = this.#in.then(work);
    return this.#in;
  }

  /**
   * @param {Listed[]} listed as the server lists them
   * @returns {Promise<Listed[]>} with what their metas say
   */
  read(listed) {
    return Promise.all(listed.map(async (entry) => ({ ...entry, card: await this.#card(entry.meta ?? null) })));
  }

  /**
   * Put a letter to one member into an envelope, after those before it.
   * @param {() => string} self our id in the room
   * @param {Page} to
   * @param {string} type
   * @param {unknown} body
   * @param {(to: string, type: string, data: unknown) => void} send
   */
  write(self, to, type, body, send) {
    const sealer = this.#sealer;
    if (!sealer) {
      send(to.id, type, wrap(body));
      return;
    }
    this.#out = this.#out.then(async () => {
      const { pub } = to;
      if (pub === null || pub === sealer.pub) return;
      /** @type {string} */
      let from;
      /** @type {string} */
      let id;
      let data;
      // The envelope names both, and either may join anew meanwhile.
      do {
        [from, id] = [self(), to.id];
        data = await sealer.seal(from, { id, pub }, type, body);
      } while (from !== self() || id !== to.id);
      send(id, 'sealed', data);
    }).catch(() => {});
  }

  /**
   * @param {string} self our id in the room when the letter came
   * @param {Page} from
   * @param {string} type
   * @param {unknown} data
   * @returns {Promise<{type: string, value: any, plain: boolean} | null>} null: nothing to be used
   * @throws {KlatchProblem} seal-broken
   */
  async open(self, from, type, data) {
    const sealer = this.#sealer;
    if (!sealer) {
      const { value, plain } = unwrap(data);
      // A page never mails plain JSON: it isn't taken for one's word.
      return plain && from.instance !== null ? null : { type, value, plain };
    }
    // Who isn't of this room has no key: whatever comes from there.
    if (from.pub === null || from.pub === sealer.pub) return null;
    const opened = type === 'sealed' && isSealed(data)
      ? await sealer.open(self, { id: from.id, pub: from.pub }, data) : 'broken';
    if (opened === 'broken') throw new KlatchProblem('seal-broken');
    return opened === 'replayed' ? null : { type: opened.type, value: opened.body, plain: false };
  }

  /**
   * @param {unknown} meta
   * @returns {Promise<Card>}
   */
  async #card(meta) {
    const sealer = this.#sealer;
    const { value, plain } = unwrap(meta);
    if (!sealer) return { value, plain, pub: null, outside: isSealed(meta) ? 'sealed' : null };
    if (!isSealed(meta)) return { value: undefined, plain, pub: null, outside: 'no-secret' };
    const card = await sealer.openCard(meta);
    const good = typeof card?.pub === 'string' && PUB.test(card.pub);
    return good ? { value: card, plain: false, pub: card.pub, outside: null }
      : { value: undefined, plain: false, pub: null, outside: 'other-secret' };
  }
}

/* post: what goes into mailboxes and comes out of them, in its envelopes: open ones in
 * an open room, sealed ones in a sealed room. Sealing takes turns of the event loop, so
 * each way has a lane that keeps the order. */

import { loadPart } from './later.js';
import { isSealed, unwrap, wrap } from './seal.js';

/** @typedef {import('./types.js').Listed} Listed */
/** @typedef {import('./types.js').Card} Card */
/** @typedef {import('./sealing.js').Sealing} Sealing */
/** @typedef {{id: string, pub: string | null, instance: string | null}} Page a member */

export class Post {
  #sealing;
  #in = Promise.resolve();

  /** @param {Sealing | null} sealing null in an open room */
  constructor(sealing) {
    this.#sealing = sealing;
  }

  /**
   * @param {string} room
   * @param {string | null} secret the link's
   * @returns {Promise<Post>}
   * @throws {import('./problem.js').KlatchProblem} sealed-insecure, not-loaded
   */
  static async make(room, secret) {
    if (secret === null) return new Post(null);
    const { Sealing } = await loadPart(() => import('./sealing.js'), 'sealing');
    return new Post(await Sealing.make(room, secret));
  }

  get sealed() {
    return this.#sealing !== null;
  }

  /**
   * @param {object} card what this page says of itself at joining
   * @returns {Promise<unknown>} for the server to list
   */
  async meta(card) {
    return this.#sealing ? this.#sealing.card(card) : wrap(card);
  }

  /**
   * Do this after what came in before.
   * @param {() => Promise<void> | void} work
   * @returns {Promise<void>}
   */
  inOrder(work) {
    const done = this.#in.then(work);
    // One letter that can't be taken in doesn't keep back those after it.
    this.#in = done.catch(() => {});
    return done;
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
    if (this.#sealing) this.#sealing.write(self, to, type, body, send);
    else send(to.id, type, wrap(body));
  }

  /**
   * @param {string} self our id in the room when the letter came
   * @param {Page} from
   * @param {string} type
   * @param {unknown} data
   * @returns {Promise<{type: string, value: any, plain: boolean} | null>} null: nothing to be used
   * @throws {import('./problem.js').KlatchProblem} seal-broken
   */
  async open(self, from, type, data) {
    if (this.#sealing) return this.#sealing.open(self, from, type === 'sealed' && isSealed(data) ? data : null);
    const { value, plain } = unwrap(data);
    // A page never mails plain JSON: it isn't taken for one's word.
    return plain && from.instance !== null ? null : { type, value, plain };
  }

  /**
   * @param {unknown} meta
   * @returns {Promise<Card>}
   */
  async #card(meta) {
    const sealed = isSealed(meta) ? meta : null;
    const { value, plain } = unwrap(meta);
    if (!this.#sealing) return { value, plain, pub: null, outside: sealed ? 'sealed' : null };
    return sealed ? this.#sealing.read(sealed) : { value: undefined, plain, pub: null, outside: 'no-secret' };
  }
}

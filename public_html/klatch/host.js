/* host: what a host of a room sees and decides: who knocks, who comes in and who has to go,
 * what newcomers are asked for, who is host next. Loaded by hosting.js. */

/** @typedef {import('./types.js').Knocker} Knocker */
/** @typedef {import('./types.js').Listed} Listed */

/** The server lets no more wait. */
const KNOCKING_MAX = 1_000;

/**
 * @typedef {object} Around
 * @property {Pick<import('./signaling.js').Signaling, 'ask' | 'peer'>} signaling
 * @property {Pick<import('./ticket.js').Ticket, 'password'>} ticket
 * @property {number} nameMax characters of a name
 * @property {(listed: Listed[]) => Promise<Listed[]>} read with what their metas say
 * @property {(word: any) => void} adopt the server's, of settings and hosts
 * @property {(people: readonly Knocker[]) => void} show who knocks now
 * @property {(peer: string) => void} kicked who is out
 */

export class Host {
  #around;
  /** In the order of knocking. @type {Map<string, Knocker>} */
  #knocking = new Map();
  /** Reading takes turns of the event loop; what is told is kept in its order. */
  #order = Promise.resolve();
  /** What was asked last counts last, whichever request is the faster. @type {Promise<unknown>} */
  #changes = Promise.resolve();
  #closed = false;

  /** @param {Around} around */
  constructor(around) {
    this.#around = around;
  }

  /**
   * Change what newcomers are asked for; what isn't named stays.
   * @param {{locked?: boolean, lobby?: boolean, password?: string | null}} settings locked: nobody else comes
   *   in; lobby: a host lets people in; password: of 1 to 256 bytes, null for none
   * @returns {Promise<void>}
   * @throws {import('./problem.js').KlatchProblem} not-permitted, invalid-request
   */
  change(settings) {
    const changed = this.#changes.then(() => this.#change(settings));
    this.#changes = changed.catch(() => {});
    return changed;
  }

  /** @param {Parameters<Host['change']>[0]} settings */
  async #change({ locked, lobby, password }) {
    const { signaling, ticket, adopt } = this.#around;
    const answer = await signaling.ask('settings', { locked, lobby, password });
    // For when this page has to join anew.
    if (password !== undefined) ticket.password = password;
    adopt(answer);
  }

  /**
   * Let somebody in who knocks.
   * @param {{id: string}} who
   * @returns {Promise<void>}
   * @throws {import('./problem.js').KlatchProblem} peer-not-found, room-full, not-permitted
   */
  async admit({ id }) {
    await this.#decide('admit', { peer: id });
  }

  /**
   * Let somebody know who knocks that they don't come in.
   * @param {{id: string}} who
   * @returns {Promise<void>}
   * @throws {import('./problem.js').KlatchProblem} peer-not-found, not-permitted
   */
  async refuse({ id }) {
    await this.#decide('kick', { peer: id });
  }

  /**
   * Remove somebody who is in the room.
   * @param {{id: string}} who
   * @param {{ban?: boolean}} [how] ban: they don't come in again for as long as the room lasts
   * @returns {Promise<void>}
   * @throws {import('./problem.js').KlatchProblem} peer-not-found, not-permitted (a host's or by nobody's host)
   */
  async remove({ id }, { ban = false } = {}) {
    await this.#decide('kick', { peer: id, ban });
    this.#around.kicked(id);
  }

  /**
   * Make somebody host in this person's place.
   * @param {{id: string}} who
   * @returns {Promise<void>}
   * @throws {import('./problem.js').KlatchProblem} peer-not-found, not-permitted
   */
  async handOn({ id }) {
    this.#around.adopt(await this.#around.signaling.ask('host', { peer: id }));
  }

  /** @param {Listed[]} listed all who knock, as the server lists them */
  list(listed) {
    this.#next(async () => {
      this.#knocking.clear();
      await this.#add(listed);
    });
  }

  /** @param {Listed} listed */
  knocks(listed) {
    this.#next(() => this.#add([listed]));
  }

  /** @param {unknown} peer who doesn't knock any more, if they did */
  gone(peer) {
    this.#next(() => {
      this.#knocking.delete(String(peer));
    });
  }

  /** @param {Listed[]} listed */
  async #add(listed) {
    for (const { peer, name, card } of await this.#around.read(listed)) {
      if (typeof peer !== 'string' || this.#knocking.size >= KNOCKING_MAX) continue;
      const said = typeof name === 'string' && name !== '' ? name : card?.value?.name;
      this.#knocking.set(peer, Object.freeze({
        id: peer,
        name: typeof said === 'string' ? said.trim().slice(0, this.#around.nameMax) : '',
        outside: card?.outside ?? null,
      }));
    }
  }

  /** @param {() => Promise<void> | void} work */
  #next(work) {
    this.#order = this.#order.then(async () => {
      const before = [...this.#knocking.values()];
      await work();
      const now = [...this.#knocking.values()];
      if (now.length !== before.length || now.some((one, at) => one !== before[at])) this.#show(now);
    });
  }

  /** @param {Knocker[]} people */
  #show(people) {
    if (!this.#closed) this.#around.show(people);
  }

  /** This page is out: nothing is told any more. */
  close() {
    this.#closed = true;
  }

  /**
   * @param {string} what
   * @param {{peer: string, ban?: boolean}} body
   */
  async #decide(what, body) {
    try {
      await this.#around.signaling.ask(what, body);
    } catch (error) {
      // Somebody else decided, or they have gone.
      if (/** @type {{code?: string}} */ (error).code === 'peer-not-found') this.gone(body.peer);
      throw error;
    }
    this.gone(body.peer);
  }
}

/* hosting: who is a host of the room and what it asks of newcomers, as the server tells it.
 * What hosts alone need, who knocks and what they decide, is host.js, which is loaded for them. */

import { Later, loadPart } from './later.js';
import { NAME_CHARACTERS_MAX } from './member.js';

/** @typedef {import('./host.js').Host} Host */
/** @typedef {import('./member.js').Member} Member */
/** @typedef {import('./types.js').Knocker} Knocker */

export class Hosting {
  /** @type {Readonly<import('./types.js').Settings>} */
  settings = { locked: false, lobby: false, password: false };
  /** @type {readonly Knocker[]} */
  knocking = [];
  /** @type {Set<string>} */
  #hosts = new Set();
  #around;
  /** @type {Later<Host>} */
  #part;

  /**
   * @param {Omit<import('./host.js').Around, 'adopt' | 'show' | 'nameMax'> & {
   *   members: () => Member[],
   *   changed: (member: Member) => void,
   *   settled: () => void,
   *   emit: import('./events.js').Emitter<import('./types.js').RoomEvents>['emit'],
   * }} around changed: they became a host or are none any more; settled: all was taken in
   * @param {(problem: import('./problem.js').KlatchProblem) => void} failed when it can't be loaded
   */
  constructor(around, failed) {
    this.#around = around;
    this.#part = new Later(async () => {
      const { Host } = await loadPart(() => import('./host.js'), 'host');
      return new Host({
        ...around,
        nameMax: NAME_CHARACTERS_MAX,
        adopt: (word) => this.adopt(word),
        show: (people) => {
          this.knocking = people;
          around.emit('knocking', { people });
        },
      });
    }, failed);
  }

  /**
   * @returns {Promise<Host>}
   * @throws {import('./problem.js').KlatchProblem} not-loaded
   */
  open() {
    return this.#part.open();
  }

  /** @param {string} peer whether it is a host */
  has(peer) {
    return this.#hosts.has(peer);
  }

  /** Whether somebody may knock at any moment, of which nobody but a host is told. */
  get awaits() {
    return this.settings.lobby && this.has(this.#around.signaling.peer);
  }

  /** @param {Member} member who is new, or under another id */
  mark(member) {
    member.person.host = this.has(member.id);
  }

  /** @param {import('./types.js').House & Partial<import('./types.js').Settings>} word the server's, of settings and hosts */
  adopt({ settings, hosts, knocking, ...rest }) {
    if (!Array.isArray(hosts)) return;
    const { members, changed, settled, signaling, emit } = this.#around;
    const { locked = false, lobby = false, password = false } = settings ?? rest;
    this.settings = { locked, lobby, password };
    this.#hosts = new Set(hosts);
    for (const member of members()) {
      const was = member.person.host;
      this.mark(member);
      if (member.person.host !== was) changed(member);
    }
    if (knocking?.length) this.#part.tell((host) => host.list(knocking));
    else if (knocking || !this.has(signaling.peer)) this.#part.tellIfWanted((host) => host.list([]));
    settled();
    emit('room-updated', { settings: this.settings });
  }

  /**
   * @param {string} type of the server's own word
   * @param {any} data
   */
  heard(type, data) {
    if (type === 'room-updated') this.adopt(data);
    else if (type === 'peer-knocking') this.#part.tell((host) => host.knocks(data));
    else this.#part.tellIfWanted((host) => host.gone(data?.peer));
  }

  close() {
    this.#part.close((host) => host.close());
  }
}

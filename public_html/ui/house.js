// What a call tells and does about hosts: notices when the part of the host goes to somebody or the room
// is locked, and what a host decides, with a word where that doesn't work.

/** @typedef {import('../klatch/index.js').Room} Room */
/** @typedef {import('../klatch/index.js').Person} Person */
/** @typedef {import('../klatch/index.js').KlatchProblem} KlatchProblem */

/**
 * @typedef {object} HouseOptions
 * @property {Room} room
 * @property {AbortSignal} life
 * @property {import('./strings.js').Texts} t
 * @property {(person: {name: string}) => string} nameOf
 * @property {() => void} changed something is to be drawn
 * @property {(title: string) => void} say
 * @property {(problem: KlatchProblem) => void} warn
 */

export class House {
  #on;
  /** Who is a host, as was last told. @type {Set<object>} */
  #hosts;
  #locked;

  /** @param {HouseOptions} options */
  constructor(options) {
    this.#on = options;
    const { room, life, changed, say, t } = options;
    this.#hosts = this.#now();
    this.#locked = room.settings.locked;
    room.on('room-updated', () => this.#updated(), { signal: life });
    room.on('knocking', changed, { signal: life });
    room.on('waiting', ({ detail }) => say(t(detail.hosts > 0 ? 'notice.waiting' : 'notice.waiting.nobody')), { signal: life });
  }

  /** @param {import('../klatch/types.js').Knocker} who */
  admit(who) {
    return this.#do((hosting) => hosting.admit(who));
  }

  /** @param {import('../klatch/types.js').Knocker} who */
  refuse(who) {
    return this.#do((hosting) => hosting.refuse(who));
  }

  /** @param {{locked?: boolean, lobby?: boolean, password?: string | null}} settings */
  change(settings) {
    return this.#do((hosting) => hosting.change(settings));
  }

  /** @param {'host' | 'remove' | 'ban'} act @param {Person} person */
  act(act, person) {
    return this.#do((hosting) => (act === 'host' ? hosting.handOn(person) : hosting.remove(person, { ban: act === 'ban' })));
  }

  /** @param {(hosting: import('../klatch/host.js').Host) => Promise<void>} work */
  async #do(work) {
    const { room, warn, changed } = this.#on;
    try {
      await work(await room.hosting());
    } catch (error) {
      warn(/** @type {KlatchProblem} */ (error));
    }
    changed();
  }

  /** @returns {Set<object>} the room itself stands for this person */
  #now() {
    const { room } = this.#on;
    return new Set([...(room.self.host ? [room] : []), ...room.people.filter(({ host }) => host)]);
  }

  #updated() {
    const { room, t, say, nameOf, changed } = this.#on;
    const before = this.#hosts;
    this.#hosts = this.#now();
    for (const host of this.#hosts) {
      if (before.has(host)) continue;
      say(host === room ? t('notice.hostYou') : t('notice.host', { name: nameOf(/** @type {Person} */ (host)) }));
    }
    const { locked } = room.settings;
    if (locked !== this.#locked) say(t(locked ? 'notice.locked' : 'notice.unlocked'));
    this.#locked = locked;
    changed();
  }
}

// What a call tells and does about hosts: notices when the part of the host goes to somebody or the room
// is locked, and what a host decides, with a word where that doesn't work.

/** @typedef {import('../klatch/index.js').Room} Room */
/** @typedef {import('../klatch/index.js').Person} Person */
/** @typedef {import('../klatch/index.js').KlatchProblem} KlatchProblem */

/**
 * @typedef {object} HouseOptions
 * @property {Room} room
 * @property {AbortSignal} life
 * @property {() => import('./strings.js').Texts} texts
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
  /** Switches that the server was asked for and hasn't answered, in their order. @type {Set<{locked?: boolean, lobby?: boolean}>} */
  #asked = new Set();
  /** Ids of who knocks and is decided about just now. @type {Set<string>} */
  #deciding = new Set();

  /** @param {HouseOptions} options */
  constructor(options) {
    this.#on = options;
    const { room, life, changed, say, texts } = options;
    this.#hosts = this.#now();
    this.#locked = room.settings.locked;
    room.on('room-updated', () => this.#updated(), { signal: life });
    room.on('knocking', changed, { signal: life });
    room.on('waiting', ({ detail }) => say(texts()(detail.hosts > 0 ? 'notice.waiting' : 'notice.waiting.nobody')), { signal: life });
  }

  /** What newcomers are asked for, the switches as this person wants them. @returns {import('../klatch/types.js').Settings} */
  get settings() {
    const { settings } = this.#on.room;
    return { ...settings, ...Object.assign({}, ...this.#asked), password: settings.password };
  }

  /** @param {'admit' | 'refuse'} act @param {import('../klatch/types.js').Knocker} who */
  async decide(act, who) {
    // Pressed twice it is decided once; the server would not know them any more.
    if (this.#deciding.has(who.id)) return;
    this.#deciding.add(who.id);
    await this.#do((hosting) => hosting[act](who), () => this.#deciding.delete(who.id));
  }

  /** @param {{locked?: boolean, lobby?: boolean, password?: string | null}} settings */
  change(settings) {
    this.#asked.add(settings);
    this.#on.changed();
    return this.#do((hosting) => hosting.change(settings), () => this.#asked.delete(settings));
  }

  /** @param {'host' | 'remove' | 'ban'} act @param {Person} person */
  act(act, person) {
    return this.#do((hosting) => (act === 'host' ? hosting.handOn(person) : hosting.remove(person, { ban: act === 'ban' })));
  }

  /** @param {(hosting: import('../klatch/host.js').Host) => Promise<void>} work @param {() => void} [answered] */
  async #do(work, answered = () => {}) {
    const { room, warn, changed } = this.#on;
    try {
      await work(await room.hosting());
    } catch (error) {
      warn(/** @type {KlatchProblem} */ (error));
    }
    answered();
    changed();
  }

  /** @returns {Set<object>} the room itself stands for this person */
  #now() {
    const { room } = this.#on;
    return new Set([...(room.self.host ? [room] : []), ...room.people.filter(({ host }) => host)]);
  }

  #updated() {
    const { room, texts, say, nameOf, changed } = this.#on;
    const t = texts();
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

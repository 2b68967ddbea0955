// Who comes, who goes and who is called something else now, in words; and to whom there is no path.
import { stateMore } from './paths.js';

/** @typedef {import('../klatch/index.js').Person} Person */

/**
 * @typedef {object} ComingsOptions
 * @property {import('../klatch/index.js').Room} room
 * @property {AbortSignal} life
 * @property {() => import('./strings.js').Texts} texts
 * @property {(person: {name: string}) => string} nameOf
 * @property {() => void} changed something is to be drawn
 * @property {(notice: Omit<import('./notices.js').Notice, 'id'>) => void} tell
 */

export class Comings {
  #on;
  /** To whom there is no path, as was told. @type {Set<Person>} */
  #pathless = new Set();
  /** Names as they were last shown, to tell when one changes. @type {Map<Person, string>} */
  #names = new Map();
  /** Whose page was reloaded: neither going nor coming is news. @type {Set<string>} */
  #returning = new Set();

  /** @param {ComingsOptions} options */
  constructor(options) {
    this.#on = options;
    const { room, life, nameOf } = options;
    for (const person of room.people) this.#names.set(person, nameOf(person));
    room.on('peer-joined', ({ detail }) => detail.already || this.#came(detail.person), { signal: life });
    room.on('peer-left', ({ detail }) => this.#parted(detail.person, detail.reason), { signal: life });
    room.on('peer-updated', ({ detail: { person } }) => this.#updated(person), { signal: life });
  }

  /** @param {string} title */
  #say(title) {
    this.#on.tell({ kind: 'quiet', title });
  }

  /** @param {Person} person */
  #came(person) {
    const { texts, nameOf, changed } = this.#on;
    const name = nameOf(person);
    this.#names.set(person, name);
    if (this.#returning.delete(name)) changed();
    else this.#say(texts()('notice.joined', { name }));
  }

  /** @param {Person} person @param {string} reason */
  #parted(person, reason) {
    const { texts, nameOf, changed } = this.#on;
    const name = nameOf(person);
    if (reason === 'lapsed') this.#say(texts()('notice.lapsed', { name }));
    else if (reason === 'kicked') this.#say(texts()('notice.removed', { name }));
    else if (reason === 'replaced') this.#returning.add(name);
    else this.#say(texts()('notice.left', { name }));
    this.#names.delete(person);
    changed();
  }

  /** @param {Person} person */
  #updated(person) {
    const { texts, nameOf, changed } = this.#on;
    const before = this.#names.get(person);
    const name = nameOf(person);
    if (before !== undefined && before !== name) this.#say(texts()('notice.renamed', { before, name }));
    this.#names.set(person, name);
    this.#tellPath(person, name);
    changed();
  }

  /** @param {Person} person @param {string} name */
  #tellPath(person, name) {
    const { state, plain, outside } = person;
    const none = state === 'no-path' && !outside;
    if (none && !this.#pathless.has(person)) {
      const { texts, tell } = this.#on;
      const t = texts();
      tell({ kind: 'problem', title: t('notice.noPath', { name }), more: stateMore(t, { state, plain }) });
    }
    if (none) this.#pathless.add(person);
    else this.#pathless.delete(person);
  }
}

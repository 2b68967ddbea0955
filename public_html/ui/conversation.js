// What was written and sent in a call, in order, as the chat shows it; what of it is unread;
// who writes; and to whom the next line goes. Follows one SDK Room.
import { KlatchProblem } from '../klatch/index.js';
import { PictureAllowance } from './pictures.js';

/** @typedef {import('../klatch/index.js').Room} Room */
/** @typedef {import('../klatch/index.js').Person} Person */
/** @typedef {import('../klatch/chat.js').Message} Message */
/** @typedef {import('../klatch/files.js').Share} Share */
/** @typedef {{message: Message, share: null} | {message: null, share: Share}} Entry */

const ENTRIES_MAX = 1000;
export const FILES_AT_ONCE_MAX = 20;

/**
 * @typedef {object} Hooks
 * @property {() => void} changed something is to be drawn
 * @property {(entry: Entry) => void} unread came while nobody was looking
 * @property {(problem: KlatchProblem) => void} problem
 */

export class Conversation {
  /** Oldest first. @type {readonly Entry[]} */
  entries = [];
  /** Who told what was said before. */
  toldBy = '';
  /** @type {{person: Person, private: boolean}[]} */
  writers = [];
  /** Who reads the next line, null for everybody. @type {Person | null} */
  to = null;
  unread = 0;
  /** Whether somebody can see what comes. */
  #watched = false;
  #room;
  #hooks;
  #pictures = new PictureAllowance();

  /**
   * @param {Room} room @param {AbortSignal} signal ends the following @param {Hooks} hooks
   */
  constructor(room, signal, hooks) {
    this.#room = room;
    this.#hooks = hooks;
    const life = { signal };
    room.on('message', ({ detail: { message } }) => this.#add({ message, share: null }, message.mine), life);
    room.on('before', ({ detail: { messages, by } }) => this.#before(messages, by), life);
    room.on('file', ({ detail: { share } }) => this.#file(share), life);
    room.on('writing', ({ detail: { writers } }) => {
      this.writers = writers;
      hooks.changed();
    }, life);
  }

  /** @param {boolean} on whether the chat is open on a page that is seen */
  watch(on) {
    this.#watched = on;
    if (on) this.unread = 0;
    this.#hooks.changed();
  }

  /** @param {string} text */
  say(text) {
    try {
      this.#room.say(text, this.to);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** @param {boolean} on */
  writing(on) {
    try {
      this.#room.writing(on, this.to);
    } catch {
      // Who would be told has just gone.
    }
  }

  /** @param {Person | null} person */
  address(person) {
    this.writing(false);
    this.to = person;
    this.#hooks.changed();
  }

  /** @param {readonly File[]} files */
  async offer(files) {
    const { to } = this;
    try {
      const desk = await this.#room.files();
      for (const file of files.slice(0, FILES_AT_ONCE_MAX)) desk.offer(file, to);
      if (files.length > FILES_AT_ONCE_MAX) throw new KlatchProblem('too-many-files');
    } catch (error) {
      this.#fail(error);
    }
  }

  /** From within a click: the browser may ask where to. @param {Share} share */
  async save(share) {
    try {
      await (await this.#room.files()).save(share);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** @param {Share} share */
  async stop(share) {
    await this.#room.files().then((desk) => desk.stop(share), (error) => this.#fail(error));
  }

  /** @param {unknown} error */
  #fail(error) {
    this.#hooks.problem(error instanceof KlatchProblem ? error : new KlatchProblem('not-loaded', { cause: error }));
  }

  /** @param {Entry} entry @param {boolean} mine */
  #add(entry, mine) {
    this.entries = [...this.entries, entry].slice(-ENTRIES_MAX);
    if (!mine && !this.#watched) {
      this.unread += 1;
      this.#hooks.unread(entry);
    }
    this.#hooks.changed();
  }

  /** @param {Message[]} messages @param {Person} by */
  #before(messages, by) {
    this.toldBy = by.name;
    this.entries = [...messages.map((message) => ({ message, share: null })), ...this.entries].slice(-ENTRIES_MAX);
    this.#hooks.changed();
  }

  /** @param {Share} share */
  #file(share) {
    if (this.entries.some((entry) => entry.share === share)) {
      this.#hooks.changed();
      return;
    }
    this.#add({ message: null, share }, share.mine);
    if (share.mine || !this.#pictures.allows(share)) return;
    this.#room.files().then((desk) => desk.show(share), () => {});
  }
}

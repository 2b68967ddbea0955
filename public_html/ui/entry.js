// The way into a room as the lobby knows it: what the room asks of newcomers, the password that was
// written, and whether a host is being asked.
import { lookAtRoom } from '../klatch/index.js';

/** @typedef {{password: boolean, locked: boolean, lobby: boolean}} Asked */

/** Codes after which there is nothing to do in the lobby but to go or to try again. */
const TURNED_AWAY = ['refused', 'banned', 'kicked'];

/** @type {Readonly<Asked>} */
const NOTHING = Object.freeze({ password: false, locked: false, lobby: false });

export class Entry {
  /** What the room asks for, as far as that is known. @type {Readonly<Asked>} */
  asked = NOTHING;
  /** As it was written; kept in memory alone. */
  password = '';
  /** While a host is asked: how many of them are there. @type {{hosts: number} | null} */
  waiting = null;
  #changed;
  /** Counts rooms, so that an answer about a former one is told from this one's. */
  #room = 0;

  /** @param {() => void} changed called after every change */
  constructor(changed) {
    this.#changed = changed;
  }

  /** Another room. */
  clear() {
    this.#room += 1;
    this.asked = NOTHING;
    this.password = '';
    this.waiting = null;
  }

  /**
   * Ask the server, where it tells outsiders. Joining tells too: no search for the API is worth it.
   * @param {string | null} api
   * @param {string} room
   */
  async look(api, room) {
    const number = this.#room;
    const seen = api === null ? null : await lookAtRoom({ api, room });
    if (number !== this.#room || !seen) return;
    this.asked = seen;
    this.#changed();
  }

  /** @param {string} password */
  write(password) {
    this.password = password;
    this.#changed();
  }

  /** @param {{hosts: number} | null} waiting null: it is decided, or given up */
  wait(waiting) {
    this.waiting = waiting;
    this.#changed();
  }

  /**
   * @param {{code: string}} problem why there was no coming in
   * @returns {boolean} whether somebody has turned this person away
   */
  refused({ code }) {
    this.waiting = null;
    if (code.startsWith('password-')) this.asked = { ...this.asked, password: true };
    this.asked = { ...this.asked, locked: code === 'room-locked' };
    return TURNED_AWAY.includes(code);
  }
}

/* chat: text between people, over the pairs' own channels.
 * A line is kept for each person until that person's page has said that it came, and
 * is said again on every new channel; who receives takes each id once. */

import { KlatchProblem } from './problem.js';
import { randomId } from './bytes.js';

const CHARACTERS_MAX = 4000;
const WAITING_MAX = 200;
const SEEN_MAX = 2000;
/** A sender's clock further off than this isn't believed. */
const CLOCK_MS_MAX = 5 * 60_000;
/** What goes through a mailbox where there is no path: the server's space is everybody's. */
const MAIL_BYTES_MAX = 4096;

/**
 * @typedef {object} Message
 * @property {string} id
 * @property {string} from the person's id, our own for what we said
 * @property {string} name of that person when it came
 * @property {string} text
 * @property {number} time ms since 1970
 * @property {boolean} mine
 * @property {boolean} plain came through the HTTP API, not from a page
 * @property {boolean} private for one person alone
 * @property {import('./member.js').Person | null} to whom we said it, null for everybody and for what others say
 * @property {string} toName of that person when we said it
 * @property {boolean} before was said before we came, as somebody else tells it
 * @property {readonly Detour[]} detours by which it goes or came, where there was no path
 */

/**
 * How a line goes to somebody to whom there is no path, or came from there.
 * @typedef {object} Detour
 * @property {import('./member.js').Person} person
 * @property {import('./member.js').Person | null} via who passes it on; null is by mailbox
 */

/** @typedef {{t: 'chat', id: string, text: string, time: number, private?: true}} Line what goes over a channel */

export class Chat {
  /** @type {Map<object, Map<string, Line>>} for each receiver the lines it hasn't confirmed */
  #waiting = new Map();
  /** For each receiver the lines that were mailed, or are too long for that. @type {WeakMap<object, Set<string>>} */
  #mailed = new WeakMap();
  /** @type {Set<string>} */
  #seen = new Set();

  /**
   * @param {string} text
   * @param {boolean} [alone] for one person alone
   * @returns {Line}
   * @throws {KlatchProblem} bad-message
   */
  compose(text, alone = false) {
    const trimmed = String(text).trim();
    if (trimmed === '' || trimmed.length > CHARACTERS_MAX) throw new KlatchProblem('bad-message');
    return { t: 'chat', id: randomId(8), text: trimmed, time: Date.now(), ...(alone ? { private: true } : {}) };
  }

  /**
   * @param {{say: (line: Line) => boolean}} receiver
   * @param {Line} line
   */
  send(receiver, line) {
    const waiting = this.#waiting.get(receiver) ?? new Map();
    this.#waiting.set(receiver, waiting);
    waiting.set(line.id, line);
    // Somebody who can't be reached for that long misses the oldest.
    if (waiting.size > WAITING_MAX) waiting.delete(waiting.keys().next().value ?? '');
    receiver.say(line);
  }

  /**
   * @param {{say: (line: Line) => boolean}} receiver whose channel has just opened
   * @param {boolean} [spare] not what was mailed, since it goes at somebody else's cost
   */
  resend(receiver, spare = false) {
    const mailed = spare ? this.#mailed.get(receiver) : undefined;
    for (const line of this.#waiting.get(receiver)?.values() ?? []) {
      if (!mailed?.has(line.id) || !fitsMail(line)) receiver.say(line);
    }
  }

  /**
   * What waits for somebody to whom there is no path, each line once. They stay waiting: a
   * channel that opens after all confirms them.
   * @param {object} receiver
   * @returns {{lines: Line[], tooLong: boolean}}
   */
  toMail(receiver) {
    const mailed = this.#mailed.get(receiver) ?? new Set();
    const waiting = [...this.#waiting.get(receiver)?.values() ?? []].filter(({ id }) => !mailed.has(id));
    this.#mailed.set(receiver, new Set([...mailed, ...waiting.map(({ id }) => id)].slice(-WAITING_MAX)));
    const short = waiting.filter(fitsMail);
    return { lines: short, tooLong: short.length < waiting.length };
  }

  /**
   * @param {object} receiver
   * @param {unknown} id
   */
  confirmed(receiver, id) {
    if (typeof id === 'string') this.#waiting.get(receiver)?.delete(id);
  }

  /** @param {object} receiver who is gone */
  forget(receiver) {
    this.#waiting.delete(receiver);
  }

  /**
   * @param {{person: {id: string, name: string}, instance: string | null}} sender
   * @param {any} line what that person sent
   * @param {boolean} [plain] through the HTTP API
   * @param {readonly Detour[]} [detours]
   * @returns {Message | null} null when it came before or isn't a line
   */
  receive({ person, instance }, line, plain = false, detours = []) {
    if (typeof line?.text !== 'string' || line.text === '' || line.text.length > CHARACTERS_MAX) return null;
    if (typeof line.id !== 'string' || line.id.length > 64) return null;
    // The page load, not the person's id, which changes when a page joins anew.
    const seen = `${instance ?? person.id} ${line.id}`;
    if (this.#seen.has(seen)) return null;
    this.#seen.add(seen);
    if (this.#seen.size > SEEN_MAX) this.#seen.delete(this.#seen.values().next().value ?? '');
    const now = Date.now();
    const time = Math.abs(now - line.time) < CLOCK_MS_MAX ? Number(line.time) : now;
    return { id: line.id, from: person.id, name: person.name, text: line.text, time, mine: false, plain,
      private: line.private === true, to: null, toName: '', before: false, detours };
  }
}

/**
 * @param {{text: string}} line
 * @returns {boolean} whether a mailbox takes it
 */
export function fitsMail({ text }) {
  return new TextEncoder().encode(text).length <= MAIL_BYTES_MAX;
}

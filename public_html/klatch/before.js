/* before: what was said before somebody came. A newcomer asks the one who joined first,
 * then the next when there is no answer, and takes one answer. */

const LINES_MAX = 200;
/** Of one answer: what every browser's channel takes in one message. */
const BYTES_MAX = 60_000;
const TEXT_CHARACTERS_MAX = 4000;
const ID_CHARACTERS_MAX = 64;
/** So long the first one may take to be connected, and each one to answer. */
const ANSWER_MS = 5_000;
/** A cut connection can swallow an answer; more than that is no newcomer's need. */
const ANSWERS_MAX = 3;

/** @typedef {import('./member.js').Member} Member */
/** @typedef {{id: string, name: string, text: string, time: number}} Said */

export class Before {
  #lines;
  #nameMax;
  #members;
  #earlier;
  /** @type {Set<Member>} */
  #tried = new Set();
  /** @type {Member | null} */
  #asked = null;
  #settled = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  /** @type {WeakMap<Member, number>} */
  #answers = new WeakMap();
  /** Whose asking came before our end of the channel was open. @type {WeakSet<Member>} */
  #owed = new WeakSet();

  /**
   * @param {{members: () => Member[], earlier: (member: Member) => boolean, lines: Map<string, Said>,
   *   nameMax: number}} room
   *   everybody in the order of joining; whether somebody was here before us; what was said to all,
   *   where what is told goes too
   */
  constructor({ members, earlier, lines, nameMax }) {
    this.#lines = lines;
    this.#nameMax = nameMax;
    this.#members = members;
    this.#earlier = earlier;
  }

  /** @param {Member} member whose channel is open */
  opened(member) {
    if (this.#owed.delete(member)) this.answer(member);
    if (this.#settled || !this.#earlier(member) || member.instance === null) return;
    // What was asked over the former channel, and its answer, may be lost with it.
    this.#tried.delete(member);
    if (member === this.#asked) this.#asked = null;
    if (this.#asked) return;
    if (this.#candidates()[0] === member) {
      this.#ask(member);
    } else if (this.#timer === undefined) {
      this.#timer = setTimeout(() => this.#next(), ANSWER_MS);
    }
  }

  /** @param {Member} member who asks */
  answer(member) {
    const answers = this.#answers.get(member) ?? 0;
    if (answers >= ANSWERS_MAX) return;
    const encoder = new TextEncoder();
    const lines = [];
    let bytes = 0;
    for (const line of [...this.#lines.values()].reverse()) {
      bytes += encoder.encode(JSON.stringify(line)).length + 1;
      if (bytes > BYTES_MAX) break;
      lines.unshift(line);
    }
    if (member.say({ t: 'before', lines })) this.#answers.set(member, answers + 1);
    else this.#owed.add(member);
  }

  /**
   * @param {Member} member
   * @param {unknown} lines that member's answer
   * @returns {Said[]} what is new, checked
   */
  take(member, lines) {
    if (this.#settled || member !== this.#asked || !Array.isArray(lines)) return [];
    this.close();
    const fresh = lines.slice(-LINES_MAX).flatMap((line) => checked(line, this.#nameMax) ?? []).filter(({ id }) => !this.#lines.has(id));
    const later = [...this.#lines];
    this.#lines.clear();
    for (const [id, line] of [...fresh.map((one) => /** @type {const} */ ([one.id, one])), ...later].slice(-LINES_MAX)) {
      this.#lines.set(id, line);
    }
    return fresh;
  }

  /** @param {Member} member who is gone */
  forget(member) {
    if (member === this.#asked) this.#next();
  }

  /** Nothing is asked any more. */
  close() {
    this.#settled = true;
    clearTimeout(this.#timer);
  }

  /** Who was here before us with a page of their own, first come first. */
  #candidates() {
    return this.#members().filter((member) => member.instance !== null && this.#earlier(member)
      && !this.#tried.has(member));
  }

  #next() {
    this.#asked = null;
    this.#timer = undefined;
    if (this.#settled) return;
    const member = this.#candidates().find(({ connected }) => connected);
    // Who is connected later is asked then.
    if (member) this.#ask(member);
  }

  /** @param {Member} member */
  #ask(member) {
    clearTimeout(this.#timer);
    this.#tried.add(member);
    this.#asked = member;
    this.#timer = setTimeout(() => this.#next(), ANSWER_MS);
    member.say({ t: 'before?' });
  }
}

/**
 * @param {any} line
 * @param {number} nameMax characters of a name
 * @returns {Said | null}
 */
function checked(line, nameMax) {
  const { id, name, text, time } = line ?? {};
  if (typeof id !== 'string' || id === '' || id.length > ID_CHARACTERS_MAX) return null;
  if (typeof text !== 'string' || text === '' || text.length > TEXT_CHARACTERS_MAX) return null;
  if (typeof name !== 'string' || !Number.isFinite(time) || time < 0) return null;
  return { id, name: name.trim().slice(0, nameMax), text, time: Math.min(time, Date.now()) };
}

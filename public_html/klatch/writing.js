/* writing: who is writing at the moment. It is told over the channels at most every few
 * seconds, and ends by itself when nothing more is told. */

const TELL_MS = 3_000;
/** Longer than the time between two tellings, so that it doesn't flicker. */
const LASTS_MS = 5_000;

/** @typedef {import('./member.js').Member} Member */
/** @typedef {import('./member.js').Person} Person */

export class Writing {
  #changed;
  #toldMs = 0;
  /** Whom it was told; null is everybody. @type {Member | null} */
  #told = null;
  /** @type {Map<Member, {timer: ReturnType<typeof setTimeout>, private: boolean}>} */
  #writers = new Map();

  /** @param {(writers: {person: Person, private: boolean}[]) => void} changed */
  constructor(changed) {
    this.#changed = changed;
  }

  /**
   * This person writes, or no longer does.
   * @param {boolean} on
   * @param {Member[]} receivers
   * @param {Member | null} only the one of a private line
   */
  tell(on, receivers, only) {
    const told = Date.now() - this.#toldMs < (on ? TELL_MS : LASTS_MS);
    if (on ? told && only === this.#told : !told) return;
    this.#toldMs = on ? Date.now() : 0;
    this.#told = only;
    for (const member of receivers) member.say({ t: 'writing', on, private: only !== null });
  }

  /** The line has come out: nothing more is to be told about it. */
  sent() {
    this.#toldMs = 0;
  }

  /**
   * @param {Member} member
   * @param {{on?: unknown, private?: unknown}} value what that member told
   */
  heard(member, value) {
    if (value.on !== true) {
      this.stopped(member);
      return;
    }
    const before = this.#writers.get(member);
    clearTimeout(before?.timer);
    const now = { timer: setTimeout(() => this.stopped(member), LASTS_MS), private: value.private === true };
    this.#writers.set(member, now);
    if (before?.private !== now.private) this.#publish();
  }

  /** @param {Member} member whose line came, or who is gone */
  stopped(member) {
    const before = this.#writers.get(member);
    if (!before) return;
    clearTimeout(before.timer);
    this.#writers.delete(member);
    this.#publish();
  }

  close() {
    for (const { timer } of this.#writers.values()) clearTimeout(timer);
    this.#writers.clear();
  }

  #publish() {
    this.#changed([...this.#writers].map(([member, writer]) => ({ person: member.person, private: writer.private })));
  }
}

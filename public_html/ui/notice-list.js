// The notices that are showing: the newest few, each for its time.

/** @typedef {import('./notices.js').Notice} Notice */

const SHOWN_MAX = 3;
const QUIET_MS = 6000;
const PROBLEM_MS = 20000;

export class NoticeList {
  #next = 1;
  /** @type {Notice[]} */
  #showing = [];
  /** @type {Map<number, ReturnType<typeof setTimeout>>} */
  #timers = new Map();
  #changed;

  /** @param {() => void} changed called after every change */
  constructor(changed) {
    this.#changed = changed;
  }

  /** Oldest first. @returns {readonly Notice[]} */
  get showing() {
    return this.#showing;
  }

  /**
   * A notice that already shows is shown anew, not twice; of messages only the last shows.
   * @param {Omit<Notice, 'id'>} notice
   */
  add(notice) {
    for (const { id, kind, title, more } of this.#showing) {
      const same = title === notice.title && more === notice.more;
      if (same || (kind === 'message' && kind === notice.kind)) this.#drop(id);
    }
    const id = this.#next;
    this.#next += 1;
    this.#showing = [...this.#showing, { ...notice, id }];
    const life = notice.kind === 'problem' ? PROBLEM_MS : QUIET_MS;
    this.#timers.set(id, setTimeout(() => this.dismiss(id), life));
    while (this.#showing.length > SHOWN_MAX) this.#drop(/** @type {Notice} */ (this.#showing[0]).id);
    this.#changed();
  }

  /** @param {number} id */
  dismiss(id) {
    this.#drop(id);
    this.#changed();
  }

  /** @param {Notice['kind']} kind */
  dismissKind(kind) {
    for (const notice of this.#showing) if (notice.kind === kind) this.#drop(notice.id);
    this.#changed();
  }

  clear() {
    for (const { id } of this.#showing) this.#drop(id);
  }

  /** @param {number} id */
  #drop(id) {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
    this.#showing = this.#showing.filter((notice) => notice.id !== id);
  }
}

// Who is speaking: from the levels that the SDK reads off the connections.

/** Louder than this is a voice; a quiet room stays below. */
const VOICE = 0.02;
/** Between words the same person goes on speaking. */
const PAUSE_MS = 900;
/** Who is shown as the speaker stays that long, so that a cough moves nothing. */
const STAY_MS = 2500;

export class Speakers {
  /** When each was last heard. @type {Map<object, number>} */
  #heardMs = new Map();
  /** Whom to look at. @type {object | null} */
  main = null;
  #sinceMs = 0;

  /**
   * @param {Map<object, number>} levels by person, 0 to 1
   * @param {number} [now] ms
   * @returns {boolean} whether anything changed
   */
  hear(levels, now = Date.now()) {
    const before = [...this.#heardMs.keys()];
    for (const [person, level] of levels) if (level > VOICE) this.#heardMs.set(person, now);
    for (const [person, heardMs] of this.#heardMs) {
      if (now - heardMs > PAUSE_MS || !levels.has(person)) this.#heardMs.delete(person);
    }
    const after = [...this.#heardMs.keys()];
    return this.#choose(levels, now) || after.length !== before.length || after.some((one) => !before.includes(one));
  }

  /** @param {object} person */
  speaks(person) {
    return this.#heardMs.has(person);
  }

  /** @param {Map<object, number>} levels @param {number} now */
  #choose(levels, now) {
    const gone = this.main !== null && !levels.has(this.main);
    if (gone) this.main = null;
    if (this.main !== null && (this.speaks(this.main) || now - this.#sinceMs < STAY_MS)) return gone;
    const [loudest] = [...levels].filter(([person]) => this.speaks(person)).sort((one, other) => other[1] - one[1]);
    if (!loudest || loudest[0] === this.main) return gone;
    [this.main] = loudest;
    this.#sinceMs = now;
    return true;
  }
}

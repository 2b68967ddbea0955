/* relax: one held poll for a room instead of one for each member.
 *
 * While connections are being made everybody polls: offers, answers and candidates
 * come through the mailbox. Once this member is connected to everybody it knows, one
 * poll is enough to hear of newcomers: that of the poller, who joined first of those
 * who are here. The others rest, and look into their mailbox every third of a lease.
 *
 * Resting is a permission that each member gives itself and takes back: only while
 * all channels beat, and the poller's beats say that it polls. So a poller that goes,
 * freezes or can't reach the server is missed within three beats, by everybody, and
 * the next one is found by the same rule. Two who both poll cost a request; nobody's
 * mail is ever read by another. */

/** How long a word of mail keeps this member from resting. */
const LOOK_MS = 10_000;
/** How long all must be well first: the last candidates may still be under way. */
const CALM_MS = 4_000;

/**
 * @typedef {object} Present what counts of another member
 * @property {{joined: number}} person
 * @property {boolean} connected
 * @property {boolean} beating
 * @property {boolean} polling
 * @property {boolean} leaving
 */

export class Relax {
  /** Everybody with a higher one joined later than we. */
  #joined = 0;
  #lookUntilMs = 0;
  /** Of whom the word was. @type {string | null} */
  #expected = null;
  /** Since when all is well. @type {number | null} */
  #calmMs = null;

  /**
   * We have joined as somebody new: who is listed was here before.
   * @param {{joined?: number}[]} listed
   */
  arrive(listed) {
    this.#joined = Math.max(0, ...listed.map(({ joined }) => joined ?? 0));
  }

  /**
   * Somebody says that there is, or will be in a moment, mail to be read.
   * @param {string | null} newcomer whose coming it tells, where it does
   * @param {number} [now] ms
   */
  look(newcomer, now = Date.now()) {
    this.#lookUntilMs = now + LOOK_MS;
    this.#expected = newcomer;
  }

  /** @param {string} newcomer who is on our list now: what follows hangs on the connection to them */
  met(newcomer) {
    if (newcomer === this.#expected) this.#lookUntilMs = 0;
  }

  /**
   * @param {Present[]} others everybody else on the latest list
   * @param {number} [now] ms
   * @returns {boolean} whether this member may rest
   */
  mayRest(others, now = Date.now()) {
    if (now < this.#lookUntilMs || !this.#isWell(others)) {
      this.#calmMs = null;
      return false;
    }
    this.#calmMs ??= now;
    return now - this.#calmMs >= CALM_MS;
  }

  /** @param {Present[]} others */
  #isWell(others) {
    // Who is leaving may be back in a moment as a newcomer.
    if (!others.every(({ connected, beating, leaving }) => connected && beating && !leaving)) return false;
    const [poller] = others.filter(({ person }) => person.joined <= this.#joined)
      .sort((one, other) => one.person.joined - other.person.joined);
    return poller?.polling === true;
  }
}

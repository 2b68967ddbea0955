/* carrier: passes on between members who have no path to each other, at a tenth of this page's bits.
 *
 * A line is what one end asked for; where both ends have asked for each other and are connected,
 * what comes by the one goes out by the other. What hasn't gone out yet waits here, and its sender
 * has credit for no more than QUEUED_BYTES_MAX of each stream: 112 kB for a line with what the
 * channel holds, 224 kB for a pair. Text goes before files, and pairs take turns. */

const QUEUED_BYTES_MAX = Object.freeze([48 * 1024, 32 * 1024]);
/** What a channel may hold back. */
const BUFFERED_BYTES_MAX = 32 * 1024;
const LINES_MAX = 32;
/** Of what this page may send. */
const SHARE = 0.1;
const BURST_MS = 1_000;
/** As much as a frame costs besides what is in it: 6 bytes of head, SCTP, DTLS, UDP and IP. */
const HEAD_BYTES = 6 + 90;
/** And the word to its sender that it went. */
const CREDIT_BYTES = 60 + 90;
const PUMP_MS = 50;

/** @typedef {import('./member.js').Member} Member */
/** @typedef {import('./carry.js').Stream} Stream */

/**
 * @typedef {object} Line
 * @property {Member} from
 * @property {number} n
 * @property {string} to a page load
 * @property {boolean} on whether that end uses it
 * @property {Line | null} other where what comes goes to
 * @property {[Uint8Array[], Uint8Array[]]} waiting
 * @property {[number, number]} bytes that wait
 */

/**
 * @typedef {object} Wire
 * @property {(member: Member) => void} listen for what comes from there
 * @property {(member: Member, n: number, stream: Stream, rest: Uint8Array) => boolean} send
 * @property {(member: Member) => number} queued bytes that wait in the channel
 */

export class Carrier {
  #around;
  #wire;
  /** @type {Map<Member, Map<number, Line>>} */
  #lines = new Map();
  /** Bits that may go out now. */
  #bits = 0;
  #bitsMs = Date.now();
  /** Whose turn it is. */
  #turn = 0;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #timer;
  #told = '';

  /**
   * @param {import('./carry.js').Around} around
   * @param {Wire} wire
   */
  constructor(around, wire) {
    this.#around = around;
    this.#wire = wire;
  }

  /**
   * A member asks that we pass on.
   * @param {Member} from
   * @param {number} n
   * @param {string} to
   * @param {boolean} on
   */
  asked(from, n, to, on) {
    const lines = this.#lines.get(from) ?? new Map();
    const known = lines.get(n);
    if (known && known.to === to) {
      known.on = on;
    } else {
      if (known) this.ended(from, n);
      // One line for a pair: many would take as many turns.
      const former = [...lines.values()].find((line) => line.to === to);
      if (former) this.#end(former);
      if (lines.size >= LINES_MAX) return;
      this.#lines.set(from, lines.set(n, { from, n, to, on, other: null, waiting: [[], []], bytes: [0, 0] }));
      this.#wire.listen(from);
    }
    this.look();
  }

  /**
   * @param {Member} from
   * @param {number} n
   */
  ended(from, n) {
    if (this.#lines.get(from)?.delete(n)) this.look();
  }

  /** @param {Member} member who is gone, or has another connection now, for which it asks anew */
  forget(member) {
    if (this.#lines.delete(member)) this.look();
  }

  close() {
    this.#lines.clear();
    clearInterval(this.#timer);
  }

  /** Find out which lines lead to each other now. */
  look() {
    const lines = this.#all();
    const all = this.#around.members();
    // What two say they are is passed on to neither.
    const named = lines.filter(({ from }) => from.connected && all.every((one) => one === from || one.instance !== from.instance));
    for (const line of lines) {
      const other = named.find((one) => one.to === line.from.instance && one.from.instance === line.to && one.from !== line.from);
      this.#join(line, other && named.includes(line) ? other : null);
    }
    this.#tell();
  }

  /**
   * @param {Member} from
   * @param {number} n
   * @param {Stream} stream
   * @param {Uint8Array} rest
   */
  came(from, n, stream, rest) {
    const line = this.#lines.get(from)?.get(n);
    // Who sends more than was granted loses it.
    if (!line?.other || line.bytes[stream] + rest.length > Number(QUEUED_BYTES_MAX[stream])) return;
    line.waiting[stream].push(rest);
    line.bytes[stream] += rest.length;
    this.#pump();
  }

  /** @param {Line} line in whose place another is asked for */
  #end(line) {
    this.#lines.get(line.from)?.delete(line.n);
    this.#join(line, null);
  }

  #all() {
    return [...this.#lines.values()].flatMap((lines) => [...lines.values()]);
  }

  /**
   * @param {Line} line
   * @param {Line | null} other
   */
  #join(line, other) {
    if (line.other === other) return;
    const before = line.other !== null;
    // What waits was for who is no longer there.
    Object.assign(line, { other, waiting: [[], []], bytes: [0, 0] });
    if (before) line.from.say({ t: 'carry', n: line.n, ok: false });
    if (other) line.from.say({ t: 'carry', n: line.n, ok: true });
  }

  /** Send on what may go now. */
  #pump() {
    this.#fill();
    // One stream after the other: text of all goes before anybody's files.
    for (const stream of /** @type {const} */ ([0, 1])) {
      for (let sent = true; sent && this.#bits > 0;) sent = this.#round(stream);
    }
    const waits = this.#all().some(({ bytes }) => bytes[0] + bytes[1] > 0);
    if (waits) {
      this.#timer ??= setInterval(() => this.#pump(), PUMP_MS);
    } else {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
  }

  /** What was not used counts for BURST_MS, no longer. */
  #fill() {
    const now = Date.now();
    const rate = this.#around.bits() * SHARE;
    const gained = (rate * Math.max(0, now - this.#bitsMs)) / 1000;
    this.#bits = Math.min(this.#bits + gained, (rate * BURST_MS) / 1000);
    this.#bitsMs = now;
  }

  /**
   * One frame of each line whose turn it is.
   * @param {Stream} stream
   * @returns {boolean} whether anything went
   */
  #round(stream) {
    const lines = this.#all();
    let sent = false;
    for (let count = 0; count < lines.length && this.#bits > 0; count += 1) {
      this.#turn = (this.#turn + 1) % lines.length;
      sent = this.#pass(/** @type {Line} */ (lines[this.#turn]), stream) || sent;
    }
    return sent;
  }

  /**
   * @param {Line} line
   * @param {Stream} stream
   * @returns {boolean} whether a frame went
   */
  #pass({ from, n, other, waiting, bytes }, stream) {
    const [rest] = waiting[stream];
    if (!rest || !other || this.#wire.queued(other.from) > BUFFERED_BYTES_MAX) return false;
    if (!this.#wire.send(other.from, other.n, stream, rest)) return false;
    waiting[stream].shift();
    bytes[stream] -= rest.length;
    // The bucket may owe for the last frame, and waits the longer for the next.
    this.#bits -= (rest.length + HEAD_BYTES + CREDIT_BYTES) * 8;
    from.say({ t: 'carry-credit', n, stream, bytes: rest.length });
    return true;
  }

  /** Tell this page's person for whom we pass on. */
  #tell() {
    /** @type {import('./carry.js').Pair[]} */
    const pairs = [];
    for (const { from, on, other } of this.#all()) {
      if (!other || !(on || other.on)) continue;
      const known = pairs.some((pair) => pair.includes(from.person) && pair.includes(other.from.person));
      const [first, second] = [from.person, other.from.person].sort((a, b) => a.joined - b.joined);
      if (!known && first && second) pairs.push([first, second]);
    }
    const told = pairs.map((pair) => pair.map(({ id }) => id).join(' ')).sort().join();
    if (told === this.#told) return;
    this.#told = told;
    this.#around.told(pairs);
  }
}

export { QUEUED_BYTES_MAX };

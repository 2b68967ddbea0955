/* rate: how many bits and pixels a second there are, from what the network and the
 * encoder did with the last ones. Pure but for what it remembers; time is handed in. */

const BITS_MIN = 100_000;
const BITS_MAX = 10_000_000;
const GROWTH = 1.08;
const GROW_MS = 5_000;
const FALL = 0.85;
const FALL_MS = 2_000;
const LOSS_GOOD = 0.02;
const LOSS_BAD = 0.05;
/** A round trip varies by this much without meaning anything. */
const RTT_GOOD_SLACK_MS = 40;
const RTT_BAD_SLACK_MS = 80;
/** One long round trip may be a busy processor's, a queue that stands is longer each time. */
const SLOW_MS = 1_500;
/** Connections share a line badly: their browsers keep the queue short, and one starves without loss. */
const SHORT = 0.7;
const SHORT_MS = 4_000;
/** Reports of the lines don't come at the same moment. */
const BAD_MS = 2_500;
/** The least round trip is one of this time; paths change. */
const LEAST_MS = 60_000;
/** A line's own limit is forgotten when it has grown beyond this. */
const LINE_BITS_MAX = 2_000_000;

/**
 * @typedef {object} Line what was measured of the way to one person
 * @property {string} key
 * @property {number | null} loss of what we send, 0 to 1
 * @property {number | null} rttMs null where none was measured since the last time
 * @property {number} up bits a second that went out
 * @property {number} [given] bits a second that might have
 * @property {boolean} [held] whether the browser held them back for the line's sake
 */

/** @typedef {{bits: number, fellMs: number, grewMs: number}} Limit */

export class Rate {
  /** For everybody together. @type {Limit} */
  #all;
  /** @type {Map<string, {badMs: number, slowMs: number | null, shortMs: number | null, leasts: {ms: number, rttMs: number}[], own: Limit | null}>} */
  #lines = new Map();

  /** @param {number} bits to begin with */
  constructor(bits) {
    this.#all = { bits, fellMs: -Infinity, grewMs: 0 };
  }

  get bits() {
    return this.#all.bits;
  }

  /**
   * What one person's own line takes.
   * @param {string} key
   */
  bitsMax(key) {
    return this.#lines.get(key)?.own?.bits ?? Infinity;
  }

  /**
   * @param {number} nowMs
   * @param {Line[]} lines
   * @param {number} wanted what all would take
   */
  update(nowMs, lines, wanted) {
    for (const key of this.#lines.keys()) if (!lines.some((line) => line.key === key)) this.#lines.delete(key);
    const judged = lines.map((line) => ({ line, ...this.#judge(nowMs, line) }));
    const bad = judged.filter(({ isBad }) => isBad);
    const most = (/** @type {typeof judged} */ those) => those.length * 2 > lines.length;
    // What all lines suffer from is ours; what one suffers from is its own, unless the others aren't well either.
    const suffering = judged.filter(({ isBad, isShort }) => isBad || isShort);
    const isOurs = bad.some(({ known }) => !known.own) && most(judged.filter(({ isGood }) => !isGood));
    if (most(suffering) || isOurs) {
      // What nobody wants isn't what was too much.
      fall(this.#all, nowMs, Math.max(wanted, BITS_MIN));
    } else {
      for (const { line, known } of bad) {
        known.own ??= { bits: Math.max(line.up, line.given ?? 0, BITS_MIN), fellMs: -Infinity, grewMs: nowMs };
        fall(known.own, nowMs, Infinity);
      }
    }
    for (const { isGood, known } of judged) {
      if (!known.own || !isGood) continue;
      grow(known.own, nowMs);
      if (known.own.bits > LINE_BITS_MAX) known.own = null;
    }
    const well = judged.length > 0 && judged.every(({ isGood, known }) => isGood || known.own);
    if (well && bad.length === 0 && this.#all.bits < wanted) grow(this.#all, nowMs);
  }

  /**
   * @param {number} nowMs
   * @param {Line} line
   */
  #judge(nowMs, { key, loss, rttMs, up, given = 0, held = false }) {
    const known = this.#lines.get(key) ?? { badMs: -Infinity, slowMs: null, shortMs: null, leasts: [], own: null };
    this.#lines.set(key, known);
    if (rttMs !== null) {
      // Ascending in time and in value: the first is the least of its time.
      known.leasts = [...known.leasts.filter(({ ms, rttMs: own }) => ms > nowMs - LEAST_MS && own < rttMs), { ms: nowMs, rttMs }];
    }
    const least = known.leasts[0]?.rttMs ?? 0;
    const now = rttMs ?? 0;
    const slow = rttMs !== null && rttMs > Math.max(2 * least, least + RTT_BAD_SLACK_MS);
    const badNow = (loss ?? 0) > LOSS_BAD || (slow && known.slowMs !== null && nowMs - known.slowMs >= SLOW_MS);
    if (rttMs !== null) known.slowMs = slow ? known.slowMs ?? nowMs : null;
    if (badNow) known.badMs = nowMs;
    const short = held && up < given * SHORT;
    known.shortMs = short ? known.shortMs ?? nowMs : null;
    const isShort = known.shortMs !== null && nowMs - known.shortMs >= SHORT_MS;
    const isGood = !held && (loss ?? 0) < LOSS_GOOD && now < Math.max(1.5 * least, least + RTT_GOOD_SLACK_MS);
    return { known, isBad: nowMs - known.badMs < BAD_MS, isShort, isGood };
  }
}

/**
 * @param {Limit} limit
 * @param {number} nowMs
 * @param {number} used what there was use for
 */
function fall(limit, nowMs, used) {
  if (nowMs - limit.fellMs < FALL_MS) return;
  const bits = Math.max(BITS_MIN, Math.min(limit.bits, used) * FALL);
  Object.assign(limit, { bits, fellMs: nowMs, grewMs: nowMs });
}

/**
 * @param {Limit} limit
 * @param {number} nowMs
 */
function grow(limit, nowMs) {
  if (nowMs - limit.grewMs < GROW_MS) return;
  Object.assign(limit, { bits: Math.min(BITS_MAX, limit.bits * GROWTH), grewMs: nowMs });
}

const FRAMES_BAD = 0.8;
const FRAMES_GOOD = 0.95;
const BUSY_GOOD = 0.4;
const BAD_FOR_MS = 3_000;
const GOOD_FOR_MS = 10_000;
const SETTLE_MS = 5_000;
const EFFORT_MIN = 1 / 16;
const EFFORT_MAX = 4;

/** How much the encoder can do, since browsers don't tell that they can't keep up. */
export class Effort {
  /** 1 is what is decided for so many people. */
  part = 1;
  /** @type {number | null} */
  #badMs = null;
  /** @type {number | null} */
  #goodMs = null;
  #changedMs = -Infinity;

  /**
   * @param {number} nowMs
   * @param {{asked: number, source: number | null, fps: number, busy: number, limitedBy: string}[]} streams
   *   pictures that should be moving: frames a second asked for, there were at the source, were
   *   encoded; busy is seconds of encoding in a second
   */
  update(nowMs, streams) {
    if (nowMs - this.#changedMs < SETTLE_MS) return;
    // Where the network is the limit, frames are left out for its sake.
    const own = streams.filter(({ limitedBy }) => limitedBy !== 'bandwidth');
    const asked = own.reduce((sum, one) => sum + Math.min(one.asked, one.source ?? one.asked), 0);
    const made = own.reduce((sum, { fps }) => sum + fps, 0);
    const busy = own.reduce((sum, one) => sum + one.busy, 0);
    const known = asked > 0;
    const bad = known && made < asked * FRAMES_BAD;
    const good = known && made >= asked * FRAMES_GOOD && busy < BUSY_GOOD;
    this.#badMs = bad ? this.#badMs ?? nowMs : null;
    this.#goodMs = good ? this.#goodMs ?? nowMs : null;
    if (this.#badMs !== null && nowMs - this.#badMs >= BAD_FOR_MS) this.#set(nowMs, this.part / 2);
    if (this.#goodMs !== null && nowMs - this.#goodMs >= GOOD_FOR_MS) this.#set(nowMs, this.part * 1.25);
  }

  /**
   * @param {number} nowMs
   * @param {number} part
   */
  #set(nowMs, part) {
    this.part = Math.min(EFFORT_MAX, Math.max(EFFORT_MIN, part));
    this.#changedMs = nowMs;
    this.#badMs = null;
    this.#goodMs = null;
  }
}

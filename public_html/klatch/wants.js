/* wants: the sizes in which this page shows the others' pictures, told to each of them.
 * Damped, so that a window that is being resized doesn't shake everybody's encoders:
 * at most one change in 2 s, hidden after 2 s, shown at once. Numbered, since a repeated
 * one mustn't undo a later one, and repeated, since a channel can be another by then. */

const CHANGE_MS = 2_000;
const HIDE_MS = 2_000;
const REPEAT_MS = 10_000;
/** While the page has said nothing of a person: as large as there is. */
const SIZE_MAX = 4;

/** @typedef {{size: number, screen: number}} Sizes */

/**
 * @template {object} K
 */
export class Wants {
  /** @type {Map<K, {now: Sizes, told: Sizes | null, n: number, toldMs: number, sinceMs: number}>} */
  #all = new Map();

  /**
   * The page shows a picture in this size now.
   * @param {K} key
   * @param {Partial<Sizes>} sizes
   * @param {number} nowMs
   */
  set(key, sizes, nowMs) {
    const want = this.#of(key);
    const next = { ...want.now, ...sizes };
    if (same(next, want.now)) return;
    want.now = next;
    want.sinceMs = nowMs;
  }

  /** @param {K} key */
  forget(key) {
    this.#all.delete(key);
  }

  /**
   * Tell it again, whatever was told: the way to them is new.
   * @param {K} key
   */
  again(key) {
    this.#of(key).told = null;
  }

  /**
   * What is to be told to whom now.
   * @param {number} nowMs
   * @param {number} most the largest size that is asked for at all
   * @returns {[K, Sizes & {n: number}][]}
   */
  due(nowMs, most = SIZE_MAX) {
    /** @type {[K, Sizes & {n: number}][]} */
    const due = [];
    for (const [key, want] of this.#all) {
      const sizes = { size: Math.min(want.now.size, most), screen: most === 0 ? 0 : want.now.screen };
      if (!isDue(want, sizes, nowMs)) continue;
      if (!want.told || !same(sizes, want.told)) want.n += 1;
      want.told = sizes;
      want.toldMs = nowMs;
      due.push([key, { ...sizes, n: want.n }]);
    }
    return due;
  }

  /** @param {K} key */
  #of(key) {
    const known = this.#all.get(key);
    if (known) return known;
    const fresh = { now: { size: SIZE_MAX, screen: SIZE_MAX }, told: null, n: 0, toldMs: -Infinity, sinceMs: -Infinity };
    this.#all.set(key, fresh);
    return fresh;
  }
}

/**
 * @param {{told: Sizes | null, toldMs: number, sinceMs: number}} want
 * @param {Sizes} sizes
 * @param {number} nowMs
 */
function isDue({ told, toldMs, sinceMs }, sizes, nowMs) {
  if (!told) return true;
  if (same(sizes, told)) return nowMs - toldMs >= REPEAT_MS;
  const appears = (told.size === 0 && sizes.size > 0) || (told.screen === 0 && sizes.screen > 0);
  if (appears) return true;
  if (nowMs - toldMs < CHANGE_MS) return false;
  const hides = sizes.size === 0 || sizes.screen === 0;
  return !hides || nowMs - sinceMs >= HIDE_MS;
}

/**
 * @param {Sizes} a
 * @param {Sizes} b
 */
function same(a, b) {
  return a.size === b.size && a.screen === b.screen;
}

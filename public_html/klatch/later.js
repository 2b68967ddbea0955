/* later: a part that is loaded when it is first wanted, so that nobody waits for it before.
 * What it is told until it is there is kept and then told in the same order. Where it
 * can't be loaded (offline, or the site was updated) that is told once, and it is tried
 * again; everything else goes on without it. */

import { KlatchProblem } from './problem.js';

const AGAIN_MS = 5_000;
const AGAIN_MS_MAX = 60_000;
/** The oldest is let go: what is told is repeated, or of no use any more. */
const KEPT_MAX = 1_000;

/**
 * @template T
 * @param {() => Promise<T>} load one import()
 * @param {string} name for logs
 * @returns {Promise<T>}
 * @throws {KlatchProblem} not-loaded
 */
export async function loadPart(load, name) {
  try {
    return await load();
  } catch (error) {
    // Some browsers keep a failure for as long as the page lives, and name the address they keep it for.
    const [address] = /https?:\S+\.js\b/.exec(String(error)) ?? [];
    try {
      // The marks tell bundlers that there is nothing to be bundled.
      if (address) return await import(/* @vite-ignore */ /* webpackIgnore: true */ `${address}?${Date.now()}`);
    } catch {
      // The first error says it.
    }
    throw new KlatchProblem('not-loaded', { detail: name, transient: true, cause: error });
  }
}

/** @template T */
export class Later {
  #load;
  #failed;
  /** @type {T | null} */
  #part = null;
  /** @type {Promise<T> | null} */
  #loading = null;
  /** @type {((part: T) => void)[]} */
  #kept = [];
  #telling = false;
  #failures = 0;
  #closed = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {() => Promise<T>} load by loadPart
   * @param {(problem: KlatchProblem) => void} failed once until it is there
   */
  constructor(load, failed) {
    this.#load = load;
    this.#failed = failed;
  }

  /** @returns {T | null} null while it isn't there */
  get part() {
    return this.#part;
  }

  /**
   * @returns {Promise<T>}
   * @throws {KlatchProblem} not-loaded; the next call tries again
   */
  open() {
    this.#loading ??= this.#try();
    return this.#loading;
  }

  /**
   * Work with it, in the order of calling, at once when it is there.
   * @param {(part: T) => void} work
   */
  tell(work) {
    if (this.#closed && !this.#loading) return;
    this.#kept.push(work);
    if (this.#kept.length > KEPT_MAX) this.#kept.shift();
    if (this.#part) this.#tellAll(this.#part);
    else if (this.#timer === undefined) this.open().catch(() => {});
  }

  /** @param {(part: T) => void} work for which it need not be loaded */
  tellIfWanted(work) {
    if (this.#loading || this.#kept.length > 0) this.tell(work);
  }

  /** @param {(part: T) => void} work the last; what isn't there by now is not waited for */
  close(work) {
    this.#closed = true;
    clearTimeout(this.#timer);
    if (this.#loading) this.tell(work);
    else this.#kept = [];
  }

  async #try() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    try {
      const part = await this.#load();
      this.#part = part;
      queueMicrotask(() => this.#tellAll(part));
      return part;
    } catch (error) {
      this.#loading = null;
      if (this.#closed) this.#kept = [];
      else this.#again(error);
      throw error;
    }
  }

  /** @param {unknown} error */
  #again(error) {
    if (this.#failures === 0 && error instanceof KlatchProblem) this.#failed(error);
    this.#timer = setTimeout(() => this.open().catch(() => {}), Math.min(AGAIN_MS_MAX, AGAIN_MS * 2 ** this.#failures));
    this.#failures += 1;
  }

  /** @param {T} part */
  #tellAll(part) {
    if (this.#telling) return;
    this.#telling = true;
    try {
      for (let work = this.#kept.shift(); work; work = this.#kept.shift()) work(part);
    } finally {
      this.#telling = false;
    }
  }
}

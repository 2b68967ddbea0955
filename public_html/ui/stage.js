// What is large, and how loud each person is here. Known to this page alone and for as long as
// the call lasts.
import { Speakers } from './speakers.js';

/** @typedef {{volume: number, silenced: boolean}} Hearing */

/** @type {Readonly<Hearing>} */
const PLAIN = Object.freeze({ volume: 1, silenced: false });

export class Stage {
  speakers = new Speakers();
  /** Whether who speaks is large. */
  spotlight = false;
  /** The key of the tile that the person chose. @type {object | null} */
  pinned = null;
  /** @type {WeakMap<object, Hearing>} */
  #hearing = new WeakMap();
  /** A screen's tile is known by this, its person's by the person. @type {WeakMap<object, object>} */
  #screens = new WeakMap();

  /** @param {object} person @returns {object} the key of their screen's tile */
  screenOf(person) {
    const key = this.#screens.get(person) ?? { screenOf: person };
    this.#screens.set(person, key);
    return key;
  }

  /** @param {object} key of a tile; again to let go */
  pin(key) {
    this.pinned = this.pinned === key ? null : key;
  }

  /** @param {object} person @returns {Hearing} */
  hearing(person) {
    return this.#hearing.get(person) ?? PLAIN;
  }

  /** @param {object} person @param {Partial<Hearing>} change */
  hear(person, change) {
    this.#hearing.set(person, { ...this.hearing(person), ...change });
  }

  /**
   * The tile to show large: the pinned one, else the screen that was shared last, else who speaks.
   * @param {{key: object, screen: boolean, mine: boolean}[]} tiles
   * @returns {object | null} its key
   */
  large(tiles) {
    const has = (/** @type {object | null} */ key) => tiles.some((tile) => tile.key === key);
    if (has(this.pinned)) return this.pinned;
    const screen = tiles.filter((tile) => tile.screen && !tile.mine).at(-1);
    if (screen) return screen.key;
    return this.spotlight && tiles.length > 2 && has(this.speakers.main) ? this.speakers.main : null;
  }
}

/* later: a part that is loaded when it is first wanted, so that nobody waits for it before. */

/** @template T */
export class Later {
  #load;
  /** @type {Promise<T> | null} */
  #loaded = null;

  /** @param {() => Promise<T>} load */
  constructor(load) {
    this.#load = load;
  }

  /** @returns {Promise<T>} rejects when it can't be loaded now; the next call tries again */
  open() {
    this.#loaded ??= this.#load().catch((error) => {
      this.#loaded = null;
      throw error;
    });
    return this.#loaded;
  }

  /**
   * Work with it, in the order of calling, and not at all when it can't be loaded.
   * @param {(part: T) => void} work
   */
  tell(work) {
    this.open().then(work, () => {});
  }

  /** @param {(part: T) => void} work for which it need not be loaded */
  tellIfWanted(work) {
    if (this.#loaded) this.tell(work);
  }
}

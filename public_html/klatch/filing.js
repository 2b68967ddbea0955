/* filing: the way to files.js, which is loaded when somebody is there to send files to. */

/** @typedef {import('./files.js').Files} Files */
/** @typedef {import('./member.js').Member} Member */

export class Filing {
  #around;
  /** @type {Promise<Files> | null} */
  #files = null;
  #closed = false;

  /** @param {import('./files.js').Around} around */
  constructor(around) {
    this.#around = around;
  }

  /**
   * @returns {Promise<Files>} rejects when the module can't be loaded now
   */
  open() {
    this.#files ??= this.#load();
    return this.#files;
  }

  async #load() {
    try {
      const { Files } = await import('./files.js');
      const files = new Files(this.#around);
      if (this.#closed) files.close();
      return files;
    } catch (error) {
      this.#files = null;
      throw error;
    }
  }

  /** @param {Member} member whose channel is open (again) */
  opened(member) {
    this.#tell((files) => files.opened(member));
  }

  /**
   * @param {Member} member
   * @param {Record<string, any>} value
   * @returns {boolean} whether it was about files
   */
  heard(member, value) {
    if (typeof value.t !== 'string' || !value.t.startsWith('file-')) return false;
    this.#tell((files) => files.heard(member, value));
    return true;
  }

  /** @param {Member} member who is gone */
  forget(member) {
    if (this.#files) this.#tell((files) => files.forget(member));
  }

  close() {
    this.#closed = true;
    if (this.#files) this.#tell((files) => files.close());
  }

  /**
   * In the order of calling. What comes while the module can't be had is offered again
   * on the pair's next channel.
   * @param {(files: Files) => void} work
   */
  #tell(work) {
    this.open().then(work, () => {});
  }
}

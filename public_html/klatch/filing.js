/* filing: the way to files.js, which is loaded when somebody is there to send files to. */

import { Later } from './later.js';

/** @typedef {import('./files.js').Files} Files */
/** @typedef {import('./member.js').Member} Member */

export class Filing {
  /** @type {Later<Files>} */
  #files;

  /** @param {import('./files.js').Around} around */
  constructor(around) {
    this.#files = new Later(async () => {
      const { Files } = await import('./files.js');
      return new Files(around);
    });
  }

  /** @returns {Promise<Files>} rejects when the module can't be loaded now */
  open() {
    return this.#files.open();
  }

  /** @param {Member} member whose channel is open (again) */
  opened(member) {
    this.#files.tell((files) => files.opened(member));
  }

  /**
   * What is lost since the module can't be had is offered again on the pair's next channel.
   * @param {Member} member
   * @param {Record<string, any>} value
   * @returns {boolean} whether it was about files
   */
  heard(member, value) {
    if (typeof value.t !== 'string' || !value.t.startsWith('file-')) return false;
    this.#files.tell((files) => files.heard(member, value));
    return true;
  }

  /** @param {Member} member who is gone */
  forget(member) {
    this.#files.tellIfWanted((files) => files.forget(member));
  }

  close() {
    this.#files.tellIfWanted((files) => files.close());
  }
}

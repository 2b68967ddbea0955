/* filing: the way to files.js, which is loaded when somebody is there to send files to. */

import { Later, loadPart } from './later.js';

/** @typedef {import('./files.js').Files} Files */
/** @typedef {import('./member.js').Member} Member */

export class Filing {
  /** @type {Later<Files>} */
  #files;

  /**
   * @param {import('./files.js').Around} around
   * @param {(problem: import('./problem.js').KlatchProblem) => void} failed when it can't be loaded
   */
  constructor(around, failed) {
    this.#files = new Later(async () => {
      const { Files } = await loadPart(() => import('./files.js'), 'files');
      return new Files(around);
    }, failed);
  }

  /**
   * @returns {Promise<Files>}
   * @throws {import('./problem.js').KlatchProblem} not-loaded
   */
  open() {
    return this.#files.open();
  }

  /** @param {Member} member whose channel is open (again) */
  opened(member) {
    this.#files.tell((files) => files.opened(member));
  }

  /**
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
    this.#files.close((files) => files.close());
  }
}

/* sha256: SHA-256 of what comes in pieces, which no browser has by itself. The package is
 * loaded with the first file. */

import { toBase64url } from './bytes.js';

/** @typedef {{update: (bytes: Uint8Array) => unknown, digest: () => Uint8Array}} Hash */

export class Sha256 {
  #hash;

  /** @param {Hash} hash */
  constructor(hash) {
    this.#hash = hash;
  }

  /** @returns {Promise<Sha256>} */
  static async load() {
    const { sha256 } = await import('../vendor/noble-hashes/sha2.js');
    return new Sha256(sha256.create());
  }

  /** @param {Uint8Array} bytes */
  update(bytes) {
    this.#hash.update(bytes);
  }

  /** The end: nothing can be added. @returns {string} base64url */
  digest() {
    return toBase64url(this.#hash.digest());
  }
}

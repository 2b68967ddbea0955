/* carried-seal: what seals that which a third member passes on between two, WebCrypto alone.
 *
 * Each page draws a P-256 pair when it first needs it. Two pages tell each other the public
 * halves once, by mailbox, never through who passes on: in a sealed room in sealed letters,
 * so that nobody else can take part; in an open room as they are, so that whoever runs the
 * server could put keys of their own in their place. The member who passes on can't.
 *
 *   pair  = HKDF-SHA-256(ECDH, salt "klatch/1 " + room, info "klatch/1 carry " + room + " " + from + " " + to),
 *           from and to the public keys in base64url
 *   frame = counter (8 bytes, big-endian), AES-256-GCM(pair, 3 zero bytes, the stream and the counter, part)
 *           with "klatch/1 carry\n" + room + "\n" + sender + "\n" + addressee + "\n" + stream + "\n" + counter
 *           as additional data, sender and addressee the page loads' instances
 *
 * Counters go up by one, for each stream and direction, for as long as the keys live: they
 * never begin again with the same two pages. */

import { fromBase64url, toBase64url } from './bytes.js';
import { KlatchProblem } from './problem.js';

const CURVE = { name: 'ECDH', namedCurve: 'P-256' };
const COUNTER_BYTES = 8;

/** @typedef {import('./carry.js').Stream} Stream */

/** This page's half. */
export class CarriedKeys {
  #keys;
  #room;

  /** @param {{keys: CryptoKeyPair, pub: string, room: string}} parts */
  constructor({ keys, pub, room }) {
    this.#keys = keys;
    this.#room = room;
    this.pub = pub;
  }

  /** @param {string} room */
  static async make(room) {
    const keys = await crypto.subtle.generateKey(CURVE, false, ['deriveBits']);
    const pub = toBase64url(new Uint8Array(await crypto.subtle.exportKey('raw', keys.publicKey)));
    return new CarriedKeys({ keys, pub, room });
  }

  /**
   * @param {string} pub the other page's
   * @param {string} mine instance
   * @param {string} theirs instance
   * @returns {Promise<PairSeal>}
   * @throws where it is no key, or our own
   */
  async pair(pub, mine, theirs) {
    // Both directions would have one key.
    if (pub === this.pub) throw new KlatchProblem('seal-broken');
    const theirKey = await crypto.subtle.importKey('raw', fromBase64url(pub), CURVE, false, []);
    const shared = await crypto.subtle.deriveBits({ name: 'ECDH', public: theirKey }, this.#keys.privateKey, 256);
    const material = await crypto.subtle.importKey('raw', shared, 'HKDF', false, ['deriveKey']);
    const salt = utf8(`klatch/1 ${this.#room}`);
    const key = (/** @type {string} */ from, /** @type {string} */ to, /** @type {KeyUsage} */ usage) => {
      const how = { name: 'HKDF', hash: 'SHA-256', salt, info: utf8(`klatch/1 carry ${this.#room} ${from} ${to}`) };
      return crypto.subtle.deriveKey(how, material, { name: 'AES-GCM', length: 256 }, false, [usage]);
    };
    const out = await key(this.pub, pub, 'encrypt');
    const into = await key(pub, this.pub, 'decrypt');
    return new PairSeal({ out, into, names: [this.#room, mine, theirs] });
  }
}

export class PairSeal {
  #out;
  #into;
  #names;
  /** The next counter of each stream. */
  #next = [0, 0];
  /** The highest counter of text that was taken: no hello has it or a lower one. */
  heard = -1;

  /** @param {{out: CryptoKey, into: CryptoKey, names: [room: string, mine: string, theirs: string]}} parts */
  constructor({ out, into, names }) {
    this.#out = out;
    this.#into = into;
    this.#names = names;
  }

  /** @param {Stream} stream */
  next(stream) {
    return Number(this.#next[stream]);
  }

  /**
   * @param {Stream} stream
   * @param {Uint8Array<ArrayBuffer>} part
   * @returns {Promise<Uint8Array>} counter and what is sealed
   */
  async seal(stream, part) {
    const counter = this.next(stream);
    this.#next[stream] = counter + 1;
    const [room, mine, theirs] = this.#names;
    const sealed = await crypto.subtle.encrypt(algorithm([room, mine, theirs], stream, counter), this.#out, part);
    const rest = new Uint8Array(COUNTER_BYTES + sealed.byteLength);
    new DataView(rest.buffer).setBigUint64(0, BigInt(counter));
    rest.set(new Uint8Array(sealed), COUNTER_BYTES);
    return rest;
  }

  /**
   * @param {Stream} stream
   * @param {Uint8Array} rest
   * @returns {Promise<{counter: number, part: Uint8Array<ArrayBuffer>}>}
   * @throws where it isn't what was sealed, or for others
   */
  async open(stream, rest) {
    const head = new DataView(rest.buffer, rest.byteOffset);
    const counter = Number(head.getBigUint64(0));
    const [room, mine, theirs] = this.#names;
    const how = algorithm([room, theirs, mine], stream, counter);
    const part = await crypto.subtle.decrypt(how, this.#into, rest.slice(COUNTER_BYTES));
    return { counter, part: new Uint8Array(part) };
  }
}

/**
 * @param {[room: string, from: string, to: string]} names
 * @param {Stream} stream
 * @param {number} counter
 * @returns {AesGcmParams}
 */
function algorithm([room, from, to], stream, counter) {
  const iv = new Uint8Array(12);
  iv[3] = stream;
  new DataView(iv.buffer).setBigUint64(4, BigInt(counter));
  return { name: 'AES-GCM', iv, additionalData: utf8(`klatch/1 carry\n${room}\n${from}\n${to}\n${stream}\n${counter}`) };
}

/** @param {string} text */
const utf8 = (text) => new TextEncoder().encode(text);

/* sealed: the cryptography of a sealed room, WebCrypto alone.
 *
 * The link's secret is known to the members and never sent. From it comes one key for
 * what members say of themselves at joining (the card): a name, and the public half of
 * a P-256 pair that each page load draws. For each pair of pages and each direction
 * there is a key of its own, out of ECDH and the secret: who has the link can't read
 * what two others send each other, and who reads the mailbox can't read anything.
 *
 *   base   = HKDF-SHA-256(secret, salt SHA-256("klatch/1 " + room), info "meta")
 *   card   = 0x01, nonce (12 random bytes), AES-256-GCM(base, nonce, JSON of the card)
 *            with "klatch/1 meta\n" + room as additional data
 *   pair   = HKDF-SHA-256(ECDH, salt secret, info "klatch/1 pair " + room + " " + from + " " + to),
 *            from and to the public keys in base64url
 *   letter = 0x01, counter (8 bytes, big-endian), AES-256-GCM(pair, 4 zero bytes and the counter,
 *            JSON of {type, body}), with "klatch/1 mail\n" + room + "\n" + sender + "\n" + addressee
 *            + "\n" + counter as additional data, sender and addressee their ids in the room
 *
 * All travels as `{s: base64url}`. The first byte's upper bits are zero, so that the text begins with
 * a letter: OWASP's rule set takes some texts that don't for SQL. The keys die with the page, so a
 * counter never repeats under one key. */

import { KlatchProblem } from './problem.js';
import { fromBase64url, toBase64url } from './bytes.js';

const VERSION = 1;
const NONCE_BYTES = 12;
const CARD_HEAD_BYTES = 1 + NONCE_BYTES;
const LETTER_HEAD_BYTES = 1 + 8;
/** How far behind the newest a letter may come. */
const WINDOW = 1024;
const CURVE = { name: 'ECDH', namedCurve: 'P-256' };

/** @typedef {import('./seal.js').Sealed} Sealed */
/** @typedef {{id: string, pub: string}} Page a member's id in the room and its public key */
/** @typedef {{type: string, body: any} | 'replayed' | 'broken'} Opened */

/** Counters that came from one page. */
class Seen {
  #highest = -1;
  /** @type {Set<number>} */
  #counters = new Set();

  /** @param {number} counter @returns {boolean} whether it is one that came, or too old to tell */
  has(counter) {
    return counter <= this.#highest - WINDOW || this.#counters.has(counter);
  }

  /** @param {number} counter */
  add(counter) {
    this.#counters.add(counter);
    this.#highest = Math.max(this.#highest, counter);
    if (this.#counters.size <= WINDOW * 2) return;
    for (const one of this.#counters) if (one <= this.#highest - WINDOW) this.#counters.delete(one);
  }
}

export class Sealer {
  #subtle;
  #room;
  #secret;
  #keys;
  #base;
  #random;
  /** By direction and public key. @type {Map<string, Promise<CryptoKey>>} */
  #pairs = new Map();
  /** The next counter for each public key. @type {Map<string, number>} */
  #counters = new Map();
  /** By public key. @type {Map<string, Seen>} */
  #seen = new Map();

  /**
   * @param {{subtle: SubtleCrypto, room: string, secret: BufferSource, keys: CryptoKeyPair, base: CryptoKey,
   *   pub: string, random: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>}} parts
   */
  constructor({ subtle, room, secret, keys, base, pub, random }) {
    this.#subtle = subtle;
    this.#room = room;
    this.#secret = secret;
    this.#keys = keys;
    this.#base = base;
    this.#random = random;
    /** This page's public key. */
    this.pub = pub;
  }

  /**
   * @param {object} options
   * @param {string} options.room
   * @param {string} options.secret the link's, base64url
   * @param {CryptoKeyPair} [options.keys] for tests; else a pair whose private half can't be read
   * @param {(bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>} [options.random] for tests
   * @returns {Promise<Sealer>}
   * @throws {KlatchProblem} sealed-insecure where the browser gives the page no cryptography
   */
  static async make({ room, secret, keys, random = (bytes) => crypto.getRandomValues(bytes) }) {
    const subtle = globalThis.crypto?.subtle;
    if (!subtle) throw new KlatchProblem('sealed-insecure');
    const bytes = fromBase64url(secret);
    const pair = keys ?? await subtle.generateKey(CURVE, false, ['deriveBits']);
    const pub = toBase64url(new Uint8Array(await subtle.exportKey('raw', pair.publicKey)));
    const salt = await subtle.digest('SHA-256', utf8(`klatch/1 ${room}`));
    const base = await derive(subtle, bytes, salt, 'meta', ['encrypt', 'decrypt']);
    return new Sealer({ subtle, room, secret: bytes, keys: pair, base, pub, random });
  }

  /**
   * What this page says of itself to everybody with the link.
   * @param {object} card
   * @returns {Promise<Sealed>}
   */
  async card(card) {
    const nonce = this.#random(new Uint8Array(NONCE_BYTES));
    const whole = { ...card, pub: this.pub };
    const algorithm = { name: 'AES-GCM', iv: nonce, additionalData: this.#cardData() };
    return pack([nonce], await this.#subtle.encrypt(algorithm, this.#base, utf8(JSON.stringify(whole))));
  }

  /**
   * @param {Sealed} envelope
   * @returns {Promise<any>} undefined where it was sealed with another secret, or was changed
   */
  async openCard({ s }) {
    try {
      const bytes = unpack(s, CARD_HEAD_BYTES);
      const algorithm = { name: 'AES-GCM', iv: bytes.slice(1, CARD_HEAD_BYTES), additionalData: this.#cardData() };
      return fromUtf8(await this.#subtle.decrypt(algorithm, this.#base, bytes.slice(CARD_HEAD_BYTES)));
    } catch {
      return undefined;
    }
  }

  /**
   * @param {string} self our id in the room
   * @param {Page} to
   * @param {string} type
   * @param {unknown} body
   * @returns {Promise<Sealed>}
   */
  async seal(self, to, type, body) {
    const counter = this.#counters.get(to.pub) ?? 0;
    this.#counters.set(to.pub, counter + 1);
    const key = await this.#pair(this.pub, to.pub);
    const algorithm = this.#letter(counter, self, to.id);
    const sealed = await this.#subtle.encrypt(algorithm, key, utf8(JSON.stringify({ type, body })));
    return pack([counterBytes(counter)], sealed);
  }

  /**
   * @param {string} self our id in the room
   * @param {Page} from
   * @param {Sealed} envelope
   * @returns {Promise<Opened>} replayed is nothing to speak of, since mailboxes do that by design
   */
  async open(self, from, { s }) {
    try {
      const bytes = unpack(s, LETTER_HEAD_BYTES);
      const head = new DataView(bytes.buffer);
      const counter = head.getUint32(1) * 2 ** 32 + head.getUint32(5);
      const seen = this.#seen.get(from.pub) ?? new Seen();
      if (seen.has(counter)) return 'replayed';
      const key = await this.#pair(from.pub, this.pub);
      const algorithm = this.#letter(counter, from.id, self);
      const { type, body } = fromUtf8(await this.#subtle.decrypt(algorithm, key, bytes.slice(LETTER_HEAD_BYTES)));
      if (typeof type !== 'string') return 'broken';
      seen.add(counter);
      this.#seen.set(from.pub, seen);
      return { type, body };
    } catch {
      return 'broken';
    }
  }

  #cardData() {
    return utf8(`klatch/1 meta\n${this.#room}`);
  }

  /**
   * @param {number} counter
   * @param {string} from
   * @param {string} to
   * @returns {AesGcmParams}
   */
  #letter(counter, from, to) {
    const iv = new Uint8Array(NONCE_BYTES);
    iv.set(counterBytes(counter), 4);
    return { name: 'AES-GCM', iv, additionalData: utf8(`klatch/1 mail\n${this.#room}\n${from}\n${to}\n${counter}`) };
  }

  /**
   * @param {string} from one of the two is this page
   * @param {string} to
   * @returns {Promise<CryptoKey>}
   */
  #pair(from, to) {
    const name = `${from} ${to}`;
    const known = this.#pairs.get(name);
    if (known) return known;
    const made = this.#derivePair(from, to);
    this.#pairs.set(name, made);
    return made;
  }

  /** @param {string} from @param {string} to */
  async #derivePair(from, to) {
    // One's own card under another id: both directions would have one key.
    if (from === to) throw new KlatchProblem('seal-broken');
    const other = from === this.pub ? to : from;
    const pub = await this.#subtle.importKey('raw', fromBase64url(other), CURVE, false, []);
    const shared = await this.#subtle.deriveBits({ name: 'ECDH', public: pub }, this.#keys.privateKey, 256);
    const info = `klatch/1 pair ${this.#room} ${from} ${to}`;
    return derive(this.#subtle, shared, this.#secret, info, [from === this.pub ? 'encrypt' : 'decrypt']);
  }
}

/**
 * @param {SubtleCrypto} subtle
 * @param {BufferSource} material
 * @param {BufferSource} salt
 * @param {string} info
 * @param {KeyUsage[]} usages
 * @returns {Promise<CryptoKey>}
 */
async function derive(subtle, material, salt, info, usages) {
  const from = await subtle.importKey('raw', material, 'HKDF', false, ['deriveKey']);
  const algorithm = { name: 'HKDF', hash: 'SHA-256', salt, info: utf8(info) };
  return subtle.deriveKey(algorithm, from, { name: 'AES-GCM', length: 256 }, false, usages);
}

/** @param {number} counter @returns {Uint8Array<ArrayBuffer>} 8 bytes, big-endian */
function counterBytes(counter) {
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, Math.floor(counter / 2 ** 32));
  view.setUint32(4, counter % 2 ** 32);
  return bytes;
}

/**
 * @param {Uint8Array<ArrayBuffer>[]} head
 * @param {ArrayBuffer} sealed
 * @returns {Sealed}
 */
function pack(head, sealed) {
  const parts = [Uint8Array.of(VERSION), ...head, new Uint8Array(sealed)];
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return { s: toBase64url(bytes) };
}

/**
 * @param {string} text
 * @param {number} headBytes
 * @returns {Uint8Array<ArrayBuffer>}
 * @throws where it is none of ours
 */
function unpack(text, headBytes) {
  const bytes = fromBase64url(text);
  if (bytes[0] !== VERSION || bytes.length <= headBytes) throw new KlatchProblem('seal-broken');
  return bytes;
}

/** @param {string} text */
const utf8 = (text) => new TextEncoder().encode(text);

/** @param {ArrayBuffer} bytes @returns {any} the JSON in it */
const fromUtf8 = (bytes) => JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));

/* carried-way: a way to a member through another one, which stands where a connection's
 * channels would: text that is said, and a channel for files. Messages are cut into parts,
 * so that text never waits for a whole piece of a file. */

/** A part of a message is so long at most. */
const PART_BYTES = 8 * 1024;
/** A longer message is none of ours. */
const MESSAGE_BYTES_MAX = 64 * 1024;
const PARTS_MAX = MESSAGE_BYTES_MAX / PART_BYTES;
/** What has no path goes at the cost of who passes it on. */
const FILE_BYTES_MAX = 50_000_000;
export const TEXT = 0;
export const FILES = 1;
/** The first byte of each part. More parts follow only after `more`. */
export const KINDS = Object.freeze({ hello: 0, more: 1, text: 2, bytes: 3 });
/** What is said besides is of no use without a connection. */
const CARRIED = /^(chat|got|writing|file-[a-z]+)$/;

/** @typedef {import('./carry.js').Stream} Stream */

/** As much of an RTCDataChannel as bulk.js uses. */
class CarriedChannel extends EventTarget {
  /** @type {RTCDataChannelState} */
  readyState = 'open';
  binaryType = 'arraybuffer';
  bufferedAmount = 0;
  bufferedAmountLowThreshold = 0;
  #send;

  /** @param {(kind: number, bytes: Uint8Array) => void} send */
  constructor(send) {
    super();
    this.#send = send;
  }

  /** @param {string | Uint8Array} data */
  send(data) {
    if (this.readyState !== 'open') throw new DOMException('the way is closed', 'InvalidStateError');
    if (typeof data === 'string') this.#send(KINDS.text, new TextEncoder().encode(data));
    else this.#send(KINDS.bytes, data);
  }

  /** @param {number} bytes more or fewer that wait */
  wait(bytes) {
    const before = this.bufferedAmount;
    this.bufferedAmount += bytes;
    const low = this.bufferedAmountLowThreshold;
    if (before > low && this.bufferedAmount <= low) this.dispatchEvent(new Event('bufferedamountlow'));
  }

  close() {
    this.readyState = 'closed';
    this.dispatchEvent(new Event('close'));
  }
}

export class Way {
  fileBytesMax = FILE_BYTES_MAX;
  channel = new CarriedChannel((kind, bytes) => this.#put(FILES, kind, bytes));
  /** Parts that wait, of each stream. @type {[Uint8Array<ArrayBuffer>[], Uint8Array<ArrayBuffer>[]]} */
  #waiting = [[], []];
  /** What has come of a message. @type {[Uint8Array[], Uint8Array[]]} */
  #parts = [[], []];
  #push;
  #said;

  /**
   * @param {{push: () => void, said: (value: Record<string, any>) => void}} to push: there is something
   *   to send; said: something came for who listens to the member
   */
  constructor({ push, said }) {
    this.#push = push;
    this.#said = said;
  }

  /**
   * @param {object} value
   * @returns {boolean} whether it goes
   */
  say(value) {
    if (!CARRIED.test(/** @type {any} */ (value).t)) return false;
    this.#put(TEXT, KINDS.text, new TextEncoder().encode(JSON.stringify(value)));
    return true;
  }

  /**
   * @param {Stream} stream
   * @returns {number} how long the next part is, 0 where there is none
   */
  next(stream) {
    return this.#waiting[stream][0]?.length ?? 0;
  }

  /**
   * @param {Stream} stream
   * @returns {Uint8Array<ArrayBuffer> | undefined} the next part, to be sent now
   */
  take(stream) {
    const part = this.#waiting[stream].shift();
    if (part && stream === FILES) this.channel.wait(-part.length);
    return part;
  }

  /**
   * @param {Stream} stream
   * @param {Uint8Array<ArrayBuffer>} part
   * @returns {boolean} whether it was one
   */
  receive(stream, part) {
    const [kind] = part;
    const parts = this.#parts[stream];
    parts.push(part.subarray(1));
    const bytes = parts.reduce((sum, { length }) => sum + length, 0);
    if (bytes > MESSAGE_BYTES_MAX || parts.length > PARTS_MAX) return false;
    if (kind === KINDS.more) return true;
    if (kind !== KINDS.text && kind !== KINDS.bytes) return false;
    const whole = new Uint8Array(bytes);
    let at = 0;
    for (const one of parts.splice(0)) {
      whole.set(one, at);
      at += one.length;
    }
    const data = kind === KINDS.text ? new TextDecoder().decode(whole) : whole.buffer;
    if (stream === FILES) this.channel.dispatchEvent(new MessageEvent('message', { data }));
    else if (typeof data === 'string') this.#heard(data);
    return true;
  }

  close() {
    this.#waiting = [[], []];
    this.channel.close();
  }

  /**
   * @param {Stream} stream
   * @param {number} kind
   * @param {Uint8Array} bytes
   */
  #put(stream, kind, bytes) {
    for (let at = 0; at === 0 || at < bytes.length; at += PART_BYTES) {
      const piece = bytes.subarray(at, at + PART_BYTES);
      const part = new Uint8Array(piece.length + 1);
      part[0] = at + PART_BYTES < bytes.length ? KINDS.more : kind;
      part.set(piece, 1);
      this.#waiting[stream].push(part);
      if (stream === FILES) this.channel.wait(part.length);
    }
    this.#push();
  }

  /** @param {string} text */
  #heard(text) {
    let value;
    try {
      value = JSON.parse(text);
    } catch {
      return;
    }
    if (typeof value?.t === 'string' && CARRIED.test(value.t)) this.#said(value);
  }
}

/* carry: text and files for two members with no path between them go through a third, who
 * has a connection to both. This is both sides of it: carried.js is for who has no path,
 * carrier.js for who passes on.
 *
 * Over the channel for text a member asks another {t: 'carry?', n, to, on}: will you pass on
 * between me and the page load `to`; n is the asker's number for that line, `on` whether it
 * is used. When both ends have asked and both are connected the answer is {t: 'carry', n, ok},
 * again when it changes. {t: 'carry-off', n} ends a line. {t: 'carry-credit', n, stream, bytes}
 * tells the asker that so much has been passed on, so that more may come.
 *
 * What is passed on goes by a channel of its own, in frames:
 *   1 byte    0 to be passed on, 1 passed on
 *   4 bytes   n: the sender's number of the line, then the receiver's
 *   1 byte    stream: 0 text, which goes first, 1 files
 *   8 bytes   counter
 *   the rest  sealed for the pair (carried-seal.js)
 * The one who passes on changes the first five bytes and reads no more than the stream. */

import { Carried } from './carried.js';
import { Carrier } from './carrier.js';

const HEAD_BYTES = 6;
const COUNTER_BYTES = 8;
/** A part of a message, its kind and the seal's tag. */
const REST_BYTES_MAX = COUNTER_BYTES + 8 * 1024 + 1 + 16;
const TO_PASS = 0;
const PASSED = 1;

/** @typedef {import('./member.js').Member} Member */
/** @typedef {import('./member.js').Person} Person */
/** @typedef {[Person, Person]} Pair two for whom we pass on */
/** @typedef {0 | 1} Stream */

/**
 * @typedef {object} Around
 * @property {string} room
 * @property {string} instance this page load
 * @property {() => Member[]} members everybody else, in the order of joining
 * @property {(member: Member) => boolean} earlier whether somebody was here before us
 * @property {(member: Member, body: object) => void} tellKey by the mailbox
 * @property {(type: any, detail: any) => void} emit
 * @property {(member: Member) => void} changed how a member is reached
 * @property {(member: Member) => void} greet there is a way to that member (again)
 * @property {(member: Member, value: Record<string, any>) => void} take what a member said
 * @property {(member: Member, code: string) => void} broken what isn't as it was sealed
 * @property {() => number} bits a second that this page may send
 * @property {(pairs: Pair[]) => void} told for whom we pass on now
 */

export class Carry {
  #carried;
  #carrier;
  /** The channel that is listened to. @type {WeakMap<Member, RTCDataChannel>} */
  #channels = new WeakMap();

  /** @param {Around} around */
  constructor(around) {
    this.#carried = new Carried(around, {
      listen: (member) => void this.#channel(member),
      send: (...frame) => this.#send(TO_PASS, ...frame),
    });
    this.#carrier = new Carrier(around, {
      listen: (member) => void this.#channel(member),
      send: (...frame) => this.#send(PASSED, ...frame),
      queued: (member) => this.#channel(member)?.bufferedAmount ?? 0,
    });
  }

  /** Something is different with somebody. */
  look() {
    this.#carrier.look();
    this.#carried.look();
  }

  /** @param {Member} member whose channel is another one now */
  opened(member) {
    this.#carrier.forget(member);
    this.#carried.anew(member);
  }

  /**
   * @param {Member} member
   * @param {Record<string, any>} value
   */
  heard(member, { t, n, to, on, ok, stream, bytes }) {
    if (!Number.isInteger(n) || n < 0 || n >= 2 ** 32 || member.instance === null) return;
    if (t === 'carry?' && typeof to === 'string') this.#carrier.asked(member, n, to, on === true);
    else if (t === 'carry-off') this.#carrier.ended(member, n);
    else if (t === 'carry') this.#carried.answered(member, n, ok === true);
    else if (t === 'carry-credit') this.#carried.credited(member, n, stream, bytes);
  }

  /**
   * @param {Member} member
   * @param {any} value
   */
  mailed(member, value) {
    this.#carried.mailed(member, value);
  }

  /** @param {Member} member who is gone */
  forget(member) {
    this.#carrier.forget(member);
    this.#carried.forget(member);
  }

  close() {
    this.#carrier.close();
    this.#carried.close();
  }

  /**
   * The channel of the member's present connection. Both have to make it before anything comes.
   * @param {Member} member
   */
  #channel(member) {
    const channel = member.carry;
    if (!channel || this.#channels.get(member) === channel) return channel;
    this.#channels.set(member, channel);
    channel.binaryType = 'arraybuffer';
    channel.addEventListener('message', ({ data }) => {
      if (data instanceof ArrayBuffer && member.carry === channel) this.#frame(member, data);
    });
    channel.addEventListener('open', () => this.look());
    return channel;
  }

  /**
   * @param {number} way
   * @param {Member} member
   * @param {number} n
   * @param {Stream} stream
   * @param {Uint8Array} rest counter and what is sealed
   * @returns {boolean} whether the channel took it
   */
  #send(way, member, n, stream, rest) {
    const channel = this.#channel(member);
    if (!channel || (channel.readyState !== 'open' && !(way === TO_PASS && channel.readyState === 'connecting'))) return false;
    const whole = new Uint8Array(HEAD_BYTES + rest.length);
    const head = new DataView(whole.buffer);
    head.setUint8(0, way);
    head.setUint32(1, n);
    head.setUint8(5, stream);
    whole.set(rest, HEAD_BYTES);
    try {
      // An end has credit for little, and no other turn comes for it.
      if (channel.readyState === 'connecting') channel.addEventListener('open', () => channel.send(whole), { once: true });
      else channel.send(whole);
      return true;
    } catch {
      return false;
    }
  }

  /**
   * @param {Member} member
   * @param {ArrayBuffer} data
   */
  #frame(member, data) {
    const length = data.byteLength - HEAD_BYTES;
    if (length <= COUNTER_BYTES || length > REST_BYTES_MAX) return;
    const head = new DataView(data);
    const [way, n, stream] = [head.getUint8(0), head.getUint32(1), head.getUint8(5)];
    if (stream !== 0 && stream !== 1) return;
    const rest = new Uint8Array(data, HEAD_BYTES);
    if (way === TO_PASS) this.#carrier.came(member, n, stream, rest);
    else if (way === PASSED) this.#carried.came(member, n, stream, rest);
  }
}

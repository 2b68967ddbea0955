/* channel-line: one channel between this page and one other.
 *
 * Each side has a data channel of its own for what it sends, agreed on over the connection's first:
 * {t: 'channel', name, id, s, ordered, retransmits} says that this page has the channel open, sends
 * by the data channel `id`, and numbers its messages from one under the word `s`; {t:
 * 'channel-ready', name, s} that the other page has it open too and listens to that one. Who doesn't
 * have it open says nothing, and says the first when it opens it. {t: 'channel-close', name} ends it.
 *
 * Where nothing may be lost each message is kept until its number came back, and sent again over
 * the next connection; who receives takes each number once. Where messages may be lost they go
 * over the present connection, or not at all. */

import { pack, unpack } from './channel-frames.js';

/** @typedef {import('./member.js').Member} Member */
/** @typedef {import('./channel-frames.js').Frame} Frame */
/** @typedef {import('./channel-frames.js').Packed} Packed */
/** @typedef {ReturnType<typeof import('./channel-frames.js').copyData>} Data */

/** What is kept for one person until it has come; more isn't taken. */
const KEPT_BYTES_MAX = 1024 * 1024;
const KEPT_MAX = 1024;
/** What a data channel is given ahead, and what may wait that nobody need stop for. */
const AHEAD_BYTES_MAX = 256 * 1024;
const AHEAD_BYTES_LOW = 64 * 1024;
/** Of what may be lost, less is better: what waits is old. */
const LOSSY_BYTES_MAX = 64 * 1024;
/** Until the other side listens. */
const LOSSY_KEPT_MAX = 64;
const ACK_MS = 50;
const ACKS_MAX = 128;
/** More than can be under way twice. */
const SEEN_MAX = 8 * KEPT_MAX;
const SESSION_CHARACTERS_MAX = 32;

/** The data channels' ids: below are the SDK's own. */
const ID_FIRST = 16;
export const NUMBERS_MAX = 64;

/**
 * @typedef {object} LineOptions
 * @property {string} name
 * @property {number} number of this page's channel, among all that it ever opened in this room
 * @property {boolean} odd which half of the ids is this page's, with this person
 * @property {RTCDataChannelInit} init how what is sent goes
 * @property {Member} member
 * @property {() => string} word another one each time, of all that this page ever said
 * @property {number} graceMs how long there may be no path
 * @property {() => void} joined they have it open
 * @property {(reason: string) => void} parted closed, or no-path: what was not confirmed may be lost
 * @property {(frame: Frame) => void} heard
 * @property {() => void} drained
 */

export class Line {
  #options;
  /** What the numbers stand under. */
  #session;
  #count = 0;
  /** The last that the present connection was given. */
  #given = 0;
  /** Not confirmed yet, or waiting. @type {Map<number, Packed>} */
  #kept = new Map();
  #keptBytes = 0;
  /** Whether so much waited that the end of it is told. */
  #full = false;
  /** Whether there was no path, so that the connection has to be told anew, should it be the former one. */
  #apart = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #giving;
  /** Whether the other side listens to the data channel. */
  #ready = false;
  /** @type {RTCDataChannel | null} */
  #out = null;
  /** Theirs. */
  #theirs = { session: '', seen: /** @type {Set<number>} */ (new Set()) };
  /** @type {RTCDataChannel | null} */
  #in = null;
  /** @type {number[]} */
  #acks = [];
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #ended = false;
  /** Ends the listening to the present data channel, of theirs and of this page's. */
  #hearing = new AbortController();
  #sending = new AbortController();
  /** Whether the other page has the channel open. */
  present = false;

  /** @param {LineOptions} options */
  constructor(options) {
    this.#options = options;
    this.#session = options.word();
  }

  get member() {
    return this.#options.member;
  }

  /** What waits here, in bytes. */
  get buffered() {
    // What a former connection didn't send isn't waited for.
    return this.#reliable || !this.#out || !this.#ready ? this.#keptBytes : this.#out.bufferedAmount;
  }

  /** Whether it is better to wait before more is sent. */
  get full() {
    return this.buffered > (this.#reliable ? AHEAD_BYTES_MAX : LOSSY_BYTES_MAX);
  }

  get #reliable() {
    return this.#options.init.maxRetransmits === undefined;
  }

  /** A new connection's first channel is open: nothing of the former one's counts. */
  opened() {
    this.#ready = false;
    this.#apart = false;
    clearTimeout(this.#giving);
    this.announce();
  }

  /** Say that this page has the channel open. */
  announce() {
    const { member, name, number, odd, init } = this.#options;
    const id = ID_FIRST + 2 * number + Number(odd);
    const said = member.connected || member.beating;
    const out = said ? member.beside('klatch-data', id, init) : null;
    if (!out) return;
    if (out !== this.#out) this.#use(out);
    member.sayDirect({ t: 'channel', name, id, s: this.#session, ordered: init.ordered, retransmits: init.maxRetransmits });
  }

  /** @param {Record<string, any>} value the other page's word about this channel */
  told(value) {
    if (value.t === 'channel') this.#hear(value);
    else if (value.t === 'channel-close') this.part('closed');
    else if (value.s === this.#session && !this.#ready) {
      this.#ready = true;
      this.#given = 0;
      this.#pump();
    }
  }

  /**
   * @param {Frame} head
   * @param {Data} [data]
   * @returns {boolean} whether it was taken; false where there is no connection, or too much waits
   */
  send(head, data) {
    if (!this.present) return false;
    return this.#reliable ? this.#keep({ ...head, n: this.#count + 1 }, data) : this.#dash(pack(head, data));
  }

  /** Their state has changed. */
  updated() {
    if (this.member.person.state === 'no-path') {
      // Another connection begins where one has failed for good: it may only be a moment.
      if (!this.#apart) this.#giving = setTimeout(() => this.part('no-path'), this.#options.graceMs);
      this.#apart = true;
    } else if (this.#apart && this.member.connected) {
      this.opened();
    }
  }

  /** @param {string} reason they are not in this channel any more */
  part(reason) {
    clearTimeout(this.#giving);
    this.#session = this.#options.word();
    this.#count = 0;
    this.#ready = false;
    this.#kept.clear();
    this.#keptBytes = 0;
    this.#relieve();
    if (!this.present) return;
    this.present = false;
    this.#options.parted(reason);
  }

  /** This page has it no longer. */
  end() {
    this.#ended = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#giving);
    this.#options.member.sayDirect({ t: 'channel-close', name: this.#options.name });
    this.#sending.abort();
    this.#hearing.abort();
    this.#out = null;
    this.#in = null;
  }

  /** @param {RTCDataChannel} out the present connection's */
  #use(out) {
    this.#out = out;
    out.binaryType = 'arraybuffer';
    out.bufferedAmountLowThreshold = AHEAD_BYTES_LOW;
    this.#sending.abort();
    this.#sending = new AbortController();
    const { signal } = this.#sending;
    for (const type of ['open', 'bufferedamountlow']) out.addEventListener(type, () => out === this.#out && this.#pump(), { signal });
    out.addEventListener('message', ({ data }) => out === this.#out && this.#confirmed(unpack(data)), { signal });
  }

  /** @param {Record<string, any>} value what data channel is theirs */
  #hear({ id, s, ordered, retransmits }) {
    const { member, name, odd } = this.#options;
    const mine = Number.isSafeInteger(id) && id % 2 === Number(odd);
    if (!Number.isSafeInteger(id) || id < ID_FIRST || id >= ID_FIRST + 2 * NUMBERS_MAX || mine) return;
    if (typeof s !== 'string' || s === '' || s.length > SESSION_CHARACTERS_MAX) return;
    const lossy = Number.isSafeInteger(retransmits) && retransmits >= 0 && retransmits <= 65_535;
    const channel = member.beside('klatch-data', id, { ordered: ordered !== false, ...(lossy ? { maxRetransmits: retransmits } : {}) });
    if (!channel) return;
    if (channel !== this.#in) {
      this.#in = channel;
      channel.binaryType = 'arraybuffer';
      // They may name one and another again, as often as they like.
      this.#hearing.abort();
      this.#hearing = new AbortController();
      const { signal } = this.#hearing;
      channel.addEventListener('message', ({ data }) => channel === this.#in && this.#take(unpack(data)), { signal });
    }
    if (s !== this.#theirs.session) {
      this.#theirs = { session: s, seen: new Set() };
      this.#acks = [];
      // What they sent before under another word may be lost.
      if (this.present) {
        this.present = false;
        this.#options.parted('no-path');
      }
    }
    member.sayDirect({ t: 'channel-ready', name, s });
    if (!this.present) {
      this.present = true;
      this.#options.joined();
    }
    if (!this.#ready && !this.#ended) this.announce();
  }

  /**
   * @param {Frame} head
   * @param {Data} [data]
   */
  #keep(head, data) {
    if (this.#kept.size >= KEPT_MAX || this.#keptBytes >= KEPT_BYTES_MAX) return false;
    const packed = pack(head, data);
    this.#kept.set(this.#count += 1, packed);
    this.#keptBytes += packed.length;
    this.#full ||= this.full;
    this.#pump();
    return true;
  }

  /** @param {Packed} packed what may be lost */
  #dash(packed) {
    const { member } = this.#options;
    if (!this.#ready) {
      if (!member.connected || this.#kept.size >= LOSSY_KEPT_MAX) return false;
      this.#kept.set(this.#count += 1, packed);
      return true;
    }
    const given = member.connected && !this.full && this.#give(packed);
    this.#full ||= this.full;
    return given;
  }

  /** Give the data channel what there is place for. */
  #pump() {
    if (!this.#ready || this.#out?.readyState !== 'open') return;
    for (const [n, packed] of this.#kept) {
      if (n <= this.#given) continue;
      if (this.#out.bufferedAmount > AHEAD_BYTES_MAX || !this.#give(packed)) break;
      this.#given = n;
      if (!this.#reliable) this.#kept.delete(n);
    }
    this.#relieve();
  }

  /** @param {Packed} packed */
  #give(packed) {
    try {
      if (this.#out?.readyState !== 'open') return false;
      this.#out.send(/** @type {any} */ (packed));
      return true;
    } catch {
      // Its buffer is full, or it is closing.
      return false;
    }
  }

  /** @param {Frame | null} frame with numbers that have come there */
  #confirmed(frame) {
    if (!Array.isArray(frame?.k)) return;
    for (const n of frame.k) {
      this.#keptBytes -= this.#kept.get(n)?.length ?? 0;
      this.#kept.delete(n);
    }
    this.#pump();
  }

  #relieve() {
    if (!this.#full || this.full) return;
    this.#full = false;
    this.#options.drained();
  }

  /** @param {Frame | null} frame */
  #take(frame) {
    if (!frame || this.#ended) return;
    const { seen } = this.#theirs;
    if (frame.n !== undefined) {
      this.#acks.push(frame.n);
      if (this.#acks.length >= ACKS_MAX) this.#confirm();
      else this.#timer ??= setTimeout(() => this.#confirm(), ACK_MS);
      if (seen.has(frame.n)) return;
      seen.add(frame.n);
      const [oldest] = seen.size > SEEN_MAX ? seen : [];
      if (oldest !== undefined) seen.delete(oldest);
    }
    this.#options.heard(frame);
  }

  #confirm() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const k = this.#acks.splice(0);
    if (k.length === 0 || this.#in?.readyState !== 'open') return;
    try {
      this.#in.send(/** @type {string} */ (pack({ k })));
    } catch {
      // Its buffer is full: later, of all that the other side may still keep.
      this.#acks = k.slice(-KEPT_MAX);
      this.#timer = setTimeout(() => this.#confirm(), ACK_MS);
    }
  }
}

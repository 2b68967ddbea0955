/* files: files between people, each pair by a channel of its own, so that text stays quick.
 *
 * Over the channel for text: the sender offers {t: 'file-offer', id, name, size, type, private};
 * the receiver takes it {t: 'file-take', id, n, at}, from byte `at` on, where n numbers the
 * attempt; says what is written {t: 'file-ack', id, n, at}, and at the end {t: 'file-done', id}.
 * Either ends it by {t: 'file-stop', id, why}. Over the channel for files: pieces, each with its
 * attempt's n in front, then {t: 'end', n, hash} with the SHA-256 of the whole.
 *
 * Offers are made again on each new channel and a file that was coming is taken again from
 * the byte that has come, so that a connection's end costs no file.
 *
 * Nothing comes before it is taken. Whoever offers more than the bounds below is not heard. */

import { KlatchProblem } from './problem.js';
import { Bulk } from './bulk.js';
import { Incoming } from './file-incoming.js';
import { fits } from './file-way.js';
import { Outgoing } from './file-outgoing.js';
import { browserPlaces, memorySink, openSink, tooLarge } from './file-sinks.js';
import { cleanFileName, cleanFileType } from './file-names.js';
import { randomId } from './bytes.js';

export const OFFERS_OPEN_MAX = 20;
const OFFERS_A_MINUTE_MAX = 40;
const SHARES_MAX = 200;
const TICK_MS = 500;
const TO_CARRY = 'Where there is no connection others pass files on, of at most 50 MB. A relay (TURN) helps.';
/** An hour at 1 Mbit/s is half of a gigabyte; what is more than this is a mistake. */
const SIZE_BYTES_MAX = 2 ** 40;

/** @typedef {import('./member.js').Member} Member */
/** @typedef {import('./member.js').Person} Person */
/** @typedef {import('./file-sinks.js').Sink} Sink */

/**
 * How far a file is on its way to one person.
 * offered: nobody has taken it yet; coming: bytes move; waiting: for the connection to come back;
 * done: it is there and whole; refused: the receiver didn't want it; stopped: one of both ended it;
 * failed: `why` says why.
 * @typedef {'offered' | 'coming' | 'waiting' | 'done' | 'refused' | 'stopped' | 'failed'} State
 */

/**
 * @typedef {object} Way
 * @property {Person} person who gets it, or whom it comes from
 * @property {State} state
 * @property {string} why hash, gone, space, unreadable, many or too-much, where it failed
 * @property {number} done bytes
 * @property {number} speed bytes a second
 */

/** A file as the page sees it; the object stays the same, 'file' tells that something in it changed. */
export class Share {
  /** @param {{id: string, name: string, size: number, type: string, mine: boolean, private: boolean}} what */
  constructor(what) {
    this.id = what.id;
    /** Cleaned: no folders, no controls. */
    this.name = what.name;
    this.size = what.size;
    this.type = what.type;
    this.mine = what.mine;
    this.private = what.private;
    this.time = Date.now();
    /** To whom it goes, one for each; of somebody else's file the one way to us. @type {Way[]} */
    this.ways = [];
    /** What can be shown or saved: our own file, or what came into a sink that keeps it. @type {Blob | null} */
    this.file = null;
  }
}

/**
 * @typedef {object} Around
 * @property {() => Member[]} members
 * @property {(type: 'file' | 'problem', detail: any) => void} emit
 * @property {() => import('./file-sinks.js').Places} [places] for tests
 */

export class Files {
  #around;
  /** Newest last. @type {Map<string, Share>} by id, of somebody else's with the sender's number before it */
  #shares = new Map();
  /** @type {Map<Member, {outgoing: Map<string, Outgoing>, incoming: Map<string, Incoming>, offersMs: number[]}>} */
  #pairs = new Map();
  /** @type {WeakMap<Member, Bulk>} */
  #bulks = new WeakMap();
  #attempts = 0;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #ticking;
  #closed = false;

  /** @param {Around} around */
  constructor(around) {
    this.#around = around;
  }

  /** All files of this call, oldest first. */
  get shares() {
    return [...this.#shares.values()];
  }

  /**
   * Offer a file.
   * @param {File} file
   * @param {Person | null} [to] one person alone; everybody who is here now unless told
   * @returns {Share}
   * @throws {KlatchProblem} peer-not-found, file-too-large; file-too-large-to-carry where nobody else gets it
   */
  offer(file, to = null) {
    const all = this.#around.members().filter(({ person, instance }) => instance !== null
      && (to === null || person === to));
    if (all.length === 0) throw new KlatchProblem('peer-not-found');
    if (file.size > SIZE_BYTES_MAX) throw tooLarge();
    const members = all.filter((member) => fits(file, member));
    const problem = members.length < all.length ? new KlatchProblem('file-too-large-to-carry', { detail: TO_CARRY }) : null;
    if (problem && members.length === 0) throw problem;
    if (problem) this.#around.emit('problem', { problem });
    const share = new Share({ id: randomId(8), name: cleanFileName(file.name), size: file.size,
      type: cleanFileType(file.type), mine: true, private: to !== null });
    share.file = file;
    this.#keep(share.id, share);
    for (const member of members) {
      const way = this.#way(share, member);
      const outgoing = new Outgoing({ share, way, file, member, bulk: () => this.#bulk(member),
        changed: () => this.#changed(share) });
      this.#pair(member).outgoing.set(share.id, outgoing);
      outgoing.offer();
    }
    this.#changed(share);
    return share;
  }

  /**
   * Take a file to where this browser can save it. Call it from a click: it may ask where.
   * @param {Share} share
   * @returns {Promise<boolean>} whether it comes now
   * @throws {KlatchProblem} file-no-space, file-too-large
   */
  async save(share) {
    const sink = await openSink(share, this.#around.places?.() ?? browserPlaces());
    if (sink) this.take(share, sink);
    return sink !== null;
  }

  /**
   * Take a small file into memory, to show it.
   * @param {Share} share
   */
  show(share) {
    this.take(share, memorySink(share));
  }

  /**
   * Take a file that somebody offers.
   * @param {Share} share
   * @param {Sink} sink where it goes
   */
  take(share, sink) {
    const incoming = this.#incoming(share);
    if (incoming) incoming.take(sink);
    else void sink.abort();
  }

  /**
   * Don't take it, or no longer; of one's own: to nobody any more.
   * @param {Share} share
   */
  stop(share) {
    for (const { outgoing } of this.#pairs.values()) outgoing.get(share.id)?.stop();
    if (!share.mine) this.#incoming(share)?.stop();
  }

  /** @param {Member} member whose channel is open (again) */
  opened(member) {
    const pair = this.#pairs.get(member);
    if (this.#closed || !pair) return;
    this.#bulk(member);
    // What is too large for this way waits for another.
    for (const outgoing of pair.outgoing.values()) if (outgoing.fits) outgoing.offer();
    for (const incoming of pair.incoming.values()) if (incoming.fits) incoming.resume();
  }

  /**
   * @param {Member} member
   * @param {Record<string, any>} value
   */
  heard(member, value) {
    if (this.#closed || typeof value.id !== 'string') return;
    const outgoing = this.#pairs.get(member)?.outgoing.get(value.id);
    const incoming = this.#pairs.get(member)?.incoming.get(value.id);
    switch (value.t) {
      case 'file-offer':
        if (incoming) incoming.offeredAgain();
        else this.#offered(member, value);
        break;
      case 'file-take':
        if (outgoing?.fits) outgoing.taken(value.n, value.at);
        break;
      case 'file-ack':
        outgoing?.written(value.n, value.at);
        break;
      case 'file-done':
        outgoing?.finished();
        break;
      case 'file-stop':
        outgoing?.stopped(value.why);
        incoming?.stopped(value.why);
        break;
      default:
    }
  }

  /** @param {Member} member who is gone */
  forget(member) {
    const pair = this.#pairs.get(member);
    if (!pair) return;
    this.#pairs.delete(member);
    this.#bulks.get(member)?.close();
    for (const way of [...pair.outgoing.values(), ...pair.incoming.values()]) way.gone();
  }

  close() {
    this.#closed = true;
    for (const member of [...this.#pairs.keys()]) this.forget(member);
    clearInterval(this.#ticking);
  }

  /**
   * @param {Member} member
   * @param {Record<string, any>} value
   */
  #offered(member, { id, name, size, type, private: alone }) {
    const known = typeof id === 'string' && id.length <= 32 && Number.isSafeInteger(size)
      && size >= 0 && size <= SIZE_BYTES_MAX && fits({ size }, member);
    if (!known) return;
    const pair = this.#pair(member);
    const now = Date.now();
    pair.offersMs = [...pair.offersMs.filter((ms) => now - ms < 60_000), now].slice(-OFFERS_A_MINUTE_MAX - 1);
    const open = [...pair.incoming.values()].filter((incoming) => incoming.open).length;
    if (open >= OFFERS_OPEN_MAX || pair.offersMs.length > OFFERS_A_MINUTE_MAX) {
      member.say({ t: 'file-stop', id, why: 'many' });
      return;
    }
    const share = new Share({ id, name: cleanFileName(name), size, type: cleanFileType(type), mine: false,
      private: alone === true });
    const way = this.#way(share, member);
    pair.incoming.set(id, new Incoming({ share, way, member, bulk: () => this.#bulk(member),
      attempt: () => (this.#attempts += 1), changed: () => this.#changed(share) }));
    this.#keep(`${randomId(8)} ${id}`, share);
    this.#changed(share);
  }

  /** @param {Share} share */
  #incoming(share) {
    for (const { incoming } of this.#pairs.values()) {
      const found = incoming.get(share.id);
      if (found?.share === share) return found;
    }
    return undefined;
  }

  /**
   * @param {string} key
   * @param {Share} share
   */
  #keep(key, share) {
    this.#shares.set(key, share);
    if (this.#shares.size <= SHARES_MAX) return;
    for (const [oldest, { ways }] of this.#shares) {
      if (ways.some(({ state }) => !isOver(state))) continue;
      this.#shares.delete(oldest);
      break;
    }
    // Their senders know what became of them.
    for (const { incoming, outgoing } of this.#pairs.values()) {
      for (const map of [incoming, outgoing]) {
        const [first] = [...map].filter(([, way]) => !way.open);
        if (map.size > SHARES_MAX && first) map.delete(first[0]);
      }
    }
  }

  /**
   * @param {Share} share
   * @param {Member} member
   * @returns {Way}
   */
  #way(share, { person }) {
    const way = { person, state: /** @type {State} */ ('offered'), why: '', done: 0, speed: 0 };
    share.ways.push(way);
    return way;
  }

  /** @param {Member} member */
  #pair(member) {
    const pair = this.#pairs.get(member) ?? { outgoing: new Map(), incoming: new Map(), offersMs: [] };
    this.#pairs.set(member, pair);
    return pair;
  }

  /**
   * The channel of the member's present connection.
   * @param {Member} member
   * @returns {Bulk | null}
   */
  #bulk(member) {
    const { bulk: channel } = member;
    const known = this.#bulks.get(member);
    if (known && known.channel === channel) return known;
    known?.close();
    if (!channel) return null;
    const bulk = new Bulk(channel, {
      piece: (n, bytes) => this.#attempt(member, n)?.piece(bytes),
      end: (n, hash) => this.#attempt(member, n)?.end(hash),
    });
    this.#bulks.set(member, bulk);
    return bulk;
  }

  /**
   * @param {Member} member
   * @param {number} n
   */
  #attempt(member, n) {
    for (const incoming of this.#pairs.get(member)?.incoming.values() ?? []) {
      if (incoming.n === n && incoming.open) return incoming;
    }
    return undefined;
  }

  /** @param {Share} share */
  #changed(share) {
    if (this.#closed) return;
    this.#around.emit('file', { share });
    const moving = (/** @type {Way} */ { state }) => state === 'coming' || state === 'waiting';
    if (!share.ways.some(moving)) return;
    this.#ticking ??= setInterval(() => this.#tick(), TICK_MS);
  }

  /** What moves is told at this pace, however many pieces come. */
  #tick() {
    let moving = false;
    for (const share of this.#shares.values()) {
      let told = false;
      for (const { outgoing, incoming } of this.#pairs.values()) {
        const one = share.mine ? outgoing.get(share.id) : incoming.get(share.id);
        if (one?.share === share && one.tick(TICK_MS)) told = true;
      }
      if (told) this.#around.emit('file', { share });
      moving ||= told;
    }
    if (moving) return;
    clearInterval(this.#ticking);
    this.#ticking = undefined;
  }
}

/** @param {State} state whether nothing will come of it any more */
export function isOver(state) {
  return state === 'done' || state === 'refused' || state === 'stopped' || state === 'failed';
}

/* carried: the end of a pair with no path. Finds a member who has a connection to both ends
 * and opens a way through that one.
 *
 * Both ends tell each other their keys by mailbox, then ask everybody they are connected to.
 * Of the pair, who joined earlier chooses: of those who say yes, who joined first, and that
 * one for as long as it says yes. The choice is told in a sealed hello through the chosen one,
 * with the next counter of the other stream, and answered by another. What comes by others is
 * of a former way and is dropped.
 *
 * Through one member frames come whole and in order, or that one is at fault: it is reported
 * and not used again by this pair, and the other end is told so by mailbox. */

import { FILES, KINDS, TEXT, Way } from './carried-way.js';
import { Keyring } from './carried-keys.js';
import { QUEUED_BYTES_MAX } from './carrier.js';

const HELLO_MS = 8_000;
const AGAIN_MS = 30_000;
/** Of a part: its counter and the seal's tag. */
const SEAL_BYTES = 8 + 16;
const FAULTY_MAX = 32;

/** @typedef {import('./member.js').Member} Member */
/** @typedef {import('./carry.js').Stream} Stream */
/** @typedef {import('./carried-seal.js').PairSeal} PairSeal */
/** @typedef {{ok: boolean | null, on: boolean, credit: [number, number]}} Asked of one who may pass on; ok is null before the answer */

/**
 * @typedef {object} Wire
 * @property {(member: Member) => void} listen for what comes from there
 * @property {(member: Member, n: number, stream: Stream, rest: Uint8Array) => boolean} send
 */

/** One member to whom there is no path. */
class Entry {
  /** @type {PairSeal | null} */
  seal = null;
  /** @type {Map<Member, Asked>} */
  asked = new Map();
  /** Through whom the way goes, or is being made. @type {Member | null} */
  carrier = null;
  /** @type {Way | null} */
  way = null;
  /** The counters that come next; null before the hello. @type {[number, number] | null} */
  expected = null;
  /** Page loads that lost or changed something. @type {Set<string>} */
  faulty = new Set();
  /** Who didn't lead to an answer of late. @type {Set<Member>} */
  tried = new Set();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  timer;
  out = Promise.resolve();
  into = Promise.resolve();

  /**
   * @param {Member} member
   * @param {number} n
   */
  constructor(member, n) {
    this.member = member;
    this.n = n;
  }
}

export class Carried {
  #around;
  #wire;
  /** @type {Map<Member, Entry>} */
  #entries = new Map();
  #lines = 0;
  #keys;
  #closed = false;

  /**
   * @param {import('./carry.js').Around} around
   * @param {Wire} wire
   */
  constructor(around, wire) {
    this.#around = around;
    this.#wire = wire;
    this.#keys = new Keyring(around);
  }

  /** Somebody's state may be another one. */
  look() {
    if (this.#closed) return;
    const members = this.#around.members();
    for (const [member, entry] of this.#entries) if (!members.includes(member) || !isApart(member)) this.#end(entry);
    for (const member of members) if (isApart(member)) this.#begin(member);
    for (const entry of this.#entries.values()) {
      this.#ask(entry, members);
      this.#choose(entry);
    }
  }

  /** @param {Member} member whose channel is another one now, on which nothing was asked */
  anew(member) {
    for (const entry of this.#entries.values()) {
      entry.asked.delete(member);
      entry.tried.delete(member);
    }
    this.look();
  }

  /** @param {Member} member who is gone */
  forget(member) {
    const entry = this.#entries.get(member);
    if (entry) this.#end(entry);
    this.anew(member);
  }

  close() {
    this.#closed = true;
    for (const entry of this.#entries.values()) {
      clearTimeout(entry.timer);
      entry.way?.close();
    }
    this.#entries.clear();
  }

  /**
   * @param {Member} by
   * @param {number} n
   * @param {boolean} ok
   */
  answered(by, n, ok) {
    const entry = this.#find(n);
    const asked = entry?.asked.get(by);
    if (!entry || !asked) return;
    if (ok) allow(asked);
    else asked.ok = false;
    this.#choose(entry);
  }

  /**
   * @param {Member} by
   * @param {number} n
   * @param {unknown} stream
   * @param {unknown} bytes
   */
  credited(by, n, stream, bytes) {
    const entry = this.#find(n);
    const credit = entry?.asked.get(by)?.credit;
    if (!entry || !credit || (stream !== TEXT && stream !== FILES) || !Number.isSafeInteger(bytes)) return;
    credit[stream] = Math.min(credit[stream] + Math.max(0, Number(bytes)), Number(QUEUED_BYTES_MAX[stream]));
    this.#pump(entry);
  }

  /**
   * The other end's key, and who was at fault.
   * @param {Member} member
   * @param {any} value
   */
  mailed(member, value) {
    if (!this.#keys.take(member, value)) return;
    const entry = this.#entries.get(member);
    if (!entry) return;
    const faulty = Array.isArray(value.without) ? value.without.slice(0, FAULTY_MAX) : [];
    for (const one of faulty) if (typeof one === 'string' && entry.faulty.size < FAULTY_MAX) entry.faulty.add(one);
    this.#seal(entry);
    this.#choose(entry);
  }

  /**
   * @param {Member} by
   * @param {number} n
   * @param {Stream} stream
   * @param {Uint8Array} rest
   */
  came(by, n, stream, rest) {
    const entry = this.#find(n);
    if (!entry) return;
    entry.into = entry.into.then(async () => {
      const { seal } = entry;
      if (!seal || !entry.asked.has(by) || entry.faulty.has(String(by.instance))) return;
      const opened = await seal.open(stream, rest).catch(() => null);
      if (!this.#lives(entry)) return;
      if (!opened) this.#fault(entry, by);
      else if (opened.part[0] === KINDS.hello && stream === TEXT) this.#greeted(entry, by, opened.counter, opened.part);
      else this.#received(entry, by, stream, opened.counter, opened.part);
    });
  }

  /** @param {number} n */
  #find(n) {
    return [...this.#entries.values()].find((entry) => entry.n === n);
  }

  /** @param {Entry} entry */
  #lives(entry) {
    return this.#entries.get(entry.member) === entry;
  }

  /** @param {Entry} entry whether it is ours to choose */
  #chooses(entry) {
    return !this.#around.earlier(entry.member);
  }

  /** @param {Member} member */
  #begin(member) {
    if (this.#entries.has(member)) return;
    const entry = new Entry(member, (this.#lines += 1));
    this.#entries.set(member, entry);
    void this.#keys.tell(member);
    this.#seal(entry);
  }

  /** @param {Entry} entry for which there is no need any more */
  #end(entry) {
    const { member, n } = entry;
    clearTimeout(entry.timer);
    this.#entries.delete(member);
    for (const by of entry.asked.keys()) by.say({ t: 'carry-off', n });
    if (!this.#shut(entry)) return;
    // What was under way goes on by the connection, if there is one.
    if (member.connected) this.#around.greet(member);
  }

  /** @param {Entry} entry which may have its key now */
  #seal(entry) {
    void this.#keys.seal(entry.member)?.then((seal) => {
      if (entry.seal || !this.#lives(entry)) return;
      entry.seal = seal;
      this.look();
    });
  }

  /**
   * Ask everybody who may have a connection to both.
   * @param {Entry} entry
   * @param {Member[]} members
   */
  #ask(entry, members) {
    for (const by of entry.asked.keys()) if (!by.connected || !members.includes(by)) entry.asked.delete(by);
    if (!entry.seal) return;
    for (const by of members) {
      if (by === entry.member || !by.connected || by.instance === null || entry.asked.has(by)) continue;
      entry.asked.set(by, { ok: null, on: false, credit: [0, 0] });
      this.#wire.listen(by);
      // Who never missed us would see no change, and not answer.
      by.say({ t: 'carry-off', n: entry.n });
      this.#say(entry, by, false);
    }
  }

  /**
   * @param {Entry} entry
   * @param {Member} by
   * @param {boolean} on
   */
  #say(entry, by, on) {
    const asked = entry.asked.get(by);
    if (!asked) return;
    asked.on = on;
    by.say({ t: 'carry?', n: entry.n, to: entry.member.instance, on });
  }

  /** @param {Entry} entry */
  #choose(entry) {
    const can = (/** @type {Member} */ by) => entry.asked.get(by)?.ok === true && !entry.faulty.has(String(by.instance));
    if (entry.carrier && can(entry.carrier)) {
      this.#pump(entry);
      return;
    }
    this.#shut(entry);
    if (!this.#chooses(entry) || !entry.seal) return;
    const [first] = [...entry.asked.keys()].filter((by) => can(by) && !entry.tried.has(by)).sort(inOrder);
    if (!first) return;
    this.#use(entry, first);
    void this.#hello(entry, first);
    clearTimeout(entry.timer);
    entry.timer = setTimeout(() => {
      if (this.#lives(entry) && entry.carrier === first && !entry.way) this.#without(entry, first);
    }, HELLO_MS);
  }

  /**
   * @param {Entry} entry
   * @param {Member} by
   */
  #use(entry, by) {
    this.#shut(entry);
    entry.carrier = by;
    this.#say(entry, by, true);
  }

  /**
   * It doesn't go by this member now.
   * @param {Entry} entry
   * @param {Member} by
   */
  #without(entry, by) {
    entry.tried.add(by);
    this.#shut(entry);
    this.#choose(entry);
    if (entry.carrier) return;
    clearTimeout(entry.timer);
    entry.timer = setTimeout(() => {
      entry.tried.clear();
      this.look();
    }, AGAIN_MS);
  }

  /**
   * @param {Entry} entry
   * @param {Member} by
   */
  #hello(entry, by) {
    entry.out = entry.out.then(async () => {
      const { seal } = entry;
      const credit = entry.asked.get(by)?.credit;
      if (!seal || !credit || entry.carrier !== by || !this.#lives(entry)) return;
      const part = new Uint8Array(9);
      part[0] = KINDS.hello;
      new DataView(part.buffer).setBigUint64(1, BigInt(seal.next(FILES)));
      credit[TEXT] -= part.length + SEAL_BYTES;
      this.#out(entry, by, TEXT, await seal.seal(TEXT, part));
    });
    return entry.out;
  }

  /**
   * @param {Entry} entry
   * @param {Member} by
   * @param {number} counter
   * @param {Uint8Array} part
   */
  #greeted(entry, by, counter, part) {
    const { seal, member } = entry;
    if (!seal || part.length !== 9) return;
    if (counter <= seal.heard) {
      this.#fault(entry, by);
      return;
    }
    const chooses = this.#chooses(entry);
    if (chooses && by !== entry.carrier) return;
    seal.heard = counter;
    const asked = entry.asked.get(by);
    // What is passed on may overtake the answer, which comes by another channel.
    if (asked?.ok === null) allow(asked);
    if (!asked?.ok) return;
    if (!chooses) {
      this.#use(entry, by);
      void this.#hello(entry, by);
    }
    clearTimeout(entry.timer);
    entry.tried.clear();
    entry.expected = [counter + 1, Number(new DataView(part.buffer, part.byteOffset).getBigUint64(1))];
    entry.way?.close();
    const way = new Way({
      push: () => this.#pump(entry),
      said: (value) => this.#around.take(member, value),
    });
    entry.way = way;
    member.way = way;
    member.person.via = by.person;
    this.#changed(member);
    this.#around.greet(member);
  }

  /**
   * @param {Entry} entry
   * @param {Member} by
   * @param {Stream} stream
   * @param {number} counter
   * @param {Uint8Array<ArrayBuffer>} part
   */
  #received(entry, by, stream, counter, part) {
    const { way, expected, seal } = entry;
    if (by !== entry.carrier || !way || !expected || !seal) return;
    const good = counter === expected[stream] && way.receive(stream, part);
    expected[stream] = counter + 1;
    if (stream === TEXT) seal.heard = Math.max(seal.heard, counter);
    if (!good) this.#fault(entry, by);
  }

  /**
   * What came by this member was changed, lost on the way, or came a second time.
   * @param {Entry} entry
   * @param {Member} by
   */
  #fault(entry, by) {
    const { member } = entry;
    if (entry.faulty.size >= FAULTY_MAX) return;
    entry.faulty.add(String(by.instance));
    this.#around.broken(member, 'seal-broken');
    void this.#keys.tell(member, [...entry.faulty]);
    this.#choose(entry);
  }

  /**
   * @param {Entry} entry
   * @returns {boolean} whether there was a way
   */
  #shut(entry) {
    const { way, member, carrier } = entry;
    if (carrier && entry.asked.get(carrier)?.on) this.#say(entry, carrier, false);
    entry.carrier = null;
    entry.expected = null;
    entry.way = null;
    if (!way) return false;
    member.way = null;
    member.person.via = null;
    way.close();
    this.#changed(member);
    return true;
  }

  /**
   * At the end of this turn: who is told looks at everybody again.
   * @param {Member} member whose way is another
   */
  #changed(member) {
    queueMicrotask(() => this.#around.changed(member));
  }

  /** @param {Entry} entry send what there is credit for */
  #pump(entry) {
    const { way, carrier } = entry;
    const asked = carrier && entry.asked.get(carrier);
    if (!way || !asked) return;
    for (const stream of /** @type {const} */ ([TEXT, FILES])) {
      for (let bytes = way.next(stream); bytes > 0 && bytes + SEAL_BYTES <= asked.credit[stream]; bytes = way.next(stream)) {
        const part = /** @type {Uint8Array<ArrayBuffer>} */ (way.take(stream));
        asked.credit[stream] -= bytes + SEAL_BYTES;
        entry.out = entry.out.then(async () => {
          if (entry.way !== way || !entry.seal) return;
          this.#out(entry, carrier, stream, await entry.seal.seal(stream, part));
        });
      }
    }
  }

  /**
   * @param {Entry} entry
   * @param {Member} by
   * @param {Stream} stream
   * @param {Uint8Array} rest
   */
  #out(entry, by, stream, rest) {
    if (entry.carrier !== by || this.#wire.send(by, entry.n, stream, rest)) return;
    // The other end would find a gap.
    this.#without(entry, by);
  }
}

/** @param {Asked} asked who passes on now; what goes out from then on counts */
function allow(asked) {
  if (asked.ok) return;
  asked.ok = true;
  asked.credit = [Number(QUEUED_BYTES_MAX[TEXT]), Number(QUEUED_BYTES_MAX[FILES])];
}

/** @param {Member} member whether it can be spoken to, but for the path */
function isApart({ person, instance }) {
  return person.state === 'no-path' && instance !== null && person.outside === null;
}

/**
 * Who joined first comes first.
 * @param {Member} one
 * @param {Member} other
 */
function inOrder({ person: one }, { person: other }) {
  return one.joined - other.joined || (one.id < other.id ? -1 : 1);
}

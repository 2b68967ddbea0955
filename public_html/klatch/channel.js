/* channel: what an application of its own says between the pages of a room, by a name that both
 * sides know. Nothing of it goes through a server or through other members. */

import { KlatchProblem } from './problem.js';
import { LateEmitter } from './events.js';
import { Line } from './channel-line.js';
import { WHY_CHARACTERS_MAX, copyData } from './channel-frames.js';

/** @typedef {import('./member.js').Member} Member */
/** @typedef {import('./member.js').Person} Person */
/** @typedef {import('./channel-frames.js').Frame} Frame */

const TIMEOUT_MS = 10_000;
/** How long somebody may be without a path until what waits for them is given up. */
const GRACE_MS = 20_000;
/** A timer that waits longer than a day would end at once in some browsers. */
const TIMEOUT_MS_MAX = 86_400_000;

/** @type {Record<string, string>} */
const WHY = {
  'channel-closed': 'This channel is closed. Open it again while you are in the room.',
  'not-connected': 'There is no connection to that person now, or too much waits for it. Try again when there is one.',
  'request-timeout': 'No answer came in time. Ask again, or see whether they have the channel open.',
  'request-failed': 'The other page could not answer. Its own words are in the detail.',
};

/**
 * @typedef {object} ChannelOptions
 * @property {boolean} [ordered] whether messages come in the order of sending; unless told they do
 * @property {number} [maxRetransmits] how often a lost one is sent again before it is given up;
 *   without it none is ever lost while both are in the channel
 */

/**
 * @typedef {object} Asked a request of somebody
 * @property {Person} person
 * @property {any} data
 * @property {(data: unknown) => void} answer the first counts; a promise is waited for
 * @property {(why: string) => void} refuse
 */

/**
 * @typedef {object} ChannelEvents
 * @property {{person: Person, data: any}} message bytes come as a Uint8Array
 * @property {Asked} request
 * @property {{person: Person, already: boolean}} open they have the channel open too; already: since before this listener
 * @property {{person: Person, reason: string}} close they have closed it, left, or there was no-path for a while: what was sent last may be lost
 * @property {null} drain what waited is few again
 * @property {{reason: 'closed' | 'left'}} closed this end is over
 */

/** @extends {LateEmitter<ChannelEvents>} */
export class Channel extends LateEmitter {
  #around;
  /** @type {Map<Member, Line>} */
  #lines = new Map();
  /** @type {Map<number, {member: Member, settle: (frame: Frame | KlatchProblem) => void}>} */
  #asked = new Map();
  #requests = 0;
  /** @type {'closed' | 'left' | null} */
  #over = null;

  /**
   * @param {{name: string, number: number, init: RTCDataChannelInit, mine: string, word: () => string,
   *   members: () => Member[], ended: () => void, graceMs?: number}} around mine is this page's instance
   */
  constructor(around) {
    super();
    this.#around = around;
    this.name = around.name;
  }

  /** Who has it open too, in the order of joining. @returns {Person[]} */
  get people() {
    return this.#around.members().filter((member) => this.#lines.get(member)?.present).map(({ person }) => person);
  }

  /** What waits for the slowest of them, in bytes. */
  get buffered() {
    return Math.max(0, ...[...this.#lines.values()].map((line) => line.buffered));
  }

  /**
   * @override
   * @param {string} type
   */
  missed(type) {
    return type === 'open' ? this.people : [];
  }

  /**
   * @param {unknown} data anything that JSON can carry, or bytes; at most 60,000 bytes of it
   * @param {Person | null} [to] one person alone; everybody who has it open unless told
   * @returns {Person[]} to whom it is not carried: no connection now, or too much waits for them
   * @throws {KlatchProblem} channel-closed, message-too-large
   */
  send(data, to = null) {
    this.#check();
    const copy = copyData(data);
    return (to ? [to] : this.people).filter((person) => !this.#find(person)?.send({}, copy));
  }

  /**
   * @returns {Promise<void>} when little waits, at once where that is so
   * @throws {KlatchProblem} channel-closed
   */
  async drained() {
    this.#check();
    while ([...this.#lines.values()].some((line) => line.full)) {
      const undo = new AbortController();
      await new Promise((resolve) => {
        this.on('drain', resolve, { signal: undo.signal });
        this.on('closed', resolve, { signal: undo.signal });
      });
      undo.abort();
      this.#check();
    }
  }

  /**
   * Ask one person, and wait until they have the channel open, and for the answer.
   * @param {Person} person
   * @param {unknown} data as in send
   * @param {{timeout?: number, signal?: AbortSignal}} [options] timeout in ms, 10,000 unless told
   * @returns {Promise<any>} the answer's data
   * @throws {KlatchProblem} request-timeout, request-failed, aborted, not-connected, peer-not-found,
   *   channel-closed, message-too-large
   */
  async request(person, data, { timeout = TIMEOUT_MS, signal } = {}) {
    this.#check();
    const copy = copyData(data);
    const member = this.#around.members().find((one) => one.person === person);
    if (!member) throw new KlatchProblem('peer-not-found');
    if (signal?.aborted) throw new KlatchProblem('aborted', { cause: signal.reason });
    const q = (this.#requests += 1);
    const undo = new AbortController();
    const { promise, settle } = settling();
    this.#asked.set(q, { member, settle });
    const timer = setTimeout(() => settle(problem('request-timeout')), Math.min(timeout, TIMEOUT_MS_MAX));
    signal?.addEventListener('abort', () => settle(new KlatchProblem('aborted', { cause: signal.reason })), { signal: undo.signal });
    const ask = () => this.#lines.get(member)?.send({ q }, copy) || settle(problem('not-connected'));
    if (this.#lines.get(member)?.present) ask();
    else this.#once(member, ask, undo.signal);
    try {
      const frame = await promise;
      if (frame instanceof KlatchProblem) throw frame;
      if (frame.e !== undefined) throw problem('request-failed', frame.e);
      return frame.d;
    } finally {
      clearTimeout(timer);
      undo.abort();
      this.#asked.delete(q);
    }
  }

  /** Nobody is told anything by it any more. What was sent and not confirmed may be lost. */
  close() {
    this.over('closed');
  }

  /** @param {'closed' | 'left'} reason */
  over(reason) {
    if (this.#over) return;
    this.#over = reason;
    for (const line of this.#lines.values()) line.end();
    this.#lines.clear();
    for (const { settle } of this.#asked.values()) settle(problem('channel-closed'));
    this.#around.ended();
    this.emit('closed', { reason });
  }

  /** @param {Member} member whose connection can be used (again) */
  opened(member) {
    if (member.instance !== null) this.#line(member, member.instance).opened();
  }

  /**
   * @param {Member} member
   * @param {Record<string, any>} value
   */
  told(member, value) {
    if (member.instance !== null) this.#line(member, member.instance).told(value);
  }

  /** @param {Member} member whose state has changed */
  updated(member) {
    this.#lines.get(member)?.updated();
  }

  /** @param {Member} member who is gone */
  forget(member) {
    this.#lines.get(member)?.part('left');
    this.#lines.delete(member);
    for (const { member: asked, settle } of this.#asked.values()) if (asked === member) settle(new KlatchProblem('peer-not-found'));
  }

  /**
   * @param {Member} member
   * @param {string} theirs its page's instance
   */
  #line(member, theirs) {
    const { name, number, init, mine, word, graceMs = GRACE_MS } = this.#around;
    const { person } = member;
    const line = this.#lines.get(member) ?? new Line({
      name, number, init, member, word, graceMs, odd: mine > theirs,
      joined: () => this.emit('open', { person, already: false }),
      parted: (reason) => this.#parted(member, reason),
      heard: (frame) => this.#heard(member, frame),
      drained: () => this.emit('drain', null),
    });
    this.#lines.set(member, line);
    return line;
  }

  /** @param {Person} person */
  #find(person) {
    return [...this.#lines.values()].find(({ member }) => member.person === person);
  }

  /**
   * @param {Member} member
   * @param {string} reason
   */
  #parted(member, reason) {
    // Their answers may be lost with the rest.
    for (const { member: asked, settle } of this.#asked.values()) if (asked === member) settle(problem('not-connected'));
    this.emit('close', { person: member.person, reason });
  }

  /**
   * @param {Member} member
   * @param {Frame} frame
   */
  #heard(member, frame) {
    if (this.#over) return;
    if (frame.a !== undefined) {
      const asked = this.#asked.get(frame.a);
      if (asked?.member === member) asked.settle(frame);
    } else if (frame.q !== undefined) {
      this.#serve(member, frame.q, frame.d);
    } else if ('d' in frame) {
      this.emit('message', { person: member.person, data: frame.d });
    }
  }

  /**
   * @param {Member} member
   * @param {number} q
   * @param {any} data
   */
  #serve(member, q, data) {
    let open = true;
    const once = (/** @type {() => void} */ work) => {
      if (open && !this.#over) work();
      open = false;
    };
    const refuse = (/** @type {unknown} */ why) => {
      this.#lines.get(member)?.send({ a: q, e: String(why).slice(0, WHY_CHARACTERS_MAX) });
    };
    this.emit('request', {
      person: member.person,
      data,
      answer: (value) => once(async () => {
        try {
          const copy = copyData(await value);
          if (!this.#over) this.#lines.get(member)?.send({ a: q }, copy);
        } catch (error) {
          if (!this.#over) refuse(error instanceof Error ? error.message : error);
        }
      }),
      refuse: (why) => once(() => refuse(why)),
    });
  }

  /**
   * @param {Member} member
   * @param {() => void} work when they have the channel open
   * @param {AbortSignal} signal
   */
  #once(member, work, signal) {
    const undo = new AbortController();
    signal.addEventListener('abort', () => undo.abort());
    this.on('open', ({ detail }) => {
      if (detail.person !== member.person) return;
      undo.abort();
      work();
    }, { signal: undo.signal });
  }

  #check() {
    if (this.#over) throw problem('channel-closed');
  }
}

/**
 * @param {string} code
 * @param {string} [detail] somebody else's words
 */
export function problem(code, detail) {
  return new KlatchProblem(code, { sentence: WHY[code], detail });
}

function settling() {
  /** @type {(frame: Frame | KlatchProblem) => void} */
  let settle = () => {};
  /** @type {Promise<Frame | KlatchProblem>} */
  const promise = new Promise((resolve) => {
    settle = resolve;
  });
  return { promise, settle };
}

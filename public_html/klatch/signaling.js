/* signaling: one member's side of one room's mailbox, no WebRTC in it.
 * Two lanes: what is read (reading.js) and what is sent (sending.js). Both share the way back
 * after an error: a pause that grows, or joining again where the server says that this
 * member is no more. */

import { FINAL, GONE, KlatchProblem, asProblem } from './problem.js';
import { Emitter } from './events.js';
import { Reading } from './reading.js';
import { Sending } from './sending.js';
import { Backoff, Naps } from './timing.js';
import { call, isElsewhere } from './http.js';
import { randomId } from './bytes.js';

/** @typedef {import('./types.js').Joined} Joined */
/** @typedef {import('./types.js').Mail} Mail */
/** @typedef {import('./types.js').Listed} Listed */

const SEND_TIMEOUT_MS = 15_000;
const JOIN_PATIENCE_MS = 10_000;
const LEAVE_PATIENCE_MS = 3_000;
/** How long a page that takes over may take to join. */
const UNUSED_MS = 10_000;
/** Whose place was to be taken isn't here any more. */
const NEWCOMER = new Set(['peer-not-found', 'refused']);
/** Before the first answer; a message's data in JSON. */
const MESSAGE_BYTES_MAX = 65_536;

/**
 * @typedef {object} Visit what both lanes know of the member, and what they tell
 * @property {() => string} key
 * @property {() => boolean} ready false while a look has to tell first that the server is back
 * @property {() => boolean} paused whether nothing may be asked
 * @property {() => boolean} quiet whether nothing may be sent
 * @property {() => Promise<void> | null} rejoining
 * @property {(body: object, options?: {base?: URL, timeoutMs?: number, signal?: AbortSignal}) => Promise<import('./types.js').Exchanged>} ask
 * @property {(problem: KlatchProblem, backoff: Backoff) => Promise<void>} recover
 * @property {() => void} reached there was an answer
 * @property {(problem: KlatchProblem) => void} problem a letter can't be sent
 * @property {(answer: import('./types.js').Exchanged) => void} gap mail was missed
 * @property {(message: Mail) => void} mail one that is new
 * @property {(answer: import('./types.js').Exchanged) => Promise<void>} read all of it was told
 */

/**
 * @typedef {object} SignalingEvents
 * @property {Mail} message
 * @property {{peers: Listed[]}} gap mail was missed: this is who is here
 * @property {{peers: Listed[], resumed: boolean}} rejoined not resumed: under another id
 * @property {{hosts: number}} waiting a host was asked to let us in; how many hosts are there
 * @property {'online' | 'away'} state
 * @property {KlatchProblem} problem something that goes on without being mended here
 * @property {KlatchProblem} ended this member is out, for good
 */

/** @extends {Emitter<SignalingEvents>} */
export class Signaling extends Emitter {
  #env;
  #base;
  #meta;
  #session;
  #ticket;
  #naps = new Naps();
  /** @type {AbortController} ends with this visit */
  #stop = new AbortController();
  #sending;
  #reading;
  #key = '';
  #messageBytesMax = MESSAGE_BYTES_MAX;
  #failures = 0;
  #paused = false;
  /** @type {Promise<void> | null} */
  #rejoining = null;

  /**
   * @param {{env: import('./env.js').Environment, api: string, room: string, meta: () => unknown,
   *   session: import('./session.js').Session, ticket: import('./ticket.js').Ticket}} options
   *   meta is asked at each joining, so that it is always the present one
   */
  constructor({ env, api, room, meta, session, ticket }) {
    super();
    this.#env = env;
    this.#meta = meta;
    this.#session = session;
    this.#ticket = ticket;
    this.room = room;
    this.#base = new URL(`${api.replace(/\/+$/, '')}/`, env.base);
    const lane = { env, base: this.#base, stop: this.#stop.signal, visit: this.#visit };
    this.#sending = new Sending(lane);
    this.#reading = new Reading({ ...lane, naps: this.#naps, sending: this.#sending });
    /** Our own id in the room. */
    this.peer = '';
    /** @type {RTCIceServer[]} */
    this.iceServers = [];
    /** How long these hold; 0: for good. */
    this.iceLifetimeMs = 0;
    /** What others are told by the server, where a token gave it. @type {string | null} */
    this.name = null;
    /** What it said last of the room's hosts and settings. @type {import('./types.js').House} */
    this.house = {};
    /** Whether a host still has to let us in. */
    this.waiting = false;
    /** @type {'online' | 'away'} */
    this.state = 'online';
  }

  /**
   * Join. A server that doesn't answer is tried for 10 s; where a host lets people in, that is
   * waited for.
   * @param {AbortSignal} [signal]
   * @param {string | null} [takeOver] the key of a page that has given up its place to this one
   * @returns {Promise<Listed[]>} who is here already
   * @throws {KlatchProblem}
   */
  async join(signal, takeOver = null) {
    const former = takeOver ?? await this.#session.take();
    // Who waits goes on waiting; who is in the room is replaced, since another page has other keys.
    const how = takeOver === null && this.#session.waited ? 'resume' : 'replaces';
    /** @type {{id: string, meta: unknown, replaces?: string, resume?: string}} */
    const body = { id: randomId(), meta: await this.#meta(), ...(former ? { [how]: former } : {}) };
    const backoff = new Backoff({ random: this.#env.random });
    const until = Date.now() + JOIN_PATIENCE_MS;
    signal?.addEventListener('abort', () => this.#naps.wake(), { once: true });
    for (;;) {
      try {
        const answer = await this.#request('join', { ...body, ...await this.#ticket.fresh(signal) }, { signal });
        if (!body.resume || answer.waiting) {
          await this.#adopt(answer);
          break;
        }
        // Let in meanwhile.
        delete body.resume;
        Object.assign(body, { id: randomId(), replaces: answer.key });
      } catch (error) {
        const problem = asProblem(error);
        const pauseMs = backoff.next(problem.retryMs);
        if ((body.replaces || body.resume) && (GONE.has(problem.code) || NEWCOMER.has(problem.code))) {
          delete body.replaces;
          delete body.resume;
        } else if (!problem.transient || isElsewhere(problem) || Date.now() + pauseMs > until) {
          this.#session.release();
          throw problem;
        } else {
          await this.#naps.sleep(pauseMs);
        }
      }
    }
    for (const name of ['online', 'pageshow']) {
      this.#env.page.addEventListener(name, () => this.wake(), { signal: this.#stop.signal });
    }
    if (this.waiting) await this.#admission(signal);
    return this.#listed;
  }

  /**
   * Read until a host has let us in, or the signal says that we go.
   * @param {AbortSignal} [signal]
   * @throws {KlatchProblem} refused and the like
   */
  async #admission(signal) {
    /** @type {KlatchProblem | null} */
    let end = null;
    const done = new AbortController();
    this.on('ended', ({ detail }) => {
      end = detail;
    }, { signal: done.signal });
    this.#env.page.addEventListener('pagehide', () => this.leaveSoon(), { signal: done.signal });
    signal?.addEventListener('abort', () => void this.leave(), { signal: done.signal });
    if (signal?.aborted) void this.leave();
    await this.#reading.run(() => !this.waiting);
    done.abort();
    if (end) throw end;
  }

  /** Begin to hold polls; after the listeners are there, so that no mail is lost. */
  start() {
    void this.#reading.run();
  }

  /** Whether new mail is read as it comes. */
  get polling() {
    return !this.#reading.relaxed && !this.#paused && this.state === 'online';
  }

  /**
   * Another member polls for all: a short look every third of the lease will do.
   * @param {boolean} relaxed
   */
  relax(relaxed) {
    if (!this.waiting) this.#reading.relax(relaxed);
  }

  /**
   * @param {string | null} to null is everybody else
   * @param {string} type
   * @param {unknown} data in its envelope
   */
  send(to, type, data) {
    if (this.#stop.signal.aborted) return;
    const bytes = new TextEncoder().encode(JSON.stringify(data)).length;
    if (bytes > this.#messageBytesMax || !this.#sending.add(to, type, data)) {
      this.emit('problem', new KlatchProblem('message-too-large'));
    }
  }

  /**
   * Ask something as this member.
   * @param {string} what a call of the room API
   * @param {object} [body]
   * @returns {Promise<any>}
   * @throws {KlatchProblem}
   */
  async ask(what, body) {
    await this.#rejoining;
    try {
      return await this.#request(what, { key: this.#key, ...body });
    } catch (/** @type {any} */ error) {
      if (!GONE.has(error.code)) throw error;
      // As one who slept learns at their first word.
      await this.#back(error.code);
      return this.#request(what, { key: this.#key, ...body });
    }
  }

  /** @param {string} peer who is gone: what waits for it needn't be sent */
  forget(peer) {
    this.#sending.outbox.forget(peer);
  }

  /** Go on now rather than after the pause: the network or the page is back. */
  wake() {
    this.#paused = false;
    this.#reading.wake();
    this.#naps.wake();
    void this.#sending.flush();
  }

  /**
   * The page is closing or reloading, it can't know which: the server waits a few
   * seconds for a successor. No more requests, they would renew the lease.
   */
  leaveSoon() {
    if (this.#stop.signal.aborted || !this.#key) return;
    this.#paused = true;
    this.#reading.abort();
    const json = JSON.stringify({ key: this.#key, soon: true });
    this.#env.beacon(this.#url('leave').href, new URLSearchParams({ json }));
  }

  /**
   * Leave for good.
   * @returns {Promise<void>} when the server knows, or after 3 s
   */
  async leave() {
    if (this.#stop.signal.aborted) return;
    this.#end();
    await this.#sayLeave();
  }

  /**
   * Another page takes this member's place: nothing is read or sent from here on.
   * @returns {string} the key, for its join's `replaces`
   */
  handOver() {
    this.#end();
    // Should nobody use the key. After it was used it is worth nothing, and so is this.
    setTimeout(() => this.#sayLeave(), UNUSED_MS);
    return this.#key;
  }

  async #sayLeave() {
    const options = { timeoutMs: LEAVE_PATIENCE_MS, keepalive: true };
    // Its answer is empty, and nobody is helped by an error here: the lease ends by itself.
    await call(this.#env, this.#url('leave').href, { key: this.#key }, options).catch(() => {});
  }

  #end() {
    this.#stop.abort();
    this.#reading.end();
    this.#naps.wake();
    this.#sending.outbox.clear();
    this.#session.forget();
  }

  /** @type {Listed[]} */
  #listed = [];

  /** Under what id we were in the room last. */
  #former = '';

  /**
   * @param {Joined} answer
   * @returns {Promise<boolean>} whether that is who we were
   */
  async #adopt(answer) {
    if ([answer.key, answer.cursor, answer.peer].some((text) => typeof text !== 'string')) {
      throw new KlatchProblem('not-klatch', { status: 200, detail: 'application/json', transient: true });
    }
    this.#key = answer.key;
    this.#reading.adopt(answer);
    this.peer = answer.peer;
    this.#adoptIce(answer);
    this.name = typeof answer.sub === 'string' ? answer.name ?? null : null;
    this.#listed = (answer.peers ?? []).filter(({ peer }) => peer !== answer.peer);
    this.#messageBytesMax = answer.limits?.message_bytes ?? this.#messageBytesMax;
    this.house = answer;
    this.waiting = answer.waiting === true;
    await this.#session.keep(answer.peer, answer.key, this.waiting);
    if (this.waiting) {
      this.emit('waiting', { hosts: answer.hosts_present ?? 0 });
      return false;
    }
    const resumed = this.#former === answer.peer;
    this.#former = answer.peer;
    return resumed;
  }

  /** @param {Pick<Joined, 'ice_servers' | 'ice_lifetime_ms'>} answer */
  #adoptIce(answer) {
    this.iceServers = answer.ice_servers ?? [];
    this.iceLifetimeMs = answer.ice_lifetime_ms ?? 0;
  }

  /** @returns {Promise<boolean>} whether there are new passwords for the relays */
  async renewIce() {
    const key = this.#key;
    const answer = await this.#request('ice', { key });
    if (key === this.#key && !this.#stop.signal.aborted) this.#adoptIce(answer);
    return this.iceLifetimeMs > 0;
  }

  /** @returns {Visit} */
  get #visit() {
    return {
      key: () => this.#key,
      ready: () => this.#failures === 0,
      paused: () => this.#paused,
      quiet: () => this.#paused || this.waiting || this.#stop.signal.aborted,
      rejoining: () => this.#rejoining,
      ask: (body, options) => this.#request('exchange', body, options),
      recover: (problem, backoff) => this.#recover(problem, backoff),
      reached: () => this.#reached(),
      problem: (problem) => this.emit('problem', problem),
      gap: ({ peers = [] }) => {
        if (!this.waiting) this.emit('gap', { peers: peers.filter(({ peer }) => peer !== this.peer) });
      },
      mail: (message) => this.emit('message', message),
      read: async ({ messages = [], gap }) => {
        // Joining again tells what else there is to know: settings and hosts, whether a host has come, that we are in.
        const stale = this.waiting ? messages.length > 0 || this.house.hosts_present === 0 : gap && this.house.hosts;
        if (stale) await this.#back('session-expired');
      },
    };
  }

  /**
   * @param {KlatchProblem} problem
   * @param {Backoff} backoff
   */
  async #recover(problem, backoff) {
    if (this.#stop.signal.aborted) return;
    if (GONE.has(problem.code)) {
      await this.#back(problem.code);
      return;
    }
    if (FINAL.has(problem.code)) {
      this.#end();
      this.emit('ended', problem);
      return;
    }
    this.#missed(problem);
    await this.#naps.sleep(backoff.next(problem.retryMs));
  }

  /** @param {string} code why */
  #back(code) {
    // Else the server doesn't know the key any more.
    this.#rejoining ??= this.#rejoin(code === 'session-expired').finally(() => {
      this.#rejoining = null;
    });
    return this.#rejoining;
  }

  /**
   * Back in: as the same member where the server still knows the former key, else
   * as a new one. Goes on until it works, since calls outlive the server.
   * @param {boolean} resume
   */
  async #rejoin(resume) {
    this.#reading.abort();
    const backoff = new Backoff({ random: this.#env.random });
    const id = randomId();
    let resumes = resume;
    let told = false;
    while (!this.#stop.signal.aborted) {
      try {
        const who = resumes ? { resume: this.#key, after: this.#reading.cursor, ...this.#ticket.last }
          : { id, ...await this.#ticket.fresh(this.#stop.signal) };
        const resumed = await this.#adopt(await this.#request('join', { ...who, meta: await this.#meta() }));
        this.#reached();
        if (this.waiting) return;
        if (!resumed) this.#sending.outbox.clear();
        this.emit('rejoined', { peers: this.#listed, resumed });
        void this.#sending.flush();
        return;
      } catch (error) {
        const problem = asProblem(error);
        if (this.#stop.signal.aborted) return;
        // A token is looked at where resuming came too late.
        if (resumes && (GONE.has(problem.code) || problem.code.startsWith('token-'))) {
          resumes = false;
          continue;
        }
        if (FINAL.has(problem.code)) {
          this.#end();
          this.emit('ended', problem);
          return;
        }
        if (problem.transient) this.#missed(problem);
        else if (!told) this.emit('problem', problem);
        told ||= !problem.transient;
        await this.#naps.sleep(backoff.next(problem.retryMs));
      }
    }
  }

  #reached() {
    this.#failures = 0;
    this.#setState('online');
  }

  /** @param {KlatchProblem} problem */
  #missed(problem) {
    // A worker that is replaced costs one request; being told to wait is no absence.
    this.#failures += problem.status === 429 || problem.code === 'mailbox-full' ? 0 : 1;
    if (this.#failures >= 2) this.#setState('away');
  }

  /** @param {'online' | 'away'} state */
  #setState(state) {
    if (this.state === state || this.#stop.signal.aborted) return;
    this.state = state;
    this.emit('state', state);
    // What waits in the other lane's pause can go now.
    if (state === 'online') this.#naps.wake();
  }

  /**
   * @param {string} what
   * @param {URL} [base]
   */
  #url(what, base = this.#base) {
    return new URL(`rooms/${this.room}/${what}`, base);
  }

  /**
   * @param {string} what
   * @param {object} body
   * @param {{base?: URL, timeoutMs?: number, signal?: AbortSignal}} [options]
   */
  #request(what, body, { base, timeoutMs = SEND_TIMEOUT_MS, signal = this.#stop.signal } = {}) {
    return call(this.#env, this.#url(what, base).href, body, { timeoutMs, signal });
  }
}

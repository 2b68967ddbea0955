/* loopback: a call with oneself, to see before a call what will work in one: two
 * connections in this page, joined as two people's would be, without a mailbox. */

import { Emitter } from './events.js';
import { call } from './http.js';
import { environment } from './env.js';
import { KlatchProblem } from './problem.js';
import { randomId } from './bytes.js';
import { sleep } from './timing.js';
import { wrap } from './seal.js';

const SERVER_MS = 8_000;
const CONNECT_MS = 10_000;
const LOOK_MS = 100;
/** Joins that this server refuses to whoever is only trying. */
const SHUT = new Set(['token-missing', 'room-not-found']);

/** @typedef {'server' | 'address' | 'direct' | 'picture' | 'relay'} StepName */
/**
 * @typedef {object} Step
 * @property {StepName} name
 * @property {'good' | 'bad' | 'none' | 'shut'} state none: there was nothing to try; shut: the server
 *   answers and tells its address servers to members alone
 * @property {number} ms that it took
 */
/** @typedef {{step: Step, done: null}} LoopbackEvents */

/** @extends {Emitter<LoopbackEvents>} */
export class Loopback extends Emitter {
  /** What comes back; always the same object. */
  received = new MediaStream();
  #env;
  #api;
  #stream;
  #ended = false;
  /** @type {RTCPeerConnection[]} */
  #open = [];

  /**
   * @param {{api: string, stream: MediaStream, env?: Partial<import('./env.js').Environment>}} options
   *   stream is what would be sent in a call
   */
  constructor({ api, stream, env }) {
    super();
    this.#env = environment(env);
    this.#api = api;
    this.#stream = stream;
  }

  /** Try one thing after another; the picture goes on until hangUp(). */
  async run() {
    const { iceServers, shut } = await this.#askServer();
    const kinds = new Set();
    await this.#timed('direct', () => this.#connect({ iceServers }, kinds, this.#stream));
    if (!iceServers.length && !shut) this.#tell('address', 'none');
    else if (!shut) this.#tell('address', kinds.has('srflx') || kinds.has('relay') ? 'good' : 'bad');
    if (this.#stream.getVideoTracks().length === 0) this.#tell('picture', 'none');
    else await this.#timed('picture', () => this.#pictureComes());
    if (!hasRelay(iceServers) && !shut) this.#tell('relay', 'none');
    else if (!shut) await this.#timed('relay', () => this.#connect({ iceServers, iceTransportPolicy: 'relay' }, kinds, null));
    if (!this.#ended) this.emit('done', null);
  }

  hangUp() {
    this.#ended = true;
    for (const pc of this.#open.splice(0)) pc.close();
    for (const track of this.received.getTracks()) this.received.removeTrack(track);
  }

  /**
   * A room of one's own tells the servers that a call would use.
   * @returns {Promise<{iceServers: RTCIceServer[], shut: boolean}>} shut: a stranger may not make a room here
   */
  async #askServer() {
    const room = new URL(`${this.#api.replace(/\/+$/, '')}/rooms/check-${randomId(8)}`, this.#env.base).href;
    const since = performance.now();
    const ms = () => Math.round(performance.now() - since);
    try {
      const joined = await call(this.#env, `${room}/join`, { meta: wrap({}) }, { timeoutMs: SERVER_MS });
      void call(this.#env, `${room}/leave`, { key: joined.key }, { timeoutMs: SERVER_MS }).catch(() => {});
      this.#tell('server', 'good', ms());
      return { iceServers: joined.ice_servers ?? [], shut: false };
    } catch (error) {
      const shut = error instanceof KlatchProblem && SHUT.has(error.code);
      this.#tell('server', shut ? 'shut' : 'bad', ms());
      return { iceServers: [], shut };
    }
  }

  /**
   * @param {StepName} name
   * @param {() => Promise<boolean>} work
   */
  async #timed(name, work) {
    const since = performance.now();
    const good = !this.#ended && await work().catch(() => false);
    this.#tell(name, good ? 'good' : 'bad', Math.round(performance.now() - since));
  }

  /** @param {StepName} name @param {Step['state']} state */
  #tell(name, state, ms = 0) {
    if (!this.#ended) this.emit('step', { name, state, ms });
  }

  /**
   * @param {RTCConfiguration} configuration
   * @param {Set<string>} kinds of candidates, filled in
   * @param {MediaStream | null} stream to send; null to see only whether there is a path
   */
  async #connect(configuration, kinds, stream) {
    const Rtc = this.#env.rtc;
    if (!Rtc) return false;
    const [one, other] = [new Rtc(configuration), new Rtc(configuration)];
    this.#open.push(one, other);
    for (const [from, to] of [[one, other], [other, one]]) {
      from.addEventListener('icecandidate', ({ candidate }) => {
        if (!candidate?.candidate) return;
        kinds.add(candidate.type ?? '');
        to.addIceCandidate(candidate).catch(() => {});
      });
    }
    other.addEventListener('track', ({ track }) => this.received.addTrack(track));
    one.createDataChannel('check');
    for (const track of stream?.getTracks() ?? []) one.addTrack(track);
    await one.setLocalDescription();
    await other.setRemoteDescription(/** @type {RTCSessionDescription} */ (one.localDescription));
    await other.setLocalDescription();
    await one.setRemoteDescription(/** @type {RTCSessionDescription} */ (other.localDescription));
    return this.#until(async () => one.connectionState === 'connected' && other.connectionState === 'connected');
  }

  #pictureComes() {
    return this.#until(async () => {
      const reports = [.../** @type {Map<string, any>} */ (/** @type {unknown} */ (await this.#open[1]?.getStats() ?? new Map())).values()];
      return reports.some(({ type, framesDecoded }) => type === 'inbound-rtp' && framesDecoded > 0);
    });
  }

  /** @param {() => Promise<boolean>} check */
  async #until(check) {
    const end = performance.now() + CONNECT_MS;
    while (!this.#ended && performance.now() < end) {
      if (await check()) return true;
      await sleep(LOOK_MS);
    }
    return false;
  }
}

/** @param {RTCIceServer[]} servers */
function hasRelay(servers) {
  return servers.some(({ urls }) => [urls].flat().some((url) => /^turns?:/.test(url)));
}

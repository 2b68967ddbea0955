/* connection: one RTCPeerConnection by perfect negotiation (W3C WebRTC 1.0, 10.7),
 * with what mailboxes add: candidates that come before their description are kept,
 * and an answer names the offer it answers.
 *
 * One transceiver for sound and one for the picture exist from the first offer on,
 * so that turning things on and off later is a replaceTrack and never a negotiation.
 * A screen comes beside them, on transceivers of its own that each side adds for
 * itself when it first shares one; they bear the id of the screen's stream.
 * The channel is negotiated out of band, so that both sides have it at once. */

import { Emitter } from './events.js';

const KEPT_MAX = 64;
const KINDS = /** @type {const} */ (['audio', 'video']);

/**
 * @typedef {object} Tracks
 * @property {MediaStreamTrack | null} audio
 * @property {MediaStreamTrack | null} video
 * @property {MediaStream | null} [screen] always the same one, also when nothing is in it
 */
/** @typedef {{track: MediaStreamTrack, stream: string | null}} Received stream names a screen's, null for the rest */

/**
 * @typedef {object} ConnectionEvents
 * @property {RTCPeerConnectionState} state
 * @property {Received} track one that is received
 * @property {null} open the channel is open
 * @property {string} data a text from the channel
 * @property {null} unusable the other side's description can't be used
 * @property {null} fingerprint it names another certificate than before, and was refused
 */

/** @extends {Emitter<ConnectionEvents>} */
export class Connection extends Emitter {
  #pc;
  #channel;
  /** By their ids. @type {Map<number, RTCDataChannel>} */
  #beside = new Map();
  #polite;
  #media;
  #prefer;
  #send;
  /** @type {Tracks} */
  #tracks;
  /** What sends the screen. @type {{audio?: RTCRtpTransceiver, video?: RTCRtpTransceiver}} */
  #sharing = {};
  #making = false;
  #ignoring = false;
  #closed = false;
  #offers = 0;
  /** Of the other side's certificate. */
  #fingerprint = '';
  /** @type {RTCIceCandidateInit[]} */
  #kept = [];
  /** Descriptions and candidates one after another, so that none overtakes another. */
  #work = Promise.resolve();
  /** What each sender may take. @type {import('./budget.js').Limits | null} */
  #limits = null;
  #shaping = Promise.resolve();
  /** Whether the browser lets senders choose their codecs; known when one did. */
  #choosing = true;

  /**
   * @param {{rtc: typeof RTCPeerConnection, iceServers: RTCIceServer[], polite: boolean, media?: boolean, tracks: Tracks,
   *   prefer: (transceiver: RTCRtpTransceiver) => void,
   *   send: (type: 'offer' | 'answer' | 'candidate', body: object) => void}} options
   *   without media none is offered, and what the other side offers is not taken; prefer puts a
   *   picture's codecs in order, before they are offered
   */
  constructor({ rtc: Rtc, iceServers, polite, media = true, tracks, prefer, send }) {
    super();
    this.#polite = polite;
    this.#media = media;
    this.#tracks = { ...tracks };
    this.#prefer = prefer;
    this.#send = send;
    this.#pc = new Rtc({ iceServers, bundlePolicy: 'max-bundle' });
    this.#pc.addEventListener('connectionstatechange', () => {
      this.#shape();
      this.emit('state', this.state);
    });
    this.#pc.addEventListener('track', ({ track, streams }) => {
      if (!media) return;
      const first = this.#transceiver(/** @type {'audio' | 'video'} */ (track.kind))?.receiver.track === track;
      this.emit('track', { track, stream: first ? null : streams?.[0]?.id ?? '' });
    });
    this.#pc.addEventListener('icecandidate', ({ candidate }) => {
      if (candidate?.candidate) this.#send('candidate', { candidate: candidate.toJSON() });
    });
    this.#pc.addEventListener('negotiationneeded', () => {
      // The polite one has nothing to say before it was offered the first connection.
      if (!this.#polite || this.#pc.remoteDescription) void this.#offer();
    });
    this.#channel = this.#pc.createDataChannel('klatch', { negotiated: true, id: 0 });
    this.#channel.addEventListener('open', () => this.emit('open', null));
    this.#channel.addEventListener('message', ({ data }) => {
      if (typeof data === 'string') this.emit('data', data);
    });
  }

  /** @returns {RTCPeerConnectionState} */
  get state() {
    return this.#closed ? 'closed' : this.#pc.connectionState;
  }

  /**
   * A channel beside the first, there from the first asking on; both sides ask for it before
   * they use it, since it isn't announced.
   * @param {string} label
   * @param {number} id the same on both sides
   * @param {RTCDataChannelInit} [init]
   * @returns {RTCDataChannel | null} null when the connection is closed
   */
  beside(label, id, init) {
    if (this.#closed) return null;
    const channel = this.#beside.get(id) ?? this.#pc.createDataChannel(label, { ...init, negotiated: true, id });
    this.#beside.set(id, channel);
    return channel;
  }

  get open() {
    return !this.#closed && this.#channel.readyState === 'open';
  }

  /** Offer the connection; the impolite one's first step. */
  start() {
    if (!this.#media) return;
    for (const kind of KINDS) {
      const transceiver = this.#pc.addTransceiver(kind, { direction: 'sendrecv' });
      if (kind === 'video') this.#prefer(transceiver);
      void this.#replace(transceiver.sender, this.#tracks[kind]);
    }
    void this.#share();
  }

  /** How loud what comes from there is now, 0 to 1. */
  get level() {
    if (this.#closed) return 0;
    const [source] = this.#transceiver('audio')?.receiver.getSynchronizationSources?.() ?? [];
    return source?.audioLevel ?? 0;
  }

  /**
   * @param {string} text
   * @returns {boolean} whether the channel took it
   */
  say(text) {
    if (!this.open) return false;
    try {
      this.#channel.send(text);
      return true;
    } catch {
      return false;
    }
  }

  /**
   * @param {'offer' | 'answer' | 'candidate'} type
   * @param {{sdp?: unknown, n?: unknown, candidate?: any}} body
   * @returns {Promise<void>} when it was worked in; never rejects
   */
  receive(type, body) {
    this.#work = this.#work.then(async () => {
      try {
        if (this.#closed) return;
        if (type === 'candidate') await this.#candidate(body.candidate);
        else await this.#description(type, body);
      } catch {
        // One candidate of many may be odd.
        if (type !== 'candidate' && !this.#closed) this.emit('unusable', null);
      }
    });
    return this.#work;
  }

  /** @param {RTCIceServer[]} iceServers that count from the next restart on, whoever asks for it */
  relays(iceServers) {
    if (!this.#closed) this.#pc.setConfiguration({ ...this.#pc.getConfiguration(), iceServers });
  }

  /** Find a new path for the same connection. */
  restart() {
    if (this.#closed) return;
    try {
      this.#pc.restartIce();
    } catch {
      // Not every implementation outside of browsers can: another connection takes its place.
      this.emit('unusable', null);
      return;
    }
    // With an offer unanswered nothing is asked for until there is an answer, which
    // may have been lost with the path: offer again.
    if (this.#pc.signalingState === 'have-local-offer') void this.#offer();
  }

  /**
   * @param {Tracks} tracks
   * @returns {Promise<void>} when they are the ones that are sent
   */
  async setTracks(tracks) {
    if (!this.#media) return;
    this.#tracks = { ...tracks };
    await Promise.all(KINDS.map(async (kind) => {
      const sender = this.#transceiver(kind)?.sender;
      if (sender) await this.#replace(sender, tracks[kind]);
    }));
    await this.#share();
    this.#shape();
  }

  /** @param {import('./budget.js').Limits} limits */
  limit(limits) {
    if (!this.#media) return;
    this.#limits = limits;
    this.#shape();
  }

  /** @returns {Promise<RTCStatsReport | null>} */
  async report() {
    return this.#closed ? null : this.#pc.getStats();
  }

  close() {
    this.#closed = true;
    this.#pc.close();
  }

  async #offer() {
    try {
      this.#making = true;
      await this.#pc.setLocalDescription();
      this.#describe();
    } catch {
      // Closed while it was made, or overtaken by the other side's offer.
    } finally {
      this.#making = false;
    }
  }

  /** @param {number} [answered] the offer that this answers */
  #describe(answered) {
    const description = this.#pc.localDescription;
    if (this.#closed || !description) return;
    const { type, sdp } = description;
    if (type === 'offer') this.#send('offer', { n: (this.#offers += 1), sdp });
    if (type === 'answer') this.#send('answer', { n: answered, sdp });
  }

  /**
   * @param {'offer' | 'answer'} type
   * @param {{sdp?: unknown, n?: unknown}} body
   */
  async #description(type, { sdp, n }) {
    if (typeof sdp !== 'string') return;
    if (type === 'offer') {
      const ready = !this.#making && this.#pc.signalingState === 'stable';
      this.#ignoring = !this.#polite && !ready;
      if (this.#ignoring) return;
    } else {
      if (this.#pc.signalingState !== 'have-local-offer') return;
      if (n !== undefined && n !== this.#offers) return;
    }
    const fingerprint = fingerprintsOf(sdp);
    if (this.#fingerprint !== '' && fingerprint !== this.#fingerprint) {
      this.emit('fingerprint', null);
      return;
    }
    await this.#pc.setRemoteDescription({ type, sdp });
    this.#fingerprint = fingerprint;
    if (type === 'offer') {
      await this.#sendBack();
      await this.#pc.setLocalDescription();
      this.#describe(typeof n === 'number' ? n : undefined);
    }
    for (const candidate of this.#kept.splice(0)) await this.#candidate(candidate);
  }

  /** What was offered to be received is also sent: the offer's transceivers go both ways. */
  async #sendBack() {
    if (!this.#media) {
      for (const transceiver of this.#pc.getTransceivers()) transceiver.direction = 'inactive';
      return;
    }
    for (const kind of KINDS) {
      const transceiver = this.#transceiver(kind);
      if (!transceiver || transceiver.direction === 'sendrecv') continue;
      transceiver.direction = 'sendrecv';
      await this.#replace(transceiver.sender, this.#tracks[kind]);
    }
    await this.#share();
  }

  /** Send what is in the screen's stream now. */
  async #share() {
    // The first of each kind are sound and picture, and have to be there before.
    if (this.#closed || !this.#transceiver('video')) return;
    const { screen = null } = this.#tracks;
    for (const kind of KINDS) {
      const track = screen?.getTracks().find((one) => one.kind === kind) ?? null;
      const sharing = this.#sharing[kind];
      if (sharing) {
        await this.#replace(sharing.sender, track);
      } else if (track && screen) {
        const transceiver = this.#sharing[kind] = this.#pc.addTransceiver(track, { direction: 'sendonly', streams: [screen] });
        if (kind === 'video') {
          this.#prefer(transceiver);
          await keepSharp(transceiver.sender);
        }
      }
    }
  }

  /** One after another: a sender takes no parameters that were read before the last were set. */
  #shape() {
    this.#shaping = this.#shaping.then(async () => {
      const limits = this.#limits;
      if (this.#closed || !limits) return;
      const senders = {
        audio: this.#transceiver('audio')?.sender, video: this.#transceiver('video')?.sender,
        screen: this.#sharing.video?.sender,
      };
      for (const kind of /** @type {const} */ (['audio', 'video', 'screen'])) {
        const sender = senders[kind];
        if (sender && !await limits.shape(sender, { ...limits[kind], rich: this.#choosing && limits[kind].rich })) this.#choosing = false;
      }
    });
  }

  /** @param {RTCIceCandidateInit | undefined} candidate */
  async #candidate(candidate) {
    if (typeof candidate?.candidate !== 'string') return;
    const sdp = this.#pc.remoteDescription?.sdp;
    const { usernameFragment } = candidate;
    if (!sdp || (usernameFragment && !sdp.includes(`a=ice-ufrag:${usernameFragment}\r\n`))) {
      this.#kept.push(candidate);
      if (this.#kept.length > KEPT_MAX) this.#kept.shift();
      return;
    }
    try {
      await this.#pc.addIceCandidate(candidate);
    } catch (error) {
      if (!this.#ignoring) throw error;
    }
  }

  /** @param {'audio' | 'video'} kind */
  #transceiver(kind) {
    return this.#pc.getTransceivers().find(({ receiver }) => receiver.track.kind === kind);
  }

  /**
   * @param {RTCRtpSender} sender
   * @param {MediaStreamTrack | null} track
   */
  async #replace(sender, track) {
    if (sender.track === track) return;
    try {
      await sender.replaceTrack(track);
    } catch {
      // The connection was closed in between.
    }
  }
}

/**
 * Writing on a screen is to be read: rather fewer pictures than smaller ones.
 * @param {RTCRtpSender} sender
 */
async function keepSharp(sender) {
  try {
    const wanted = { ...sender.getParameters(), degradationPreference: 'maintain-resolution' };
    await sender.setParameters(/** @type {RTCRtpSendParameters} */ (wanted));
  } catch {
    // A browser that has no such choice goes by the track's contentHint.
  }
}

/**
 * One connection has one certificate, however often its ICE is restarted.
 * @param {string} sdp
 */
function fingerprintsOf(sdp) {
  const lines = sdp.match(/^a=fingerprint:.*$/gm) ?? [];
  return [...new Set(lines.map((line) => line.trim().toLowerCase()))].sort().join();
}

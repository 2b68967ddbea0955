/* fake-rtc: RTCPeerConnection without a network, as much of it as the SDK uses: the
 * order of descriptions and candidates is checked as a browser checks it, and two
 * that have answered each other are connected. A test can cut paths.
 *   const net = new FakeNet();  net.Connection is the class
 *   net.cut = (a, b) => boolean says which pairs can't reach each other */

import { FakeTrack } from './browserish.mjs';

const later = (work) => setTimeout(work, 1);

class FakeChannel extends EventTarget {
  readyState = 'connecting';
  bufferedAmount = 0;
  bufferedAmountLowThreshold = 0;

  constructor(pc, id) {
    super();
    this.pc = pc;
    this.id = id;
  }

  send(data) {
    if (this.readyState !== 'open') throw new Error('InvalidStateError');
    const { pc } = this;
    const copy = typeof data === 'string' ? data : data.slice().buffer;
    const bytes = typeof data === 'string' ? data.length : data.byteLength;
    this.bufferedAmount += bytes;
    setTimeout(() => {
      const before = this.bufferedAmount;
      this.bufferedAmount -= bytes;
      const low = this.bufferedAmountLowThreshold;
      if (before > low && this.bufferedAmount <= low) this.dispatchEvent(new Event('bufferedamountlow'));
      if (!pc.reaches(pc.other)) return;
      const event = new Event('message');
      event.data = copy;
      pc.net.sent(pc, this, event);
      // Who hasn't made that channel yet hears nothing.
      pc.other.channels.get(this.id)?.dispatchEvent(event);
    }, pc.net.latencyMs);
  }

  become(state) {
    if (this.readyState === state) return;
    this.readyState = state;
    this.dispatchEvent(new Event(state === 'open' ? 'open' : 'close'));
  }
}

class FakeTransceiver {
  /** As setCodecPreferences was told. */
  preferences = null;

  constructor(net, kind, direction) {
    this.direction = direction;
    this.receiver = { track: new FakeTrack(kind) };
    const sender = {
      track: null,
      parameters: { encodings: [{ active: true }] },
      async replaceTrack(track) {
        sender.track = track;
      },
      getParameters() {
        // As in Chromium, the one that was chosen comes first.
        const { codec } = sender.parameters.encodings[0];
        const isChosen = ({ mimeType }) => mimeType === codec?.mimeType;
        const codecs = kind === 'video' ? [...net.agreed.filter(isChosen), ...net.agreed.filter((one) => !isChosen(one))] : [];
        return structuredClone({ ...sender.parameters, codecs });
      },
      async setParameters(parameters) {
        const { encodings: [{ codec, ...encoding }], ...more } = parameters;
        sender.parameters = { ...more, encodings: [{ ...encoding, ...(codec && net.chooses ? { codec } : {}) }] };
      },
    };
    this.sender = sender;
  }

  setCodecPreferences(preferences) {
    this.preferences = preferences;
  }
}

export class FakeNet {
  connections = [];
  cut = () => false;
  /** Sees, and may change, what goes over the channels. */
  sent = () => {};
  /** Of the channels. */
  latencyMs = 5;
  /** The pictures' codecs on which both sides agree. */
  agreed = [];
  /** Whether a sender may choose among them. */
  chooses = true;

  get Connection() {
    const net = this;
    return class extends FakeConnection {
      constructor(options) {
        super(net, options);
      }
    };
  }

  /** Something about the paths has changed. */
  look() {
    for (const connection of this.connections) connection.look();
  }
}

class FakeConnection extends EventTarget {
  signalingState = 'stable';
  connectionState = 'new';
  localDescription = null;
  remoteDescription = null;
  candidates = [];
  other = null;
  /** What getStats tells. */
  stats = new Map();
  #transceivers = [];
  #needed = false;
  #generation = 0;
  #chain = Promise.resolve();

  constructor(net, options) {
    super();
    this.net = net;
    this.options = options;
    this.number = net.connections.push(this) - 1;
  }

  get ufrag() {
    return `u${this.number}g${this.#generation}`;
  }

  channels = new Map();

  createDataChannel(label, options) {
    const channel = new FakeChannel(this, options.id);
    this.channels.set(options.id, channel);
    if (options.id === 0) {
      this.channel = channel;
      this.channelOptions = { label, ...options };
      this.#need();
    } else {
      later(() => this.#openOthers());
    }
    return channel;
  }

  /** What is made beside the first opens without a negotiation. */
  #openOthers() {
    if (this.channel.readyState !== 'open') return;
    for (const channel of this.channels.values()) if (channel.readyState === 'connecting') channel.become('open');
  }

  addTransceiver(kind, { direction }) {
    const transceiver = new FakeTransceiver(this.net, kind, direction);
    this.#transceivers.push(transceiver);
    this.#need();
    return transceiver;
  }

  getTransceivers() {
    return this.#transceivers;
  }

  restartIce() {
    this.#generation += 1;
    this.#need();
  }

  async getStats() {
    return this.stats;
  }

  #need() {
    if (this.#needed) return;
    this.#needed = true;
    later(() => this.#fireNeeded());
  }

  #fireNeeded() {
    if (!this.#needed || this.signalingState !== 'stable') return;
    this.#needed = false;
    this.dispatchEvent(new Event('negotiationneeded'));
  }

  /** Operations one after another, each a turn later. */
  #queue(work) {
    const result = this.#chain.then(() => new Promise((resolve) => {
      later(resolve);
    })).then(work);
    this.#chain = result.catch(() => {});
    return result;
  }

  setLocalDescription() {
    return this.#queue(() => {
      const answers = this.signalingState === 'have-remote-offer';
      this.#describe('localDescription', answers ? 'answer' : 'offer', `fake\r\na=ice-ufrag:${this.ufrag}\r\n`);
      this.#setState(answers ? 'stable' : 'have-local-offer');
      const event = new Event('icecandidate');
      const candidate = { candidate: `candidate:${this.ufrag}`, usernameFragment: this.ufrag, sdpMid: '0' };
      event.candidate = { ...candidate, toJSON: () => candidate };
      later(() => this.dispatchEvent(event));
    });
  }

  setRemoteDescription({ type, sdp }) {
    return this.#queue(() => {
      if (!sdp.startsWith('fake')) throw new Error('OperationError');
      if (type === 'answer' && this.signalingState !== 'have-local-offer') throw new Error('InvalidStateError');
      // A restart changes both sides' credentials.
      if (type === 'offer' && this.remoteDescription && this.remoteDescription.sdp !== sdp) this.#generation += 1;
      this.#describe('remoteDescription', type, sdp);
      this.other = this.net.connections[Number(/ufrag:u(\d+)g/.exec(sdp)?.[1])];
      if (type === 'offer' && this.#transceivers.length === 0 && this.other?.getTransceivers().length > 0) {
        this.#transceivers.push(new FakeTransceiver(this.net, 'audio', 'recvonly'), new FakeTransceiver(this.net, 'video', 'recvonly'));
      }
      this.#setState(type === 'offer' ? 'have-remote-offer' : 'stable');
      for (const { receiver } of this.#transceivers) {
        this.dispatchEvent(Object.assign(new Event('track'), { track: receiver.track }));
      }
    });
  }

  addIceCandidate(candidate) {
    return this.#queue(() => {
      if (!this.remoteDescription) throw new Error('InvalidStateError');
      if (!this.remoteDescription.sdp.includes(`:${candidate.usernameFragment}\r`)) throw new Error('OperationError');
      this.candidates.push(candidate.candidate);
      this.net.look();
    });
  }

  close() {
    this.signalingState = 'closed';
    this.connectionState = 'closed';
    for (const channel of this.channels.values()) channel.become('closed');
    later(() => this.net.look());
  }

  #describe(which, type, sdp) {
    if (this.signalingState === 'closed') throw new Error('InvalidStateError');
    this[which] = { type, sdp };
  }

  #setState(state) {
    this.signalingState = state;
    if (state === 'stable') later(() => this.#fireNeeded());
    later(() => this.net.look());
  }

  reaches(other) {
    const lives = (one) => one && one.connectionState !== 'closed';
    return lives(this) && lives(other) && !this.net.cut(this, other);
  }

  /** Connected is who has described themselves to each other and has a candidate from there. */
  look() {
    if (this.connectionState === 'closed') return;
    const { other } = this;
    if (other?.connectionState === 'closed') for (const channel of this.channels.values()) channel.become('closed');
    const agreed = other?.other === this && this.signalingState === 'stable' && other.signalingState === 'stable'
      && this.remoteDescription.sdp === other.localDescription.sdp
      && this.localDescription.sdp === other.remoteDescription.sdp
      && this.candidates.some((candidate) => candidate === `candidate:${other.ufrag}`);
    const good = agreed && this.reaches(other);
    if (good === (this.connectionState === 'connected')) return;
    if (!good && !(this.connectionState === 'connected' && !this.reaches(other))) return;
    this.connectionState = good ? 'connected' : 'disconnected';
    this.dispatchEvent(new Event('connectionstatechange'));
    if (good && this.channel.readyState === 'connecting') {
      this.channel.become('open');
      this.#openOthers();
    }
  }
}

/* peer: the way to one other person, through as many connections as it takes.
 * Of a pair, who joined earlier is impolite: offers first and names each connection
 * (`conn`). Two who both hold themselves for the earlier one (one of them slept, was
 * forgotten and is listed anew) agree by their instances. Every offer, answer and candidate carries both page loads (`from`, `to`)
 * and `conn`; what names others is dropped. When a connection doesn't come about or
 * is lost, its ICE is restarted twice, then a new connection takes its place. */

import { Emitter } from './events.js';
import { Connection } from './connection.js';

export { prefer } from './codec-order.js';

/** @typedef {import('./connection.js').Tracks} Tracks */
/** @typedef {'connecting' | 'connected' | 'reconnecting' | 'no-path'} PeerState */

const BEAT_MS = 2_000;
const BEAT_STALE_MS = 6_000;
const DISCONNECTED_MS = 3_000;
const POLITE_EXTRA_MS = 3_000;
const CONNECT_MS = 12_000;
const CONNECT_MS_MAX = 60_000;
const RESTARTS_MAX = 2;
const RENEW_PAUSE_MS = 5_000;
const CLOSED_KEPT_MAX = 16;
const TYPES = /** @type {const} */ (['offer', 'answer', 'candidate', 'again']);

/**
 * @typedef {object} PeerEvents
 * @property {PeerState} state
 * @property {import('./connection.js').Received} track
 * @property {null} open the channel can be used (again)
 * @property {null} polls it says that it polls the mailbox, or no longer does
 * @property {Record<string, any>} data
 * @property {string} broken the code of what isn't as it was sealed
 */

/**
 * @typedef {{rtc: typeof RTCPeerConnection, iceServers: () => RTCIceServer[], polite: boolean, media?: boolean, tracks: Tracks,
 *   prefer: (transceiver: RTCRtpTransceiver) => void,
 *   mine: string, theirs: string | null, draw: () => string, mail: (type: string, body: object) => void,
 *   reachable: () => boolean, polling: () => boolean}} PeerOptions
 *   mine and theirs are the page loads' instances, theirs null for a plain user of the
 *   HTTP API; draw gives a connection's id; mail goes through the mailbox; reachable tells
 *   whether that works now, polling whether this page reads the mailbox as mail comes
 */

/** @extends {Emitter<PeerEvents>} */
export class Peer extends Emitter {
  #options;
  #polite;
  /** @type {Tracks} */
  #tracks;
  /** @type {Connection | null} */
  #connection = null;
  #conn = '';
  /** @type {string[]} */
  #closedConns = [];
  /** Candidates of a connection that hasn't been offered yet. @type {{conn: string, body: any}[]} */
  #early = [];
  #failures = 0;
  #wasConnected = false;
  #closed = false;
  #beats;
  #heardMs = 0;
  /** What its last beat said. */
  #polls = false;
  /** @type {import('./budget.js').Limits | null} */
  #limits = null;
  /** When the network changed: what is said by the channel may not arrive. */
  #doubtedMs = 0;
  #renewedMs = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {PeerOptions} options */
  constructor(options) {
    super();
    this.#options = options;
    this.#polite = options.polite;
    this.#tracks = options.tracks;
    /** @type {PeerState} */
    this.state = 'connecting';
    this.#beats = setInterval(() => this.#tick(), BEAT_MS);
    if (this.#polite) this.#expect(CONNECT_MS + POLITE_EXTRA_MS);
    else this.#renew();
  }

  /** Whether the other page was heard within the last beats. */
  get beating() {
    return this.#connection?.open === true && Date.now() - this.#heardMs < BEAT_STALE_MS;
  }

  /** Whether the other page polls the mailbox, as its last beats said. */
  get polling() {
    return this.#polls && this.beating;
  }

  /** How loud what comes from there is now, 0 to 1. */
  get level() {
    return this.#connection?.level ?? 0;
  }

  /**
   * A channel beside the first, another one with each connection.
   * @param {Parameters<Connection['beside']>} which
   */
  beside(...which) {
    return this.#connection?.beside(...which) ?? null;
  }

  /** Tell the other page that this one lives, and whether it polls. */
  beat() {
    this.say({ t: 'beat', polls: this.#options.polling() });
  }

  /**
   * @param {object} value
   * @returns {boolean} whether the channel took it
   */
  say(value) {
    return this.#connection?.say(JSON.stringify(value)) ?? false;
  }

  /**
   * A message of the other side, from the mailbox or the channel.
   * @param {string} type
   * @param {any} body
   */
  receive(type, body) {
    const known = TYPES.find((word) => word === type);
    if (this.#closed || !known || typeof body !== 'object' || body === null) return;
    const { mine, theirs } = this.#options;
    if (theirs !== null && (body.from !== theirs || body.to !== mine)) return;
    const conn = typeof body.conn === 'string' ? body.conn : theirs === null ? this.#conn : '';
    if (known === 'again') {
      if (this.#polite) return;
      // With a name it is the same connection that is to find another path.
      if (conn === '' || conn !== this.#conn) this.#anew();
      else if (this.#whole) this.#doubt();
      else this.#mend();
      return;
    }
    // An impolite one's offers tell its failures.
    if (known === 'offer' && !this.#polite && typeof body.failures === 'number' && !this.#giveWay()) return;
    if (conn !== this.#conn || !this.#connection || this.#over) {
      if (!this.#polite || this.#closedConns.includes(conn)) return;
      if (known === 'candidate') this.#early.push({ conn, body });
      if (this.#early.length > CLOSED_KEPT_MAX * 2) this.#early.shift();
      if (known !== 'offer') return;
      // Not the first offer of a connection that we don't have: the other page goes on
      // with one that we have given up.
      if (typeof body.n === 'number' && body.n > 1) {
        this.#anew();
        return;
      }
      this.#open(conn);
    }
    const connection = this.#connection;
    if (!connection) return;
    if (known === 'offer' && this.#polite && typeof body.failures === 'number') this.#learn(body.failures);
    // The other side is mending it already.
    if (known === 'offer' && this.state !== 'connected') this.#expect(CONNECT_MS + POLITE_EXTRA_MS);
    void connection.receive(known, body);
    if (known !== 'offer') return;
    const early = this.#early.filter((entry) => entry.conn === conn);
    this.#early = this.#early.filter((entry) => entry.conn !== conn);
    for (const entry of early) void connection.receive('candidate', entry.body);
  }

  /**
   * @param {Tracks} tracks
   * @returns {Promise<void>}
   */
  async setTracks(tracks) {
    this.#tracks = tracks;
    await this.#connection?.setTracks(tracks);
  }

  /** @param {RTCIceServer[]} iceServers */
  relays(iceServers) {
    this.#connection?.relays(iceServers);
  }

  /** @param {import('./budget.js').Limits} limits of what is sent */
  limit(limits) {
    this.#limits = limits;
    this.#connection?.limit(limits);
  }

  /** What the browser measured of the connection. */
  async report() {
    return await this.#connection?.report() ?? null;
  }

  /**
   * The page woke: mend at once what doesn't work.
   * @param {boolean} [moved] the network changed: what seems to work may not for long
   */
  wake(moved = false) {
    if (!this.#connection) return;
    if (!this.#whole) {
      this.#mend();
    } else if (moved) {
      this.#doubt();
    }
  }

  /** The network changed, here or there: the impolite one restarts, lest both make an offer. */
  #doubt() {
    const { mine, theirs, mail } = this.#options;
    if (Date.now() - this.#doubtedMs < DISCONNECTED_MS) return;
    this.#doubtedMs = Date.now();
    if (!this.#polite) this.#connection?.restart();
    else if (theirs !== null) mail('again', { from: mine, to: theirs, conn: this.#conn });
  }

  close() {
    this.#closed = true;
    clearInterval(this.#beats);
    clearTimeout(this.#timer);
    this.#connection?.close();
  }

  /** The impolite one begins a connection. */
  #renew() {
    this.#renewedMs = Date.now();
    this.#open(this.#options.draw()).start();
    this.#expect(Math.min(CONNECT_MS * 2 ** Math.max(0, this.#failures - RESTARTS_MAX), CONNECT_MS_MAX));
  }

  /**
   * @param {string} conn
   * @returns {Connection}
   */
  #open(conn) {
    if (this.#connection) {
      this.#connection.close();
      this.#closedConns = [...this.#closedConns, this.#conn].slice(-CLOSED_KEPT_MAX);
    }
    this.#conn = conn;
    this.#heardMs = 0;
    this.#polls = false;
    const connection = new Connection({
      rtc: this.#options.rtc,
      iceServers: this.#options.iceServers(),
      polite: this.#polite,
      media: this.#options.media,
      tracks: this.#tracks,
      prefer: this.#options.prefer,
      send: (type, body) => this.#send(connection, type, { conn, ...body }),
    });
    this.#connection = connection;
    if (this.#limits) connection.limit(this.#limits);
    connection.on('state', () => this.#watch(connection));
    connection.on('track', ({ detail }) => this.emit('track', detail));
    connection.on('open', () => {
      this.#heardMs = Date.now();
      this.beat();
      this.#publish();
      this.emit('open', null);
    });
    connection.on('data', ({ detail }) => this.#heard(detail));
    connection.on('unusable', () => this.#anew());
    connection.on('fingerprint', () => this.emit('broken', 'seal-other-fingerprint'));
    this.#publish();
    return connection;
  }

  /**
   * By the pair's own channel where that works, else by the mailbox.
   * @param {Connection} connection
   * @param {string} type
   * @param {object} body
   */
  #send(connection, type, body) {
    if (this.#closed || connection !== this.#connection) return;
    const { mine, theirs, mail } = this.#options;
    // The polite one can't tell a path that isn't there from one that is being made.
    const failures = type === 'offer' && !this.#polite ? { failures: this.#failures } : {};
    const whole = { from: mine, to: theirs, ...failures, ...body };
    const direct = connection.state === 'connected' && this.beating && Date.now() - this.#doubtedMs > BEAT_STALE_MS;
    if (direct && this.say({ t: 'signal', type, body: whole })) return;
    mail(type, whole);
    // It may have let go of its poll. Where this doesn't arrive, our silence tells it.
    this.say({ t: 'look' });
  }

  /** @param {string} text */
  #heard(text) {
    this.#heardMs = Date.now();
    /** @type {any} */
    let value;
    try {
      value = JSON.parse(text);
    } catch {
      return;
    }
    // Nothing is made a text of that isn't one: an object with a toString of its own would throw.
    if (typeof value?.t !== 'string') return;
    if (this.state !== 'connected') this.#publish();
    if (value.t === 'beat') {
      const before = this.#polls;
      this.#polls = value.polls === true;
      if (before !== this.#polls) this.emit('polls', null);
    } else if (value.t === 'signal') {
      this.receive(value.type, value.body);
    } else {
      this.emit('data', value);
    }
  }

  #tick() {
    this.beat();
    if (this.state === 'connected' && !this.#whole) this.#publish();
  }

  /** @param {Connection} connection whose state has changed */
  #watch(connection) {
    if (this.#closed || connection !== this.#connection) return;
    if (connection.state === 'disconnected') this.#expect(DISCONNECTED_MS + this.#politeExtraMs);
    if (connection.state === 'failed') this.#expect(this.#politeExtraMs);
    // Neither side begins another one sooner.
    if (connection.state === 'closed') this.#expect(RENEW_PAUSE_MS + this.#politeExtraMs);
    this.#publish();
  }

  /** @param {number} failures the other side's, which makes the offers */
  #learn(failures) {
    if (this.#whole || failures <= this.#failures) return;
    this.#failures = Math.min(failures, RESTARTS_MAX + 1);
    this.#publish();
  }

  /** Some implementations close a connection that has failed: it can't be mended. */
  get #over() {
    return this.#connection?.state === 'closed';
  }

  /** A plain user of the HTTP API needn't have a channel. */
  get #whole() {
    return this.#connection?.state === 'connected' && (this.#options.theirs === null || this.beating);
  }

  /** Tell what the connection's state means for the person. */
  #publish() {
    if (this.#closed) return;
    const whole = this.#whole;
    if (whole) {
      clearTimeout(this.#timer);
      this.#failures = 0;
      this.#wasConnected = true;
    }
    const broken = this.#failures > RESTARTS_MAX ? 'no-path' : this.#wasConnected ? 'reconnecting' : 'connecting';
    const next = whole ? 'connected' : broken;
    if (next === this.state) return;
    this.state = next;
    this.emit('state', next);
  }

  /** The polite one leaves the other the first try, lest both make an offer. */
  get #politeExtraMs() {
    return this.#polite ? POLITE_EXTRA_MS : 0;
  }

  /**
   * If nothing has come of it in this time, mend it.
   * @param {number} ms
   */
  #expect(ms) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#mend(), ms);
  }

  /**
   * Both are impolite: one is polite from here on, the other begins a connection that can be taken.
   * @returns {boolean} whether it is this one
   */
  #giveWay() {
    const { mine, theirs } = this.#options;
    this.#polite = theirs !== null && mine > theirs;
    if (!this.#polite && !this.#whole) this.#anew();
    return this.#polite;
  }

  /** This connection won't do any more: begin another, or ask the impolite one for it. */
  #anew() {
    // Both may say so, and what they said before may still be on its way.
    if (this.#closed || Date.now() - this.#renewedMs < RENEW_PAUSE_MS) return;
    const { mine, theirs, mail } = this.#options;
    if (!this.#polite) {
      this.#renew();
    } else if (theirs !== null) {
      this.#renewedMs = Date.now();
      mail('again', { from: mine, to: theirs });
      // It may be too soon for the other side.
      if (this.#over && this.#failures <= RESTARTS_MAX) this.#expect(RENEW_PAUSE_MS + POLITE_EXTRA_MS);
    }
  }

  #mend() {
    if (this.#closed || this.#whole) return;
    const { theirs, reachable } = this.#options;
    // Offers would only pile up: no failure of this connection.
    if (!reachable()) {
      this.#expect(DISCONNECTED_MS);
      return;
    }
    this.#failures += 1;
    if (this.#connection && !this.#over && this.#failures <= RESTARTS_MAX) {
      this.#connection.restart();
      this.#expect(CONNECT_MS + this.#politeExtraMs);
    } else if (theirs === null) {
      // Who doesn't speak our protocol gets one offer, not a mailbox full.
      this.#failures = RESTARTS_MAX + 1;
    } else {
      this.#expect(this.#failures > RESTARTS_MAX ? CONNECT_MS_MAX / 2 : RENEW_PAUSE_MS + this.#politeExtraMs);
      this.#anew();
    }
    this.#publish();
  }
}

/* member: one other person: what the page shows of them, and the way to them. */

export const NAME_CHARACTERS_MAX = 64;
/** @typedef {import('./peer.js').Peer} Peer */
/** @typedef {import('./peer.js').PeerOptions} PeerOptions */

/** A page that makes more streams than this is broken. */
const SCREENS_MAX = 4;

/**
 * A person as the page sees them. The object stays the same while they are here;
 * 'peer-updated' tells that something in it changed.
 */
export class Person {
  /** @param {string} id */
  constructor(id) {
    this.id = id;
    this.name = '';
    /** @type {'connecting' | 'connected' | 'reconnecting' | 'no-path' | 'away'} */
    this.state = 'connecting';
    /** What is received from them; the same object from the first track on. @type {MediaStream | null} */
    this.stream = null;
    /** What they share of their screen, while they do. @type {MediaStream | null} */
    this.screen = null;
    /** How their camera's picture comes: still is one in a few seconds. @type {'moving' | 'still' | 'none'} */
    this.picture = 'moving';
    /** Why there is no more: it wasn't asked for, they chose so, or for want of bits. @type {'asked' | 'choice' | 'bits'} */
    this.why = 'asked';
    /** Whether it should be moving and has stood still here for some seconds. */
    this.frozen = false;
    this.mic = false;
    this.cam = false;
    /** Whether they are a host of the room. */
    this.host = false;
    /** The room's own count, higher for who joined later. No time. */
    this.joined = 0;
    /** Uses the HTTP API with plain JSON, not this SDK. */
    this.plain = false;
    /**
     * Why they can't be spoken to, null where they can: in a sealed room they came without its
     * secret or with another; in an open room theirs is a sealed one.
     * @type {'no-secret' | 'other-secret' | 'sealed' | null}
     */
    this.outside = null;
    /** Who passes on text and files, where there is no path and somebody reaches both. @type {Person | null} */
    this.via = null;
  }
}

/**
 * @typedef {object} Upward what a member tells its room
 * @property {(member: Member) => unknown} updated
 * @property {(member: Member) => unknown} opened its channel is there (again)
 * @property {(member: Member, value: Record<string, any>) => unknown} said
 * @property {(member: Member) => unknown} polls whether it polls has changed
 * @property {(member: Member, code: string) => unknown} broken what isn't as it was sealed
 */

export class Member {
  /** @type {Peer | null} */
  #peer = null;
  #up;
  /** @type {import('./budget.js').Limits | null} */
  #limits = null;
  /** Streams besides the person's own, by the id that their page gave them. @type {Map<string, MediaStream>} */
  #screens = new Map();
  /** The name that the server gives them, which goes before what they say. @type {string | null} */
  #given = null;
  /** Which of these they say is their screen. @type {string | null} */
  #shared = null;

  /** Through somebody else, where there is no path. @type {import('./carried-way.js').Way | null} */
  way = null;

  /**
   * @param {import('./types.js').Listed} listed
   * @param {Upward} up
   */
  constructor(listed, up) {
    this.#up = up;
    this.person = new Person(listed.peer);
    /** The page load behind it, null for a plain user. @type {string | null} */
    this.instance = null;
    /** Whether its browser said that H.264 is power-efficient there. */
    this.h264 = false;
    /** Its public key in a sealed room. @type {string | null} */
    this.pub = null;
    /** The server holds it for gone, or its page said that it closes. */
    this.lapsed = false;
    this.leaving = false;
    this.list(listed);
  }

  get id() {
    return this.person.id;
  }

  get beating() {
    return this.#peer?.beating === true;
  }

  get connected() {
    return this.#peer?.state === 'connected';
  }

  /** Whether it reads the mailbox as mail comes, as its last beats said. */
  get polling() {
    return this.#peer?.polling === true;
  }

  /** The channel for files, another one with each connection. @returns {RTCDataChannel | null} */
  get bulk() {
    const channel = /** @type {unknown} */ (this.way?.channel);
    return /** @type {RTCDataChannel | undefined} */ (channel) ?? this.beside('klatch-files', 1);
  }

  /** The channel for what is passed on for others. @returns {RTCDataChannel | null} */
  get carry() {
    return this.beside('klatch-carry', 2);
  }

  /**
   * A channel of the connection itself, also where text and files go through somebody else.
   * @param {Parameters<Peer['beside']>} which
   */
  beside(...which) {
    return this.#peer?.beside(...which) ?? null;
  }

  /**
   * By the connection itself.
   * @param {object} value
   * @returns {boolean}
   */
  sayDirect(value) {
    return this.#peer?.say(value) ?? false;
  }

  /** Whether what is said and sent arrives now. */
  get reached() {
    return this.connected || this.way !== null;
  }

  /** Tell it now what else the next beat would. */
  beat() {
    this.#peer?.beat();
  }

  /**
   * What the server lists of it. Names and meta are somebody else's words.
   * @param {import('./types.js').Listed} listed
   */
  list({ peer, name, joined, card }) {
    const { value, plain, pub, outside } = card ?? { value: null, plain: true, pub: null, outside: null };
    this.person.id = peer;
    if (typeof joined === 'number') this.person.joined = joined;
    if (this.pub !== null && pub !== this.pub) {
      this.#up.broken(this, 'seal-other-key');
      return;
    }
    this.pub = pub;
    this.person.outside = outside;
    this.person.plain = plain;
    this.instance = !plain && typeof value?.instance === 'string' ? value.instance : null;
    this.h264 = value?.h264 === true;
    // Sealed names come from the pages alone.
    this.#given = pub === null && typeof name === 'string' && name !== '' ? name : null;
    // The channel knows better than what was said at joining.
    this.tell(this.beating ? { name: this.person.name } : { name: value?.name, mic: value?.mic, cam: value?.cam });
  }

  /**
   * What the person's page says about them.
   * @param {{name?: unknown, mic?: unknown, cam?: unknown, screen?: unknown}} state
   */
  tell({ name: said, mic, cam, screen }) {
    const { person } = this;
    const name = this.#given ?? said;
    if (typeof name === 'string') person.name = name.trim().slice(0, NAME_CHARACTERS_MAX);
    if (typeof mic === 'boolean') person.mic = mic;
    if (typeof cam === 'boolean') person.cam = cam;
    if (typeof screen === 'string' || screen === null) this.#shared = screen;
    this.#showScreen();
  }

  /** How loud they are now, 0 to 1. */
  get level() {
    return this.#peer?.level ?? 0;
  }

  /**
   * Begin to connect.
   * @param {Omit<PeerOptions, 'theirs'> & {make: (options: PeerOptions) => Peer}} options
   */
  connect({ make, ...options }) {
    this.#peer?.close();
    const peer = make({ ...options, theirs: this.instance });
    this.#peer = peer;
    if (this.#limits) peer.limit(this.#limits);
    peer.on('state', () => this.refresh());
    peer.on('track', ({ detail }) => this.#receive(detail));
    peer.on('open', () => this.#up.opened(this));
    peer.on('data', ({ detail }) => this.#up.said(this, detail));
    peer.on('polls', () => this.#up.polls(this));
    peer.on('broken', ({ detail }) => this.#up.broken(this, detail));
  }

  /** Work out the state that is shown; tells the room when it changed. */
  refresh() {
    const none = this.person.outside ? 'no-path' : 'connecting';
    const state = this.leaving && !this.connected ? 'away' : this.#peer?.state ?? none;
    if (state === this.person.state) return;
    this.person.state = state;
    this.#up.updated(this);
  }

  /**
   * @param {object} value
   * @returns {boolean}
   */
  say(value) {
    return this.way?.say(value) || this.sayDirect(value);
  }

  /**
   * @param {string} type
   * @param {any} body
   */
  receive(type, body) {
    this.#peer?.receive(type, body);
  }

  /** @param {import('./connection.js').Tracks} tracks */
  async setTracks(tracks) {
    await this.#peer?.setTracks(tracks);
  }

  /** @param {RTCIceServer[]} iceServers for the next time that a path is looked for */
  relays(iceServers) {
    this.#peer?.relays(iceServers);
  }

  /** @param {import('./budget.js').Limits} limits of what is sent to them */
  limit(limits) {
    this.#limits = limits;
    this.#peer?.limit(limits);
  }

  /** What the browser measured of the connection to them. */
  async report() {
    return await this.#peer?.report() ?? null;
  }

  /** @param {boolean} [moved] whether the network changed */
  wake(moved) {
    this.#peer?.wake(moved);
  }

  close() {
    this.#peer?.close();
    this.#peer = null;
  }

  /**
   * A new connection's track takes the former one's place in the same stream, so
   * that what plays it needn't know.
   * @param {import('./connection.js').Received} received
   */
  #receive({ track, stream: id }) {
    const stream = id === null ? this.person.stream ??= new MediaStream() : this.#screen(id);
    for (const former of stream.getTracks()) {
      if (former.kind === track.kind && former !== track) stream.removeTrack(former);
    }
    stream.addTrack(track);
    this.#showScreen();
    this.#up.updated(this);
  }

  /** @param {string} id */
  #screen(id) {
    const stream = this.#screens.get(id) ?? new MediaStream();
    this.#screens.set(id, stream);
    const [oldest] = this.#screens.keys();
    if (this.#screens.size > SCREENS_MAX) this.#screens.delete(oldest ?? '');
    return stream;
  }

  /** The track and the word about it come by different ways, either first. */
  #showScreen() {
    const stream = this.#shared === null ? undefined : this.#screens.get(this.#shared);
    this.person.screen = stream && stream.getVideoTracks().length > 0 ? stream : null;
  }
}

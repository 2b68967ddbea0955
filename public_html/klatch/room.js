/* room: everybody in one room, one connection to each, and what is said between them.
 * Who joined earlier makes the connection to a newcomer; the newcomer waits for it. */

import { Budget } from './budget.js';
import { Carrying } from './carrying.js';
import { KlatchProblem, asProblem } from './problem.js';
import { Filing } from './filing.js';
import { Hosting } from './hosting.js';
import { LateEmitter } from './events.js';
import { Later, loadPart } from './later.js';
import { Letters } from './letters.js';
import { Others } from './others.js';
import { Own } from './own.js';
import { Resting } from './resting.js';
import { Roster } from './roster.js';
import { Session } from './session.js';
import { Signaling } from './signaling.js';
import { Talk } from './talk.js';
import { Ticket } from './ticket.js';
import { callsElsewhere, nameOf, offerCall } from './tabs.js';
import { environment } from './env.js';
import { randomId } from './bytes.js';
import { watchPage } from './page.js';

/** @typedef {import('./chat.js').Message} Message */
/** @typedef {import('./member.js').Member} Member */
/** @typedef {import('./member.js').Person} Person */
/** @typedef {import('./types.js').Listed} Listed */
/** @typedef {import('./types.js').JoinOptions} JoinOptions */
/** @typedef {import('./types.js').RoomEvents} RoomEvents */

/** What the server's last word means for the person. @type {Record<string, string>} */
const ENDS = { 'room-closed': 'closed' };

/** @extends {LateEmitter<RoomEvents>} */
export class Room extends LateEmitter {
  #env;
  #signaling;
  #iceServers;
  #instance = randomId();
  #post;
  #letters;
  #talk;
  #filing;
  /** @type {Later<import('./relays.js').Relays>} */
  #relays;
  #carrying;
  #hosting;
  /** @type {Later<import('./channels.js').Channels>} */
  #channels;
  #resting;
  #roster;
  /** @type {Others} */
  #others;
  #api;
  #own;
  /** @type {Promise<void> | null} */
  #leaving = null;
  /** @type {(() => void)[]} */
  #undo = [];

  /**
   * @param {JoinOptions} options
   * @param {import('./post.js').Post} post
   */
  constructor({ api, room, name = '', token, password, media = null, data = false, iceServers, storage, env }, post) {
    super();
    this.#post = post;
    this.#env = environment({ ...env, ...(storage === undefined ? {} : { storage }) });
    const { rtc } = this.#env;
    if (!rtc) throw new KlatchProblem('no-webrtc');
    this.#iceServers = iceServers;
    this.#own = new Own(name, media, data);
    this.#api = api;
    const session = new Session({ ...this.#env, name: nameOf(api, room) });
    const meta = async () => this.#post.meta({
      v: 1, instance: this.#instance, h264: await this.#others.h264(), ...this.#own.state,
    });
    const ticket = new Ticket(token, password);
    this.#signaling = new Signaling({ env: this.#env, api, room, meta, session, ticket });
    const self = () => ({ peer: this.#signaling.peer, instance: this.#instance });
    this.#roster = new Roster({ self, make: (listed) => this.#others.make(listed) });
    this.#resting = new Resting(this.#signaling, () => this.#roster.members, () => this.#hosting.awaits);
    this.name = room;
    const failed = (/** @type {KlatchProblem} */ problem) => this.emit('problem', { problem });
    /** Who gets how much of what is sent, and how the connections do. */
    this.budget = new Budget({
      members: () => this.#roster.members,
      sources: () => this.#own.sources,
      failed,
    });
    const around = {
      self: () => this.self,
      members: () => this.#roster.members,
      earlier: (/** @type {Member} */ member) => this.#roster.isEarlier(member),
      mail: (/** @type {Member} */ member, /** @type {string} */ type, /** @type {unknown} */ body) => (
        this.#letters.write(member, type, body)),
      emit: this.emit.bind(this),
    };
    this.#talk = new Talk(around, failed);
    this.#letters = new Letters({
      post,
      signaling: this.#signaling,
      roster: this.#roster,
      around: {
        over: () => this.#leaving !== null,
        alert: (type, word) => this.#others.alert(type, word),
        house: (type, word) => this.#hosting.heard(type, word),
        chat: (...letter) => this.#talk.mailed(...letter),
        key: (member, value) => this.#carrying.mailed(member, value),
        broken: (member) => this.#others.broken(member, 'seal-broken'),
      },
    });
    this.#filing = new Filing(around, failed);
    this.#relays = new Later(async () => {
      const { Relays } = await loadPart(() => import('./relays.js'), 'relays');
      return new Relays(this.#signaling, () => this.#roster.members);
    }, failed);
    this.#hosting = new Hosting({
      ...around,
      signaling: this.#signaling,
      ticket,
      read: (listed) => this.#post.read(listed),
      changed: (member) => this.#others.updated(member),
      settled: () => this.#resting.rest(),
      kicked: (peer) => {
        const word = { peer, reason: 'kicked' };
        this.#others.alert('peer-left', word);
        this.#roster.went(word);
      },
    }, failed);
    this.#channels = new Later(async () => {
      const { Channels } = await loadPart(() => import('./channels.js'), 'channels');
      return new Channels({ members: around.members, mine: this.#instance, over: () => this.#leaving !== null });
    }, failed);
    this.#carrying = new Carrying({
      ...around,
      room,
      instance: this.#instance,
      changed: (member) => this.#roster.has(member) && this.#others.updated(member),
      greet: (member) => this.#roster.has(member) && this.#others.reach(member),
      take: (member, value) => this.#roster.has(member) && this.#others.heard(member, value),
      broken: (member, code) => this.#others.broken(member, code),
      bits: () => this.budget.bits,
    }, failed);
    this.#others = new Others({
      env: this.#env,
      rtc,
      iceServers: () => this.#iceServers ?? this.#signaling.iceServers,
      data,
      instance: this.#instance,
      own: this.#own,
      signaling: this.#signaling,
      roster: this.#roster,
      letters: this.#letters,
      resting: this.#resting,
      hosting: this.#hosting,
      budget: this.budget,
      talk: this.#talk,
      filing: this.#filing,
      carrying: this.#carrying,
      channels: this.#channels,
      emit: around.emit,
    });
  }

  /** This person. */
  get self() {
    const { state, sources } = this.#own;
    const id = this.#signaling.peer;
    return { id, ...state, screen: sources.screen, host: this.#hosting.has(id) };
  }

  /** How loud everybody else is now, 0 to 1. @returns {Map<Person, number>} */
  get levels() {
    return new Map(this.#roster.members.map((member) => [member.person, member.level]));
  }

  /**
   * @override
   * @param {string} type
   */
  missed(type) {
    return type === 'peer-joined' ? this.people : [];
  }

  /** Everybody else, in the order of joining. */
  get people() {
    return this.#roster.members.map(({ person }) => person);
  }

  get counts() {
    const people = this.people;
    return { connected: people.filter(({ state }) => state === 'connected').length, others: people.length };
  }

  /** Whether nobody without the link's secret can take part, the server neither. */
  get sealed() {
    return this.#post.sealed;
  }

  get server() {
    return this.#signaling.state;
  }

  /** Whether nobody else may come in, whether a host has to let them, whether there is a password. */
  get settings() {
    return this.#hosting.settings;
  }

  /** Who waits to be let in, where this person is a host. */
  get knocking() {
    return this.#hosting.knocking;
  }

  /**
   * What a host changes and decides.
   * @returns {Promise<import('./host.js').Host>}
   * @throws {KlatchProblem} not-loaded
   */
  hosting() {
    return this.#hosting.open();
  }

  /** Between whom this page passes on text and files, as they have no path to each other. */
  get carrying() {
    return this.#carrying.pairs;
  }

  /**
   * The first step, joinRoom's.
   * @param {Pick<JoinOptions, 'signal' | 'takeOver' | 'onWaiting'>} [options]
   */
  async join({ signal, takeOver = false, onWaiting } = {}) {
    const loading = loadPart(() => import('./peer.js'), 'peer').catch(asProblem);
    this.#readMedia();
    const [other] = takeOver ? await callsElsewhere(this.#env, this.#api, this.name, 0) : [];
    const key = other === undefined ? null : await this.#takeOver(other);
    const off = this.#signaling.on('waiting', ({ detail }) => onWaiting?.(detail));
    const listed = await this.#signaling.join(signal, key);
    off();
    const part = signal?.aborted ? new KlatchProblem('aborted') : await loading;
    if (part instanceof KlatchProblem) {
      await this.#signaling.leave();
      throw part;
    }
    this.#listen(part);
    // It may have changed while the server was asked.
    this.#readMedia();
    this.#adopt();
    this.#resting.arrive(listed);
    for (const entry of await this.#post.read(listed)) this.#roster.add(entry, true);
    this.#signaling.start();
  }

  /** What is sent, with its streams: what joinRoom was given, else made when something is first turned on. */
  get media() {
    return this.#own.media;
  }

  /**
   * Mute or unmute, here and in the others' eyes.
   * @param {boolean} on
   * @returns {Promise<boolean>} whether it is on now; why not is told by 'problem'
   * @throws {KlatchProblem} data-only, as camera and share
   */
  microphone(on) {
    return this.#own.microphone(on);
  }

  /**
   * @param {boolean} on
   * @returns {Promise<boolean>} as for the microphone
   */
  camera(on) {
    return this.#own.camera(on);
  }

  /**
   * Share a screen beside the camera, or stop it. The browser asks which; call it from a click.
   * @param {boolean} on
   * @returns {Promise<boolean>} as for the microphone
   */
  share(on) {
    return this.#own.share(on);
  }

  /**
   * Say something.
   * @param {string} text
   * @param {Person | null} [to] one person alone; everybody who is here now unless told
   * @returns {Message} which also comes as an event
   * @throws {KlatchProblem} bad-message, peer-not-found
   */
  say(text, to = null) {
    return this.#talk.say(text, to);
  }

  /**
   * Tell that this person is writing, or no longer is.
   * @param {boolean} on
   * @param {Person | null} [to]
   */
  writing(on, to = null) {
    this.#talk.writing(on, to);
  }

  /**
   * What files are offered and taken with.
   * @returns {Promise<import('./files.js').Files>}
   * @throws {KlatchProblem} not-loaded
   */
  files() {
    return this.#filing.open();
  }

  /**
   * Open a channel for what this page says to the same in other people's, by a name that all of them know.
   * @param {string} name
   * @param {import('./channel.js').ChannelOptions} [options]
   * @returns {Promise<import('./channel.js').Channel>} the same one while it is open
   * @throws {KlatchProblem} bad-channel, channel-closed, not-loaded
   */
  async channel(name, options) {
    return (await this.#channels.open()).open(name, options);
  }

  /** @param {string} name a name that a token gave stays, where the room isn't sealed */
  rename(name) {
    this.#own.rename((this.sealed ? null : this.#signaling.name) ?? name);
    this.#others.tellAll({ t: 'state', ...this.#own.state });
  }

  /**
   * Hang up.
   * @returns {Promise<void>} when the server knows, or can't be told
   */
  leave() {
    this.#leaving ??= this.#out('left');
    return this.#leaving;
  }

  /** The page slept, or may have: mend at once what doesn't work. */
  wake() {
    for (const member of this.#roster.members) member.wake();
  }

  /** Hang up without waiting for anything. */
  destroy() {
    void this.leave();
  }

  /** @param {string} reason */
  async #out(reason) {
    this.#others.tellAll({ t: 'bye', soon: false });
    const done = this.#signaling.leave();
    this.#close(reason);
    await done;
  }

  /** @param {string} peer another tab's, whose key is asked for */
  async #takeOver(peer) {
    const { askForCall } = await loadPart(() => import('./takeover.js'), 'takeover');
    return askForCall(this.#env, nameOf(this.#api, this.name), peer);
  }

  /** Another tab goes on in our place; to the others that is as if this page were reloaded. */
  #giveUp() {
    this.#others.tellAll({ t: 'bye', soon: true });
    const key = this.#signaling.handOver();
    this.#leaving ??= Promise.resolve();
    this.#close('taken-over');
    return key;
  }

  /** @param {string} reason */
  #close(reason) {
    for (const undo of this.#undo.splice(0)) undo();
    this.#talk.close();
    this.#filing.close();
    this.#relays.close((relays) => relays.close());
    this.#carrying.close();
    this.#hosting.close();
    this.#channels.close((channels) => channels.close());
    this.#others.close();
    this.emit('left', { reason });
  }

  /** @param {typeof import('./peer.js')} linking what makes connections */
  #listen(linking) {
    const signaling = this.#signaling;
    this.#undo.push(
      ...this.#others.listen(linking),
      signaling.on('waiting', ({ detail }) => this.emit('waiting', detail)),
      signaling.on('message', ({ detail }) => this.#letters.take(detail)),
      signaling.on('gap', ({ detail }) => this.#letters.reconcile(detail.peers, false)),
      signaling.on('rejoined', ({ detail }) => this.#rejoined(detail)),
      signaling.on('state', ({ detail }) => {
        this.#resting.tell();
        this.emit('server', { state: detail });
      }),
      signaling.on('problem', ({ detail }) => this.emit('problem', { problem: detail })),
      signaling.on('ended', ({ detail }) => {
        this.emit('problem', { problem: detail });
        this.#leaving ??= this.#out(ENDS[detail.code] ?? detail.code);
      }),
    );
    this.#undo.push(watchPage(this.#env.page, {
      hides: () => {
        this.#others.tellAll({ t: 'bye', soon: true });
        signaling.leaveSoon();
      },
      shows: () => {
        // Takes back what was said at hiding.
        this.#others.tellAll({ t: 'state', ...this.#own.state });
        this.wake();
      },
      online: () => {
        for (const member of this.#roster.members) member.wake(true);
      },
      slept: () => {
        this.#relays.tellIfWanted((relays) => relays.look());
        signaling.wake();
        this.wake();
      },
      passes: () => {
        this.#roster.watch();
        this.#resting.rest();
      },
    }));
    const call = { peer: () => signaling.peer, give: () => this.#giveUp() };
    this.#undo.push(offerCall(this.#env, this.#api, this.name, call));
    this.#undo.push(() => this.budget.close());
    this.#undo.push(this.#own.listen({
      changed: () => this.#readMedia(),
      problem: (problem) => this.emit('problem', { problem }),
    }));
  }

  /** What the server said at joining, but for who is here. */
  #adopt() {
    const { name, iceLifetimeMs } = this.#signaling;
    if (name !== null && !this.sealed) this.#own.rename(name);
    if (!this.#iceServers && iceLifetimeMs > 0) this.#relays.tell((relays) => relays.hold());
    this.#hosting.adopt(this.#signaling.house);
  }

  /** @param {{peers: Listed[], resumed: boolean}} detail */
  #rejoined({ peers, resumed }) {
    this.#adopt();
    // Over the channels the others learn that this is no newcomer.
    if (!resumed) {
      this.#others.tellAll({ t: 'moved', id: this.#signaling.peer });
      this.#resting.arrive(peers);
    }
    void this.#letters.reconcile(peers, !resumed).then(() => this.#resting.rest());
  }

  /** Send the tracks that are there now, and say what is on. */
  #readMedia() {
    const changed = this.#own.read();
    const { tracks } = this.#own;
    for (const member of this.#roster.members) void member.setTracks(tracks);
    if (!changed) return;
    this.#others.tellAll({ t: 'state', ...this.#own.state });
    this.budget.plan();
  }
}

/* room: everybody in one room, one connection to each, and what is said between them.
 * Who joined earlier makes the connection to a newcomer; the newcomer waits for it. */

import { Budget } from './budget.js';
import { Carrying } from './carrying.js';
import { H264_MOST, isH264Efficient, prefer } from './codec.js';
import { KlatchProblem, asProblem } from './problem.js';
import { Filing } from './filing.js';
import { Hosting } from './hosting.js';
import { LateEmitter } from './events.js';
import { Later, loadPart } from './later.js';
import { Letters } from './letters.js';
import { Member } from './member.js';
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
/** @typedef {import('./member.js').Person} Person */
/** @typedef {import('./types.js').Listed} Listed */
/** @typedef {import('./types.js').JoinOptions} JoinOptions */
/** @typedef {import('./types.js').RoomEvents} RoomEvents */

/** How long connections stay after the goodbye, for it to arrive. */
const GOODBYE_MS = 300;

/** What the server's last word means for the person. @type {Record<string, string>} */
const ENDS = { 'room-closed': 'closed' };

/** @extends {LateEmitter<RoomEvents>} */
export class Room extends LateEmitter {
  #env;
  #rtc;
  /** What makes connections, loaded while we join. @type {typeof import('./peer.js') | null} */
  #linking = null;
  #data;
  #signaling;
  #iceServers;
  #instance = randomId();
  #post;
  /** What was told of whom, lest it be told with each letter. @type {Set<string>} */
  #told = new Set();
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
  /** Whether H.264 is power-efficient here. */
  #h264 = false;
  #roster;
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
    if (!this.#env.rtc) throw new KlatchProblem('no-webrtc');
    this.#rtc = this.#env.rtc;
    this.#data = data;
    this.#iceServers = iceServers;
    this.#own = new Own(name, media, data);
    this.#api = api;
    const session = new Session({ ...this.#env, name: nameOf(api, room) });
    const efficient = isH264Efficient(this.#env.capabilities);
    const meta = async () => {
      this.#h264 = await efficient;
      return this.#post.meta({ v: 1, instance: this.#instance, h264: this.#h264, ...this.#own.state });
    };
    const ticket = new Ticket(token, password);
    this.#signaling = new Signaling({ env: this.#env, api, room, meta, session, ticket });
    const self = () => ({ peer: this.#signaling.peer, instance: this.#instance });
    this.#roster = new Roster({ self, make: (listed) => this.#member(listed) });
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
        alert: (type, word) => this.#alert(type, word),
        house: (type, word) => this.#hosting.heard(type, word),
        chat: (...letter) => this.#talk.mailed(...letter),
        key: (member, value) => this.#carrying.mailed(member, value),
        broken: (member) => this.#broken(member, 'seal-broken'),
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
      changed: (member) => this.#updated(member),
      settled: () => this.#resting.rest(),
      kicked: (peer) => {
        const word = { peer, reason: 'kicked' };
        this.#alert('peer-left', word);
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
      changed: (member) => this.#roster.has(member) && this.#updated(member),
      greet: (member) => this.#roster.has(member) && this.#reach(member),
      take: (member, value) => this.#roster.has(member) && this.#heard(member, value),
      broken: (member, code) => this.#broken(member, code),
      bits: () => this.budget.bits,
    }, failed);
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
    this.#linking = part;
    this.#listen();
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
    this.#tellAll({ t: 'state', ...this.#own.state });
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
    this.#tellAll({ t: 'bye', soon: false });
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
    this.#tellAll({ t: 'bye', soon: true });
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
    const members = this.#roster.clear();
    for (const member of members) void member.setTracks({ audio: null, video: null });
    setTimeout(() => {
      for (const member of members) member.close();
    }, GOODBYE_MS);
    this.emit('left', { reason });
  }

  #listen() {
    const signaling = this.#signaling;
    const roster = this.#roster;
    this.#undo.push(
      roster.on('joined', ({ detail }) => this.#meet(detail.member)),
      roster.on('left', ({ detail }) => this.#part(detail.member, detail.reason)),
      roster.on('updated', ({ detail: { member } }) => {
        this.#hosting.mark(member);
        this.emit('peer-updated', { person: member.person });
      }),
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
        this.#tellAll({ t: 'bye', soon: true });
        signaling.leaveSoon();
      },
      shows: () => {
        // Takes back what was said at hiding.
        this.#tellAll({ t: 'state', ...this.#own.state });
        this.wake();
      },
      online: () => {
        for (const member of roster.members) member.wake(true);
      },
      slept: () => {
        this.#relays.tellIfWanted((relays) => relays.look());
        signaling.wake();
        this.wake();
      },
      passes: () => {
        roster.watch();
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

  /**
   * @param {Listed} listed
   * @returns {Member}
   */
  #member(listed) {
    const present = (/** @type {Member} */ who) => this.#roster.has(who);
    return new Member(listed, {
      updated: (who) => present(who) && this.#updated(who),
      opened: (who) => present(who) && this.#greet(who),
      said: (who, value) => present(who) && this.#heard(who, value),
      polls: (who) => present(who) && this.#resting.rest(),
      broken: (who, code) => present(who) && this.#broken(who, code),
    });
  }

  /** @param {Member} member */
  #updated(member) {
    this.#resting.rest();
    this.#carrying.updated(member);
    this.#talk.updated(member);
    this.#channels.tellIfWanted((channels) => channels.updated(member));
    this.emit('peer-updated', { person: member.person });
  }

  /** @param {Member} member who is new */
  #meet(member) {
    this.#hosting.mark(member);
    this.#connect(member);
    this.#resting.met(member.id);
    this.#resting.rest();
    if (!this.#data) this.budget.plan();
    this.emit('peer-joined', { person: member.person, already: false });
  }

  /**
   * @param {Member} member
   * @param {string} reason
   */
  #part(member, reason) {
    this.#signaling.forget(member.id);
    this.#talk.forget(member);
    this.#filing.forget(member);
    this.#carrying.forget(member);
    this.#channels.tellIfWanted((channels) => channels.forget(member));
    member.close();
    this.budget.forget(member);
    this.#resting.rest();
    this.emit('peer-left', { person: member.person, reason });
  }

  /** @param {Member} member whose channel is open */
  #greet(member) {
    member.leaving = false;
    member.say({ t: 'hello', v: 1, id: this.#signaling.peer, ...this.#own.state });
    if (!this.#data) this.budget.opened(member);
    this.#carrying.opened(member);
    this.#channels.tellIfWanted((channels) => channels.opened(member));
    this.#reach(member);
  }

  /** @param {Member} member who gets again what is said and sent */
  #reach(member) {
    this.#talk.opened(member);
    this.#filing.opened(member);
  }

  /** @param {Member} member */
  #connect(member) {
    if (member.person.outside !== null) {
      member.refresh();
      return;
    }
    const { Peer } = this.#linking ?? {};
    if (!Peer) return;
    member.connect({
      make: (options) => new Peer(options),
      draw: () => randomId(8),
      rtc: this.#rtc,
      iceServers: () => this.#iceServers ?? this.#signaling.iceServers,
      polite: this.#roster.isEarlier(member),
      media: !this.#data,
      tracks: this.#own.tracks,
      prefer: (transceiver) => prefer(transceiver, this.#env.codecs(),
        this.#h264 && member.h264 && this.#roster.members.length <= H264_MOST),
      mine: this.#instance,
      mail: (type, body) => this.#letters.write(member, type, body),
      reachable: () => this.#signaling.state === 'online',
      polling: () => this.#signaling.polling,
    });
  }

  /**
   * Once for each person.
   * @param {Member} member
   * @param {string} code
   */
  #broken(member, code) {
    const what = `${code} ${member.id}`;
    if (this.#told.has(what)) return;
    this.#told.add(what);
    this.emit('problem', { problem: new KlatchProblem(code) });
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
      this.#tellAll({ t: 'moved', id: this.#signaling.peer });
      this.#resting.arrive(peers);
    }
    void this.#letters.reconcile(peers, !resumed).then(() => this.#resting.rest());
  }

  /**
   * Something came over a member's channel.
   * @param {Member} member
   * @param {Record<string, any>} value
   */
  #heard(member, value) {
    if (this.#talk.heard(member, value) || this.#filing.heard(member, value) || this.budget.heard(member, value)
      || this.#carrying.heard(member, value)) return;
    if (String(value.t).startsWith('channel')) {
      this.#channels.tellIfWanted((channels) => channels.heard(member, value));
    } else if (value.t === 'hello' || value.t === 'state') {
      if (typeof value.id === 'string') this.#roster.moved(member, value.id);
      member.leaving = false;
      member.tell(value);
      this.#updated(member);
    } else if (value.t === 'moved' && typeof value.id === 'string') {
      this.#roster.moved(member, value.id);
      this.#resting.look(null);
    } else if (value.t === 'look') {
      // A newcomer that is known keeps us polling until we are connected to them.
      if (typeof value.peer !== 'string') this.#resting.look(null);
      else if (!this.#roster.find(value.peer)) this.#resting.look(value.peer);
    } else if (value.t === 'bye' && value.soon === true) {
      member.leaving = true;
      this.#resting.rest();
    } else if (value.t === 'bye') {
      this.#roster.goodbye(member);
    }
  }

  /**
   * Who rests hears from us that there is mail worth looking for.
   * @param {string} type
   * @param {any} data
   */
  #alert(type, data) {
    if (type === 'peer-joined') this.#tellAll({ t: 'look', peer: data?.peer });
    else if (type === 'room-updated' || data?.reason === 'kicked') this.#tellAll({ t: 'look' });
  }

  /** @param {object} value */
  #tellAll(value) {
    for (const member of this.#roster.members) member.say(value);
  }

  /** Send the tracks that are there now, and say what is on. */
  #readMedia() {
    const changed = this.#own.read();
    const { tracks } = this.#own;
    for (const member of this.#roster.members) void member.setTracks(tracks);
    if (!changed) return;
    this.#tellAll({ t: 'state', ...this.#own.state });
    this.budget.plan();
  }
}

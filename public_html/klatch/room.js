/* room: everybody in one room, one connection to each, and what is said between them.
 *
 * Who joined earlier makes the connection to a newcomer; the newcomer waits for it.
 * The server's list says who is here, but a living channel counts for more than a
 * lapsed lease: who is heard stays, whatever the server thinks. */

import { Emitter } from './events.js';
import { KlatchProblem } from './problem.js';
import { Chat } from './chat.js';
import { Member, NAME_CHARACTERS_MAX } from './member.js';
import { Session } from './session.js';
import { Signaling } from './signaling.js';
import { environment } from './env.js';
import { isRoomName } from './link.js';
import { randomId } from './bytes.js';
import { unwrap, wrap } from './seal.js';

/** @typedef {import('./chat.js').Message} Message */
/** @typedef {import('./member.js').Person} Person */
/** @typedef {import('./types.js').Listed} Listed */

const WATCH_MS = 2_000;
/** How long connections stay after the goodbye, for it to arrive. */
const GOODBYE_MS = 300;
/** How long a known page under a new id may take to say so itself. */
const MOVING_MS = 5_000;

/** What the server's last word means for the person. @type {Record<string, string>} */
const ENDS = { kicked: 'kicked', banned: 'kicked', 'room-closed': 'closed' };

/**
 * @typedef {object} RoomEvents
 * @property {{person: Person}} peer-joined
 * @property {{person: Person, reason: string}} peer-left reason is left, lapsed, replaced, kicked or closed
 * @property {{person: Person}} peer-updated
 * @property {{message: Message}} message also one's own
 * @property {{state: 'online' | 'away'}} server
 * @property {{problem: KlatchProblem}} problem
 * @property {{reason: string}} left this page is out: left, kicked, closed, or another problem's code
 */

/**
 * @typedef {object} JoinOptions
 * @property {string} api where the room API is, like '/api/v1'
 * @property {string} room
 * @property {string} [name] how others see this person
 * @property {import('./media.js').Media | null} [media] stays the caller's to close
 * @property {RTCIceServer[]} [iceServers] instead of the server's
 * @property {AbortSignal} [signal] cancels the joining
 * @property {Storage | null} [storage] where the key for a reload lies; sessionStorage unless told
 * @property {Partial<import('./env.js').Environment>} [env] for tests
 */

/**
 * Join a room and begin to connect to everybody in it.
 * @param {JoinOptions} options
 * @returns {Promise<Room>}
 * @throws {KlatchProblem} with a sentence that can be shown
 */
export async function joinRoom(options) {
  if (/^[^.]*\./.test(options.room)) throw new KlatchProblem('sealed-link');
  if (!isRoomName(options.room)) throw new KlatchProblem('bad-link');
  const room = new Room(options);
  await room.join(options.signal);
  return room;
}

/** @extends {Emitter<RoomEvents>} */
export class Room extends Emitter {
  #env;
  #rtc;
  #media;
  #signaling;
  #iceServers;
  #instance = randomId();
  #chat = new Chat();
  /** By peer id, in the order of joining. @type {Map<string, Member>} */
  #members = new Map();
  /** Who was here when we came: to them we are polite. @type {Set<string>} */
  #earlier = new Set();
  /** Who said goodbye: a list made before that may still name them. @type {Set<string>} */
  #gone = new Set();
  /** Replaced members' places in the order, for who takes them. @type {Map<string, number>} */
  #places = new Map();
  #own = { name: '', mic: false, cam: false };
  /** @type {Promise<void> | null} */
  #leaving = null;
  /** @type {(() => void)[]} */
  #undo = [];

  /** @param {JoinOptions} options */
  constructor({ api, room, name = '', media = null, iceServers, storage, env }) {
    super();
    this.#env = environment({ ...env, ...(storage === undefined ? {} : { storage }) });
    if (!this.#env.rtc) throw new KlatchProblem('no-webrtc');
    this.#rtc = this.#env.rtc;
    this.#media = media;
    this.#iceServers = iceServers;
    this.#own.name = cleanName(name);
    const session = new Session({ ...this.#env, name: `klatch ${api} ${room}` });
    const meta = () => wrap({ v: 1, instance: this.#instance, ...this.#own });
    this.#signaling = new Signaling({ env: this.#env, api, room, meta, session });
    this.name = room;
  }

  /** This person. */
  get self() {
    return { id: this.#signaling.peer, ...this.#own };
  }

  /** Everybody else, in the order of joining. */
  get people() {
    return [...this.#members.values()].map(({ person }) => person);
  }

  get counts() {
    const people = this.people;
    return { connected: people.filter(({ state }) => state === 'connected').length, others: people.length };
  }

  get server() {
    return this.#signaling.state;
  }

  /**
   * The first step, joinRoom's.
   * @param {AbortSignal} [signal]
   */
  async join(signal) {
    this.#readMedia();
    const listed = await this.#signaling.join(signal);
    if (signal?.aborted) {
      await this.#signaling.leave();
      throw new KlatchProblem('aborted');
    }
    this.#listen();
    for (const entry of listed) this.#add(entry, true);
    this.#signaling.start();
  }

  /**
   * Mute or unmute, here and in the others' eyes.
   * @param {boolean} on
   */
  async microphone(on) {
    await this.#media?.setMic(on);
  }

  /** @param {boolean} on */
  async camera(on) {
    await this.#media?.setCam(on);
  }

  /**
   * Say something to everybody who is here now.
   * @param {string} text
   * @returns {Message} which also comes as an event
   * @throws {KlatchProblem} bad-message
   */
  say(text) {
    const line = this.#chat.compose(text);
    for (const member of this.#members.values()) this.#chat.send(member, line);
    const { id, name } = this.self;
    const message = { id: line.id, from: id, name, text: line.text, time: line.time, mine: true, plain: false };
    this.emit('message', { message });
    return message;
  }

  /** @param {string} name */
  rename(name) {
    this.#own.name = cleanName(name);
    this.#tellAll({ t: 'state', ...this.#own });
  }

  /**
   * Hang up.
   * @returns {Promise<void>} when the server knows, or can't be told
   */
  leave() {
    this.#leaving ??= this.#out('left');
    return this.#leaving;
  }

  /** Hang up without waiting for anything. */
  destroy() {
    void this.leave();
  }

  /** @param {string} reason */
  async #out(reason) {
    this.#tellAll({ t: 'bye', soon: false });
    for (const undo of this.#undo.splice(0)) undo();
    const done = this.#signaling.leave();
    const members = [...this.#members.values()];
    this.#members.clear();
    for (const member of members) void member.setTracks({ audio: null, video: null });
    setTimeout(() => {
      for (const member of members) member.close();
    }, GOODBYE_MS);
    this.emit('left', { reason });
    await done;
  }

  #listen() {
    const signaling = this.#signaling;
    this.#undo.push(
      signaling.on('message', ({ detail }) => this.#mail(detail)),
      signaling.on('gap', ({ detail }) => this.#reconcile(detail.peers, false)),
      signaling.on('rejoined', ({ detail }) => this.#rejoined(detail)),
      signaling.on('state', ({ detail }) => this.emit('server', { state: detail })),
      signaling.on('problem', ({ detail }) => this.emit('problem', { problem: detail })),
      signaling.on('ended', ({ detail }) => {
        this.emit('problem', { problem: detail });
        this.#leaving ??= this.#out(ENDS[detail.code] ?? detail.code);
      }),
    );
    const { page } = this.#env;
    const hide = () => {
      this.#tellAll({ t: 'bye', soon: true });
      signaling.leaveSoon();
    };
    const show = () => {
      // Takes back what was said at hiding.
      this.#tellAll({ t: 'state', ...this.#own });
      for (const member of this.#members.values()) member.wake();
    };
    const online = () => {
      for (const member of this.#members.values()) member.wake(true);
    };
    for (const [type, listener] of Object.entries({ pagehide: hide, pageshow: show, online })) {
      page.addEventListener(type, listener);
      this.#undo.push(() => page.removeEventListener(type, listener));
    }
    const watch = setInterval(() => this.#watch(), WATCH_MS);
    this.#undo.push(() => clearInterval(watch));
    if (this.#media) this.#undo.push(this.#media.on('change', () => this.#readMedia()));
  }

  /**
   * @param {Listed} listed
   * @param {boolean} earlier whether it was here before us
   */
  #add(listed, earlier) {
    const present = (/** @type {Member} */ who) => this.#members.get(who.id) === who;
    const member = new Member(listed, {
      updated: (who) => present(who) && this.emit('peer-updated', { person: who.person }),
      opened: (who) => present(who) && this.#greet(who),
      said: (who, value) => present(who) && this.#heard(who, value),
    });
    if (earlier) this.#earlier.add(listed.peer);
    this.#place(listed.peer, member);
    this.#connect(member);
    this.emit('peer-joined', { person: member.person });
  }

  /** @param {Member} member whose channel is open */
  #greet(member) {
    member.leaving = false;
    member.say({ t: 'hello', v: 1, id: this.#signaling.peer, ...this.#own });
    this.#chat.resend(member);
  }

  /** @param {Member} member */
  #connect(member) {
    member.connect({
      rtc: this.#rtc,
      iceServers: () => this.#iceServers ?? this.#signaling.iceServers,
      polite: this.#earlier.has(member.id),
      tracks: this.#tracks(),
      mine: this.#instance,
      mail: (type, body) => this.#signaling.send(member.id, type, wrap(body)),
      reachable: () => this.#signaling.state === 'online',
    });
  }

  /**
   * Who takes another's place takes it in the order too.
   * @param {string} id
   * @param {Member} member
   */
  #place(id, member) {
    const at = this.#places.get(id);
    this.#places.delete(id);
    const entries = [...this.#members];
    entries.splice(at ?? entries.length, 0, [id, member]);
    this.#members = new Map(entries);
  }

  /**
   * @param {Member} member
   * @param {string} reason
   */
  #remove(member, reason) {
    if (this.#members.get(member.id) !== member) return;
    this.#members.delete(member.id);
    this.#signaling.forget(member.id);
    this.#chat.forget(member);
    member.close();
    this.emit('peer-left', { person: member.person, reason });
  }

  /** @param {import('./types.js').Mail} mail */
  #mail({ seq, from, type, data }) {
    if (from === null) {
      if (type === 'peer-joined' || type === 'peer-updated') this.#came(data);
      if (type === 'peer-left') this.#went(data);
      return;
    }
    const member = this.#members.get(from);
    if (!member) return;
    const { value, plain } = unwrap(data);
    // A page never mails plain JSON: it isn't taken for one's word.
    if (plain && member.instance !== null) return;
    if (type !== 'chat') {
      member.receive(type, value);
      return;
    }
    const line = typeof value === 'string' ? { text: value } : value;
    const message = this.#chat.receive(member, { id: `mail-${seq}`, ...line }, true);
    if (message) this.emit('message', { message });
  }

  /** @param {Listed} listed of whom the server says that they joined, came back or changed */
  #came(listed) {
    if (typeof listed?.peer !== 'string' || listed.peer === this.#signaling.peer) return;
    if (this.#gone.has(listed.peer)) return;
    const known = this.#members.get(listed.peer);
    if (known) {
      known.lapsed = false;
      known.list(listed);
      if (!known.connected) known.wake();
      this.emit('peer-updated', { person: known.person });
      return;
    }
    const { value } = unwrap(listed.meta ?? null);
    const same = this.#byInstance(value?.instance);
    if (same?.lapsed) {
      this.#moved(same, listed.peer);
    } else if (same) {
      // The same page under another id, while the server still knows the former one:
      // its own word, over the channel, decides.
      const timer = setTimeout(() => {
        if (!this.#members.has(listed.peer)) this.#add(listed, false);
      }, MOVING_MS);
      this.#undo.push(() => clearTimeout(timer));
    } else {
      this.#add(listed, false);
    }
  }

  /** @param {{peer?: unknown, reason?: unknown, by?: unknown}} data */
  #went(data) {
    const member = this.#members.get(String(data?.peer));
    if (!member) return;
    const reason = typeof data.reason === 'string' ? data.reason : 'left';
    if (reason === 'lapsed') {
      member.lapsed = true;
      this.#watch();
      return;
    }
    if (typeof data.by === 'string') this.#places.set(data.by, [...this.#members.keys()].indexOf(member.id));
    this.#remove(member, reason);
  }

  /** Who is held for gone by the server goes when their channel is silent too, or said goodbye. */
  #watch() {
    for (const member of [...this.#members.values()]) {
      if (member.lapsed && (member.leaving || !member.beating)) this.#remove(member, 'lapsed');
    }
  }

  /**
   * The server's list is the truth about who is here; channels are about who is heard.
   * @param {Listed[]} listed
   * @param {boolean} earlier whether those unknown so far were here before us
   */
  #reconcile(listed, earlier) {
    const present = new Set(listed.map(({ peer }) => peer));
    for (const member of this.#members.values()) member.lapsed = !present.has(member.id);
    for (const entry of listed) {
      if (this.#members.has(entry.peer) || this.#gone.has(entry.peer)) continue;
      const instance = unwrap(entry.meta ?? null).value?.instance;
      // What this very page was before it had to join anew.
      if (instance === this.#instance) continue;
      const same = this.#byInstance(instance);
      if (same?.lapsed) this.#moved(same, entry.peer);
      else this.#add(entry, earlier);
    }
    this.#watch();
  }

  /** @param {{peers: Listed[], resumed: boolean}} detail */
  #rejoined({ peers, resumed }) {
    // Over the channels the others learn that this is no newcomer.
    if (!resumed) this.#tellAll({ t: 'moved', id: this.#signaling.peer });
    this.#reconcile(peers, !resumed);
  }

  /**
   * A page we know goes by another id from now on; its connection goes on.
   * @param {Member} member
   * @param {string} id
   */
  #moved(member, id) {
    if (member.id === id) return;
    const rival = this.#members.get(id);
    if (rival && rival.instance !== member.instance) return;
    if (rival) this.#remove(rival, 'replaced');
    this.#places.set(id, [...this.#members.keys()].indexOf(member.id));
    this.#members.delete(member.id);
    if (this.#earlier.has(member.id)) this.#earlier.add(id);
    member.person.id = id;
    member.lapsed = false;
    this.#place(id, member);
    this.emit('peer-updated', { person: member.person });
  }

  /** @param {unknown} instance */
  #byInstance(instance) {
    if (typeof instance !== 'string') return undefined;
    return [...this.#members.values()].find((member) => member.instance === instance && member.beating);
  }

  /**
   * Something came over a member's channel.
   * @param {Member} member
   * @param {Record<string, any>} value
   */
  #heard(member, value) {
    if (value.t === 'hello' || value.t === 'state') {
      if (typeof value.id === 'string') this.#moved(member, value.id);
      member.leaving = false;
      member.tell(value);
      this.emit('peer-updated', { person: member.person });
    } else if (value.t === 'chat') {
      member.say({ t: 'got', id: value.id });
      const message = this.#chat.receive(member, value);
      if (message) this.emit('message', { message });
    } else if (value.t === 'got') {
      this.#chat.confirmed(member, value.id);
    } else if (value.t === 'moved' && typeof value.id === 'string') {
      this.#moved(member, value.id);
    } else if (value.t === 'bye' && value.soon === true) {
      member.leaving = true;
    } else if (value.t === 'bye') {
      this.#gone.add(member.id);
      this.#remove(member, 'left');
    }
  }

  /** @param {object} value */
  #tellAll(value) {
    for (const member of this.#members.values()) member.say(value);
  }

  /** @returns {import('./connection.js').Tracks} */
  #tracks() {
    const stream = this.#media?.stream;
    return { audio: stream?.getAudioTracks()[0] ?? null, video: stream?.getVideoTracks()[0] ?? null };
  }

  /** Send the tracks that are there now, and say what is on. */
  #readMedia() {
    const mic = this.#media?.mic ?? false;
    const cam = this.#media?.cam ?? false;
    const changed = mic !== this.#own.mic || cam !== this.#own.cam;
    this.#own = { ...this.#own, mic, cam };
    const tracks = this.#tracks();
    for (const member of this.#members.values()) void member.setTracks(tracks);
    if (changed) this.#tellAll({ t: 'state', ...this.#own });
  }
}

/** @param {unknown} name */
function cleanName(name) {
  return String(name).trim().slice(0, NAME_CHARACTERS_MAX);
}

/* others: everybody else in the room, from their coming to their going: who is new is connected to
 * and greeted, what they say is given to the part that it concerns, and who goes is forgotten. */

import { H264_MOST, isH264Efficient } from './codec.js';
import { KlatchProblem } from './problem.js';
import { Member } from './member.js';
import { randomId } from './bytes.js';

/** @typedef {import('./types.js').Listed} Listed */

/** How long connections stay after the goodbye, for it to arrive. */
const GOODBYE_MS = 300;

/**
 * @typedef {object} Around
 * @property {import('./env.js').Environment} env
 * @property {typeof RTCPeerConnection} rtc
 * @property {() => RTCIceServer[]} iceServers
 * @property {boolean} data whether there never is any media
 * @property {string} instance this page's
 * @property {import('./own.js').Own} own
 * @property {import('./signaling.js').Signaling} signaling
 * @property {import('./roster.js').Roster} roster
 * @property {import('./letters.js').Letters} letters
 * @property {import('./resting.js').Resting} resting
 * @property {import('./hosting.js').Hosting} hosting
 * @property {import('./budget.js').Budget} budget
 * @property {import('./talk.js').Talk} talk
 * @property {import('./filing.js').Filing} filing
 * @property {import('./carrying.js').Carrying} carrying
 * @property {import('./later.js').Later<import('./channels.js').Channels>} channels
 * @property {import('./events.js').Emitter<import('./types.js').RoomEvents>['emit']} emit
 */

export class Others {
  #around;
  /** What makes connections, once it is loaded. @type {typeof import('./peer.js') | null} */
  #linking = null;
  #efficient;
  /** Whether H.264 is power-efficient here. */
  #h264 = false;
  /** What was told of whom, lest it be told with each letter. @type {Set<string>} */
  #told = new Set();

  /** @param {Around} around */
  constructor(around) {
    this.#around = around;
    this.#efficient = isH264Efficient(around.env.capabilities);
  }

  /** @returns {Promise<boolean>} whether H.264 is power-efficient here */
  async h264() {
    this.#h264 = await this.#efficient;
    return this.#h264;
  }

  /**
   * From now on.
   * @param {typeof import('./peer.js')} linking what makes connections
   * @returns {(() => void)[]} each ends a part of that
   */
  listen(linking) {
    this.#linking = linking;
    const { roster, hosting, emit } = this.#around;
    return [
      roster.on('joined', ({ detail }) => this.#meet(detail.member)),
      roster.on('left', ({ detail }) => this.#part(detail.member, detail.reason)),
      roster.on('updated', ({ detail: { member } }) => {
        hosting.mark(member);
        emit('peer-updated', { person: member.person });
      }),
    ];
  }

  /** This page is out. */
  close() {
    const members = this.#around.roster.clear();
    for (const member of members) void member.setTracks({ audio: null, video: null });
    setTimeout(() => {
      for (const member of members) member.close();
    }, GOODBYE_MS);
  }

  /**
   * @param {Listed} listed
   * @returns {Member}
   */
  make(listed) {
    const { roster, resting } = this.#around;
    const present = (/** @type {Member} */ who) => roster.has(who);
    return new Member(listed, {
      updated: (who) => present(who) && this.updated(who),
      opened: (who) => present(who) && this.#greet(who),
      said: (who, value) => present(who) && this.heard(who, value),
      polls: (who) => present(who) && resting.rest(),
      broken: (who, code) => present(who) && this.broken(who, code),
    });
  }

  /** @param {Member} member */
  updated(member) {
    const { resting, carrying, talk, channels, emit } = this.#around;
    resting.rest();
    carrying.updated(member);
    talk.updated(member);
    channels.tellIfWanted((part) => part.updated(member));
    emit('peer-updated', { person: member.person });
  }

  /** @param {Member} member who is new */
  #meet(member) {
    const { hosting, resting, data, budget, emit } = this.#around;
    hosting.mark(member);
    this.#connect(member);
    resting.met(member.id);
    resting.rest();
    if (!data) budget.plan();
    emit('peer-joined', { person: member.person, already: false });
  }

  /**
   * @param {Member} member
   * @param {string} reason
   */
  #part(member, reason) {
    const { signaling, talk, filing, carrying, channels, budget, resting, emit } = this.#around;
    signaling.forget(member.id);
    talk.forget(member);
    filing.forget(member);
    carrying.forget(member);
    channels.tellIfWanted((part) => part.forget(member));
    member.close();
    budget.forget(member);
    resting.rest();
    emit('peer-left', { person: member.person, reason });
  }

  /** @param {Member} member whose channel is open */
  #greet(member) {
    const { signaling, own, data, budget, carrying, channels } = this.#around;
    member.leaving = false;
    member.say({ t: 'hello', v: 1, id: signaling.peer, ...own.state });
    if (!data) budget.opened(member);
    carrying.opened(member);
    channels.tellIfWanted((part) => part.opened(member));
    this.reach(member);
  }

  /** @param {Member} member who gets again what is said and sent */
  reach(member) {
    this.#around.talk.opened(member);
    this.#around.filing.opened(member);
  }

  /** @param {Member} member */
  #connect(member) {
    if (member.person.outside !== null) {
      member.refresh();
      return;
    }
    if (!this.#linking) return;
    const { Peer, prefer } = this.#linking;
    const { env, rtc, iceServers, data, instance, own, signaling, roster, letters } = this.#around;
    member.connect({
      make: (options) => new Peer(options),
      draw: () => randomId(8),
      rtc,
      iceServers,
      polite: roster.isEarlier(member),
      media: !data,
      tracks: own.tracks,
      prefer: (transceiver) => prefer(transceiver, env.codecs(),
        this.#h264 && member.h264 && roster.members.length <= H264_MOST),
      mine: instance,
      mail: (type, body) => letters.write(member, type, body),
      reachable: () => signaling.state === 'online',
      polling: () => signaling.polling,
    });
  }

  /**
   * Once for each person.
   * @param {Member} member
   * @param {string} code
   */
  broken(member, code) {
    const what = `${code} ${member.id}`;
    if (this.#told.has(what)) return;
    this.#told.add(what);
    this.#around.emit('problem', { problem: new KlatchProblem(code) });
  }

  /**
   * Something came over a member's channel.
   * @param {Member} member
   * @param {Record<string, any>} value
   */
  heard(member, value) {
    const { talk, filing, budget, carrying, channels, roster, resting } = this.#around;
    if (talk.heard(member, value) || filing.heard(member, value) || budget.heard(member, value)
      || carrying.heard(member, value)) return;
    if (String(value.t).startsWith('channel')) {
      channels.tellIfWanted((part) => part.heard(member, value));
    } else if (value.t === 'hello' || value.t === 'state') {
      this.#claims(member, value.id);
      member.leaving = false;
      member.tell(value);
      this.updated(member);
    } else if (value.t === 'moved') {
      this.#claims(member, value.id);
    } else if (value.t === 'look') {
      // A newcomer that is known keeps us polling until we are connected to them.
      if (typeof value.peer !== 'string') resting.look(null);
      else if (!roster.find(value.peer)) resting.look(value.peer);
    } else if (value.t === 'bye' && value.soon === true) {
      member.leaving = true;
      resting.rest();
    } else if (value.t === 'bye') {
      roster.goodbye(member);
    }
  }

  /**
   * What id they have now; where the server hasn't said so yet, that is looked for.
   * @param {Member} member
   * @param {unknown} id
   */
  #claims(member, id) {
    const { roster, resting } = this.#around;
    if (typeof id === 'string' && roster.claims(member, id)) resting.look(null);
  }

  /**
   * Who rests hears from us that there is mail worth looking for.
   * @param {string} type
   * @param {any} data
   */
  alert(type, data) {
    if (type === 'peer-joined') this.tellAll({ t: 'look', peer: data?.peer });
    else if (type === 'room-updated' || data?.reason === 'kicked') this.tellAll({ t: 'look' });
  }

  /** @param {object} value */
  tellAll(value) {
    for (const member of this.#around.roster.members) member.say(value);
  }
}

/* roster: who is in the room, in the order of joining.
 *
 * The server's list says who is here, but a living channel counts for more than a
 * lapsed lease: who is heard stays, whatever the server thinks. A page is known by
 * its instance, so that one that had to join anew is still the same person. */

import { Emitter } from './events.js';

/** @typedef {import('./member.js').Member} Member */
/** @typedef {import('./types.js').Listed} Listed */

/** How long a known page under a new id may take to say so itself. */
const MOVING_MS = 5_000;

/**
 * @typedef {object} RosterEvents
 * @property {{member: Member}} joined
 * @property {{member: Member, reason: string}} left
 * @property {{member: Member}} updated what the server lists of them changed
 */

/** @extends {Emitter<RosterEvents>} */
export class Roster extends Emitter {
  #self;
  #make;
  /** By peer id, in the order of joining. @type {Map<string, Member>} */
  #members = new Map();
  /** Who was here when we came. @type {Set<string>} */
  #earlier = new Set();
  /** Who said goodbye: a list made before that may still name them. @type {Set<string>} */
  #gone = new Set();
  /** Replaced members' places in the order, for who takes them. @type {Map<string, number>} */
  #places = new Map();
  /** Known pages that the server lists under another id, until they say so too. @type {Map<string, {listed: Listed, timer: ReturnType<typeof setTimeout>}>} */
  #unsaid = new Map();
  /** The ids that pages say they have now, until the server says so too. @type {WeakMap<Member, string>} */
  #unlisted = new WeakMap();

  /**
   * @param {{self: () => {peer: string, instance: string}, make: (listed: Listed) => Member}} options
   *   self is this page, which lists may name; make gives the member for an entry
   */
  constructor({ self, make }) {
    super();
    this.#self = self;
    this.#make = make;
  }

  /** @returns {Member[]} */
  get members() {
    return [...this.#members.values()];
  }

  /** @param {string} id */
  find(id) {
    return this.#members.get(id);
  }

  /** @param {Member} member whether it is still here */
  has(member) {
    return this.#members.get(member.id) === member;
  }

  /** @param {Member} member whether it was here before us */
  isEarlier(member) {
    return this.#earlier.has(member.id);
  }

  /**
   * @param {Listed} listed
   * @param {boolean} earlier whether it was here before us
   */
  add(listed, earlier) {
    const member = this.#make(listed);
    if (earlier) this.#earlier.add(listed.peer);
    this.#place(listed.peer, member);
    this.emit('joined', { member });
  }

  /** @param {Listed} listed of whom the server says that they joined, came back or changed */
  came(listed) {
    const { peer } = this.#self();
    if (typeof listed?.peer !== 'string' || listed.peer === peer || this.#gone.has(listed.peer)) return;
    const known = this.#members.get(listed.peer);
    if (known) {
      known.lapsed = false;
      known.list(listed);
      if (!known.connected) known.wake();
      this.emit('updated', { member: known });
      return;
    }
    const same = this.#samePage(listed);
    const waits = this.#unsaid.get(listed.peer);
    if (same && this.#isMoving(same, listed)) this.#moved(same, listed.peer, listed);
    else if (waits) waits.listed = listed;
    else if (same) {
      // The same page under another id, while the server still knows the former one:
      // its own word, over the channel, decides.
      const waiting = { listed, timer: setTimeout(() => this.add(waiting.listed, false), MOVING_MS) };
      this.#unsaid.set(listed.peer, waiting);
    } else this.add(listed, false);
  }

  /** @param {{peer?: unknown, reason?: unknown, by?: unknown}} data the server's word of who is gone */
  went(data) {
    const id = String(data?.peer);
    this.#settle(id);
    const member = this.#members.get(id);
    if (!member) return;
    const reason = typeof data.reason === 'string' ? data.reason : 'left';
    if (reason === 'lapsed') {
      member.lapsed = true;
      this.watch();
      return;
    }
    if (typeof data.by === 'string') this.#places.set(data.by, [...this.#members.keys()].indexOf(member.id));
    this.#remove(member, reason);
  }

  /** @param {Member} member who said goodbye */
  goodbye(member) {
    this.#gone.add(member.id);
    this.#remove(member, 'left');
  }

  /** Who is held for gone by the server goes when their channel is silent too, or said goodbye. */
  watch() {
    for (const member of this.members) {
      if (member.lapsed && (member.leaving || !member.beating)) this.#remove(member, 'lapsed');
    }
  }

  /**
   * The server's list is the truth about who is here; channels are about who is heard.
   * @param {Listed[]} listed
   * @param {boolean} earlier whether those unknown so far were here before us
   */
  reconcile(listed, earlier) {
    const present = new Set(listed.map(({ peer }) => peer));
    for (const member of this.members) member.lapsed = !present.has(member.id);
    for (const entry of listed) {
      const known = this.#members.get(entry.peer);
      known?.list(entry);
      if (known || this.#gone.has(entry.peer)) continue;
      // What this very page was before it had to join anew.
      if (entry.card?.value?.instance === this.#self().instance) continue;
      const same = this.#samePage(entry);
      if (same && this.#isMoving(same, entry)) this.#moved(same, entry.peer, entry);
      else this.add(entry, earlier);
    }
    this.watch();
  }

  /**
   * A page says what id it has now. It is believed once the server lists the same page by that id: what is
   * decided about somebody, and who is a host, goes by ids.
   * @param {Member} member
   * @param {string} id
   * @returns {boolean} whether the server's word is still missing
   */
  claims(member, id) {
    if (member.id === id) return false;
    const rival = this.#members.get(id);
    const listed = this.#unsaid.get(id)?.listed;
    this.#unlisted.set(member, id);
    if (listed && this.#samePage(listed) === member) this.#moved(member, id, listed);
    // Whoever copies the page load of somebody who was here before isn't what that page has become.
    else if (rival && this.#same(id, rival.instance, rival.pub) === member && rival.person.joined > member.person.joined) {
      this.#moved(member, id);
    }
    return member.id !== id;
  }

  /**
   * A page we know goes by another id from now on; its connection goes on.
   * @param {Member} member
   * @param {string} id
   * @param {Listed | null} [listed]
   */
  #moved(member, id, listed = null) {
    const rival = this.#members.get(id);
    if (rival) this.#remove(rival, 'replaced');
    this.#places.set(id, [...this.#members.keys()].indexOf(member.id));
    this.#members.delete(member.id);
    if (this.#earlier.has(member.id)) this.#earlier.add(id);
    this.#unlisted.delete(member);
    member.person.id = id;
    member.lapsed = false;
    if (listed) member.list(listed);
    this.#place(id, member);
    this.emit('updated', { member });
  }

  /** @param {string} id for which no word is waited for any more */
  #settle(id) {
    clearTimeout(this.#unsaid.get(id)?.timer);
    this.#unsaid.delete(id);
  }

  /**
   * @param {Member} same the same page as is listed, under the id it had so far
   * @param {Listed} listed
   */
  #isMoving(same, { peer }) {
    return same.lapsed || this.#unlisted.get(same) === peer;
  }

  /** This page is out. @returns {Member[]} who was here, for the caller to close */
  clear() {
    for (const { timer } of this.#unsaid.values()) clearTimeout(timer);
    this.#unsaid.clear();
    const { members } = this;
    this.#members.clear();
    return members;
  }

  /**
   * Who takes another's place takes it in the order too.
   * @param {string} id
   * @param {Member} member
   */
  #place(id, member) {
    this.#settle(id);
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
    if (!this.has(member)) return;
    this.#members.delete(member.id);
    this.emit('left', { member, reason });
  }

  /** @param {Listed} listed of whom we may know the page by another id */
  #samePage({ peer, card }) {
    return this.#same(peer, card?.value?.instance, card?.pub ?? null);
  }

  /**
   * @param {string} id
   * @param {unknown} instance
   * @param {string | null} pub
   * @returns {Member | undefined} the one who is heard as that page, or says to have this id
   */
  #same(id, instance, pub) {
    if (typeof instance !== 'string') return undefined;
    const [same, ...more] = this.members.filter((member) => member.instance === instance && member.pub === pub
      && (member.beating || this.#unlisted.get(member) === id));
    // In an open room anybody can copy another's; a page is heard once.
    return more.length === 0 ? same : undefined;
  }
}

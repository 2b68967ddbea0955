/* channels: the channels that this page has open, by their names. Loaded when it opens its first. */

import { KlatchProblem } from './problem.js';
import { Channel, problem } from './channel.js';
import { NUMBERS_MAX } from './channel-line.js';
import { randomId } from './bytes.js';

/** @typedef {import('./member.js').Member} Member */
/** @typedef {import('./channel.js').ChannelOptions} ChannelOptions */

const NAME_CHARACTERS_MAX = 64;
const RETRANSMITS_MAX = 65_535;
const BAD = 'A channel has a name of 1 to 64 characters and one way of sending, and a page opens at most 64 in a room.';

export class Channels {
  #around;
  /** @type {Map<string, {channel: Channel, how: string}>} */
  #channels = new Map();
  /** For each name and way of sending its number, for good: the data channels stay. @type {Map<string, number>} */
  #numbers = new Map();

  /** @param {{members: () => Member[], mine: string, over: () => boolean}} around mine is this page's instance */
  constructor(around) {
    this.#around = around;
  }

  /**
   * @param {string} name
   * @param {ChannelOptions} [options]
   * @returns {Channel} the same one while it is open
   * @throws {KlatchProblem} bad-channel; channel-closed after leaving
   */
  open(name, { ordered = true, maxRetransmits } = {}) {
    if (this.#around.over()) throw problem('channel-closed');
    const lossy = maxRetransmits !== undefined;
    const sane = typeof name === 'string' && name !== '' && name.length <= NAME_CHARACTERS_MAX && typeof ordered === 'boolean'
      && (!lossy || (Number.isSafeInteger(maxRetransmits) && maxRetransmits >= 0 && maxRetransmits <= RETRANSMITS_MAX));
    const init = { ordered, ...(lossy ? { maxRetransmits } : {}) };
    const how = JSON.stringify([name, init]);
    const known = this.#channels.get(name);
    if (known?.how === how) return known.channel;
    const number = this.#numbers.get(how) ?? this.#numbers.size;
    if (!sane || known || number >= NUMBERS_MAX) throw new KlatchProblem('bad-channel', { sentence: BAD });
    this.#numbers.set(how, number);
    const { members, mine } = this.#around;
    const channel = new Channel({ name, number, init, mine, members, word: () => randomId(8), ended: () => this.#channels.delete(name) });
    this.#channels.set(name, { channel, how });
    for (const member of members()) channel.opened(member);
    return channel;
  }

  /** @param {Member} member whose connection can be used (again) */
  opened(member) {
    for (const { channel } of this.#channels.values()) channel.opened(member);
  }

  /** @param {Member} member whose state has changed */
  updated(member) {
    for (const { channel } of this.#channels.values()) channel.updated(member);
  }

  /**
   * @param {Member} member
   * @param {Record<string, any>} value
   */
  heard(member, value) {
    this.#channels.get(value.name)?.channel.told(member, value);
  }

  /** @param {Member} member who is gone */
  forget(member) {
    for (const { channel } of this.#channels.values()) channel.forget(member);
  }

  close() {
    for (const { channel } of [...this.#channels.values()]) channel.over('left');
  }
}

// A member of a room, as a careful client is one: it keeps its cursor, counts its turns up, names
// its messages, and sends the same ids again when an answer was lost.
import assert from 'node:assert/strict';
import { expectStatus, newId } from './api.mjs';
import { now } from './until.mjs';

export class Member {
  /** @param {import('./api.mjs').Api} api */
  static async join(api, room, body = {}) {
    const answer = expectStatus(await api.room(room, 'join', { id: newId(), ...body }), 201);
    return new Member(api, room, answer.json);
  }

  constructor(api, room, joined) {
    this.api = api;
    this.room = room;
    this.joined = joined;
    this.peer = joined.peer;
    this.key = joined.key;
    this.at = { cursor: joined.cursor, turn: 0, sent: 0 };
  }

  get cursor() { return this.at.cursor; }

  set cursor(cursor) { this.at.cursor = cursor; }

  get turn() { return this.at.turn; }

  set turn(turn) { this.at.turn = turn; }

  /** The same member, calling through another API; cursor and counts are one. */
  via(api) {
    const other = new Member(api, this.room, this.joined);
    other.at = this.at;
    return other;
  }

  /** The others that join told of. */
  get others() { return this.joined.peers.filter((p) => p.peer !== this.peer); }

  nextId() {
    this.at.sent += 1;
    return `${this.peer}-${this.at.sent}`;
  }

  message(data, more = {}) { return { id: this.nextId(), type: 'note', data, ...more }; }

  /** One exchange as it stands: no cursor is added and none is kept. */
  raw(body, more) { return this.api.room(this.room, 'exchange', { key: this.key, ...body }, more); }

  /** Acknowledge, send and wait in one request; the answer's cursor is the next one's. */
  async exchange(body = {}, more = {}) {
    this.turn += 1;
    const answer = await this.raw({ after: this.cursor, turn: this.turn, ...body }, more);
    expectStatus(answer, 200);
    this.take(answer.json);
    return answer.json;
  }

  take(json) {
    if (!json.superseded && json.next !== undefined) this.cursor = json.next;
  }

  poll(waitMs = 1000, more = {}) { return this.exchange({ wait_ms: waitMs }, more); }

  /** What is there now. */
  async read() { return (await this.exchange()).messages; }

  /** Send only. Returns `sent`. */
  async send(...messages) {
    const answer = await this.api.room(this.room, 'messages', { key: this.key, send: messages });
    return expectStatus(answer, 200).json.sent;
  }

  /** A note to one member, or to all. */
  async say(data, to) { return (await this.send(this.message(data, to && { to })))[0]; }

  /**
   * Poll until `enough(messages)`, acknowledging as a client does.
   * @returns {Promise<object[]>} every message of the way there
   */
  async collect(enough, { withinMs = 10000, ...more } = {}) {
    const deadline = now() + withinMs;
    const messages = [];
    while (!enough(messages)) {
      const left = deadline - now();
      assert.ok(left > 0, `${withinMs} ms passed with ${JSON.stringify(messages).slice(0, 600)}`);
      const json = await this.poll(Math.max(1, Math.min(1000, Math.floor(left))), more);
      assert.ok(!json.gap, `no gap is expected: ${JSON.stringify(json).slice(0, 300)}`);
      messages.push(...json.messages);
    }
    return messages;
  }

  /** Poll until there are as many notes; the server's own messages are left out. */
  async notes(count, options) {
    const messages = await this.collect((all) => notesOf(all).length >= count, options);
    return notesOf(messages);
  }

  /** Poll until a message of the server's of this type (and about this peer) comes. */
  async event(type, peer, options) {
    const wanted = (m) => m.type === type && (peer === undefined || m.data.peer === peer);
    return (await this.collect((all) => all.some(wanted), options)).find(wanted);
  }

  async leave(more = {}) {
    expectStatus(await this.api.room(this.room, 'leave', { key: this.key, ...more }), 204);
  }

  async resume(body = {}) {
    return Member.join(this.api, this.room, { resume: this.key, after: this.cursor, ...body });
  }
}

/** What members sent, without the server's own messages. */
export const notesOf = (messages) => messages.filter((m) => m.from !== null);
export const dataOf = (messages) => notesOf(messages).map((m) => m.data);

/** `count` members of a new room, joined one after the other, each with an empty mailbox. */
export async function roomOf(api, room, count, body = {}) {
  const members = [];
  for (let i = 0; i < count; i += 1) members.push(await Member.join(api, room, body));
  await Promise.all(members.map((member) => member.read()));
  return members;
}

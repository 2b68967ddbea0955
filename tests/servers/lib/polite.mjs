// Somebody who waits for mail as API.md asks of a client where held polls cost processes: polls go to
// the entry point for polls while there is a place, and in between short looks to the main one.
import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { expectStatus, newId } from '../../integration/lib/api.mjs';
import { Member, notesOf } from '../../integration/lib/member.mjs';
import { now } from '../../integration/lib/until.mjs';

const WAIT_MS = 20000;

/** Every request of a test, with what it was and how long it took. */
export class Ledger {
  constructor() {
    this.requests = [];
    this.heldNow = 0;
    this.heldMost = 0;
  }

  async count(what, request) {
    const since = now();
    try {
      const answer = await request;
      this.requests.push({ what, ms: now() - since, status: answer.status });
      return answer;
    } catch (error) {
      this.requests.push({ what, ms: now() - since, status: 0, error });
      throw error;
    }
  }

  slowest(...what) {
    return Math.max(0, ...this.requests.filter((one) => what.includes(one.what)).map((one) => one.ms));
  }

  faults() { return this.requests.filter(({ status }) => status === 0 || status >= 500); }

  number(what) { return this.requests.filter((one) => one.what === what).length; }
}

export class Polite {
  /**
   * @param {import('./web-server.mjs').WebServer} server
   * @param {Ledger} ledger
   */
  static async join(server, room, ledger) {
    const api = server.api();
    const answer = await ledger.count('join', api.room(room, 'join', { id: newId() }));
    const one = new Polite();
    one.ledger = ledger;
    one.main = new Member(api, room, expectStatus(answer, 201).json);
    one.poller = one.main.via(server.pollApi());
    one.retryMs = answer.json.poll.retry_ms ?? 0;
    one.notes = [];
    one.latencies = [];
    one.turns = { held: 0, looks: 0 };
    one.going = true;
    return one;
  }

  get peer() { return this.main.peer; }

  /** Read until stop(). */
  start() {
    this.reading = this.#read().catch((error) => {
      // Who has left is told so by the poll that was still held.
      if (this.going || !/session-expired|room-not-found/.test(error.message)) this.error = error;
    });
  }

  async #read() {
    while (this.going) {
      const look = this.retryMs > 0;
      if (look) await pause(this.retryMs);
      if (!this.going) break;
      const json = await this.#ask(look ? this.main : this.poller, look ? 'look' : 'poll');
      this.#take(json);
    }
  }

  async #ask(member, what) {
    member.turn += 1;
    this.turns[what === 'look' ? 'looks' : 'held'] += 1;
    const body = { after: member.cursor, wait_ms: WAIT_MS, turn: member.turn };
    const since = now();
    const answer = expectStatus(await this.ledger.count(what, member.raw(body)), 200);
    const { json } = answer;
    const last = json.messages[json.messages.length - 1];
    if (what === 'poll' && json.messages.length > 0) {
      // What of it was no waiting for mail.
      this.ledger.requests.push({ what: 'late', ms: Math.min(Date.now() - last.sent_ms, now() - since), status: 200 });
    } else if (what === 'poll' && json.retry_ms > 0 && answer.ms < WAIT_MS * 0.8) {
      this.ledger.requests.push({ what: 'refused', ms: answer.ms, status: 200 });
    }
    return json;
  }

  #take(json) {
    assert.ok(!json.gap, 'nothing is lost');
    if (json.superseded) return;
    this.retryMs = json.retry_ms ?? 0;
    this.main.cursor = json.next;
    for (const note of notesOf(json.messages)) this.latencies.push(Date.now() - note.sent_ms);
    this.notes.push(...notesOf(json.messages).map(({ data }) => data));
  }

  async say(data) {
    const { main } = this;
    const send = [main.message(data)];
    expectStatus(await this.ledger.count('send', main.raw({ send })), 200);
  }

  async stop() {
    this.going = false;
    const { main } = this;
    expectStatus(await this.ledger.count('leave', main.api.room(main.room, 'leave', { key: main.key })), 204);
    await this.reading;
    if (this.error) throw this.error;
  }
}

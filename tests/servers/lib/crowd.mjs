// People in rooms without a browser: the SDK's signaling, with every request of theirs written down.
import { environment } from '../../../public_html/klatch/env.js';
import { Session } from '../../../public_html/klatch/session.js';
import { Signaling } from '../../../public_html/klatch/signaling.js';
import { Ticket } from '../../../public_html/klatch/ticket.js';
import { now } from '../../integration/lib/until.mjs';

const HOLD_MS = 20000;

/** What each request of a test was, and how long it took. */
export class Ledger {
  requests = [];

  note(what, ms, status) { this.requests.push({ what, ms, status }); }

  slowest(what) { return Math.max(0, ...this.of(what).map(({ ms }) => ms)); }

  of(what) { return this.requests.filter((one) => one.what === what); }

  faults() { return this.requests.filter(({ status }) => status === 0 || status >= 500); }

  /** fetch() that writes down what it carried. */
  fetch = async (url, init) => {
    const since = now();
    const body = JSON.parse(init.body);
    let what = kindOf(url, body);
    try {
      const response = await fetch(url, init);
      const ms = now() - since;
      const answer = await response.clone().json().catch(() => ({}));
      // Where there is one entry point for both, an answer that names no time to come again was held.
      if (what === 'look' && body.wait_ms > 0 && answer.retry_ms === undefined) what = 'poll';
      this.note(what, ms, response.status);
      if (what === 'poll') this.#judge(answer, ms);
      return response;
    } catch (error) {
      if (!init.signal?.aborted) this.note(what, now() - since, 0);
      throw error;
    }
  };

  /** Of a poll's time, what was no waiting for mail. */
  #judge({ messages = [], retry_ms: retryMs = 0 }, ms) {
    const last = messages[messages.length - 1];
    if (last) this.note('late', Math.min(Date.now() - last.sent_ms, ms), 200);
    else if (retryMs > 0 && ms < HOLD_MS * 0.8) this.note('refused', ms, 200);
  }
}

function kindOf(url, body) {
  const [, action] = /\/(join|leave|exchange)$/.exec(url) ?? [null, 'other'];
  if (action !== 'exchange') return action;
  if (url.includes('klatch-poll')) return 'poll';
  return body.send ? 'send' : 'look';
}

export class Person {
  notes = [];
  latencies = [];
  problems = [];

  /**
   * Come in and read.
   * @param {import('./web-server.mjs').WebServer} server
   * @param {string} room
   * @param {Ledger} ledger
   */
  static async join(server, room, ledger) {
    const one = new Person();
    const env = environment({ fetch: ledger.fetch, base: `${server.page}/`, locks: null, storage: null });
    const session = new Session({ storage: null, locks: null, name: room });
    const api = `${server.page}${server.entry}/v1`;
    one.room = room;
    one.signaling = new Signaling({ env, api, room, meta: () => null, session, ticket: new Ticket(undefined) });
    one.signaling.on('message', ({ detail }) => one.#take(detail));
    for (const type of ['problem', 'gap', 'ended']) {
      one.signaling.on(type, ({ detail }) => one.problems.push({ type, detail: detail.message ?? detail }));
    }
    await one.signaling.join();
    one.signaling.start();
    return one;
  }

  #take(mail) {
    if (mail.from === null) return;
    this.notes.push(mail.data);
    this.latencies.push(Date.now() - mail.sent_ms);
  }

  get peer() { return this.signaling.peer; }

  say(data) { this.signaling.send(null, 'note', data); }

  leave() { return this.signaling.leave(); }
}

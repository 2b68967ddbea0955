/* reading: the lane in which one member reads its mailbox: one poll after another that is held, or a
 * short look every third of the lease while the room says that another member polls for all (relax.js). */

import { Backoff, Naps } from './timing.js';
import { asProblem } from './problem.js';
import { takePollSlot } from './session.js';

/** @typedef {import('./types.js').Exchanged} Exchanged */

const POLL_GRACE_MS = 10_000;
const SHORT_POLL_MS = 1_500;
/** A poll that ends sooner than this with nothing is an answer of a host that doesn't hold. */
const QUICK_MS = 300;

export class Reading {
  #env;
  #base;
  #poll;
  #stop;
  #naps;
  #sending;
  #visit;
  /** The pauses between the short looks of a relaxed member. */
  #rests = new Naps();
  /** @type {AbortController | null} */
  #held = null;
  #heldSince = 0;
  #cursor = '';
  #seq = -1;
  #turn = 0;
  #holdMs = 25_000;
  #leaseMs = 75_000;
  #relaxed = false;
  /** Whether the last answer left mail behind: no time to rest. */
  #behind = false;
  /** Whether the next poll may go where polls are held; else the main entry point says when. */
  #placed = true;
  /** How long to wait before the first poll. */
  #firstMs = 0;
  /** Goes on without the answer to the held poll. */
  #callBack = () => {};
  /**
   * A held poll that nobody waits for any more. A short one supersedes it; cutting it off
   * would be a hang-up to the server.
   */
  #ghost = false;

  /**
   * @param {{env: import('./env.js').Environment, base: URL, stop: AbortSignal, naps: Naps,
   *   sending: import('./sending.js').Sending, visit: import('./signaling.js').Visit}} options
   *   base is the API's, stop ends with this visit; naps are the pauses that end early when there is reason to go on
   */
  constructor({ env, base, stop, naps, sending, visit }) {
    this.#env = env;
    this.#base = base;
    this.#poll = base;
    this.#stop = stop;
    this.#naps = naps;
    this.#sending = sending;
    this.#visit = visit;
  }

  /** Up to where mail was read. */
  get cursor() {
    return this.#cursor;
  }

  get relaxed() {
    return this.#relaxed;
  }

  /** @param {Pick<import('./types.js').Joined, 'cursor' | 'poll' | 'waiting'>} answer of a join: from where on, and how, to read */
  adopt({ cursor, poll, waiting }) {
    this.#cursor = cursor;
    this.#seq = -1;
    this.#holdMs = poll?.hold_ms ?? this.#holdMs;
    this.#leaseMs = poll?.lease_ms ?? this.#leaseMs;
    this.#firstMs = poll?.retry_ms ?? 0;
    this.#placed = this.#firstMs === 0;
    if (poll?.url) this.#poll = new URL(`${poll.url.replace(/\/+$/, '')}/v1/`, this.#base);
    // Nobody else's poll stands in for that of who has to wait.
    if (waiting === true) this.#relaxed = false;
  }

  /** @param {boolean} relaxed whether another member polls for all */
  relax(relaxed) {
    if (this.#relaxed === relaxed) return;
    this.#relaxed = relaxed;
    if (relaxed) this.#callBack();
    else this.#rests.wake();
  }

  /** Look now rather than after the rest. */
  wake() {
    // The connection under an older poll may be of a network that is gone.
    if (Date.now() - this.#heldSince > 1000) this.abort();
    this.#rests.wake();
  }

  /** Give up the poll that is held. */
  abort() {
    this.#held?.abort();
  }

  /** No more of it: `stop` was said. */
  end() {
    this.abort();
    this.#rests.wake();
  }

  /**
   * One poll or look after another for as long as this visit lasts.
   * @param {() => boolean} [done] whether that is enough
   */
  async run(done = () => false) {
    const { locks, random } = this.#env;
    const backoff = new Backoff({ random });
    if (this.#firstMs > 0) await this.#naps.sleep(this.#firstMs);
    /** @type {(() => void) | null} */
    let slot = null;
    while (!this.#stop.aborted && !done()) {
      try {
        if (this.#relaxed) {
          slot?.();
          slot = null;
        } else {
          slot ??= await takePollSlot(locks, this.#poll.origin);
        }
        // After an error a short look first: a held poll would tell only at its end that
        // the server is back.
        const pauseMs = await this.#once(slot && this.#visit.ready() ? this.#holdMs : 0);
        backoff.reset();
        if (pauseMs > 0) await this.#naps.sleep(pauseMs * (1 + random() / 10));
        else if (this.#behind || this.#ghost || this.#stop.aborted) continue;
        else if (this.#relaxed) await this.#rests.sleep(this.#leaseMs / 3 * (0.9 + random() / 10));
        else if (!slot || this.#holdMs === 0) await this.#naps.sleep(SHORT_POLL_MS * (1 + random() / 4));
      } catch (error) {
        const problem = asProblem(error);
        if (problem.code !== 'aborted') await this.#visit.recover(problem, backoff);
      }
    }
    slot?.();
  }

  /**
   * @param {number} waitMs how long it may be held
   * @returns {Promise<number>} ms until the next one where the answer says so, else 0
   */
  async #once(waitMs) {
    const visit = this.#visit;
    await visit.rejoining();
    while (visit.paused() && !this.#stop.aborted) await this.#naps.sleep(60_000);
    const isPoll = waitMs > 0;
    const held = new AbortController();
    this.#held = held;
    this.#heldSince = Date.now();
    this.#turn += 1;
    const key = visit.key();
    const body = { key, after: this.#cursor, wait_ms: isPoll ? waitMs : Number(this.#ghost), turn: this.#turn };
    const timeoutMs = waitMs + POLL_GRACE_MS;
    const base = isPoll && this.#placed ? this.#poll : this.#base;
    // Until there is an answer: a place that fails, or that wasn't asked for, has to be asked for.
    this.#placed = false;
    // Another entry point is for polls alone, and may be one that doesn't work.
    const asked = base === this.#base ? this.#sending.poll(body, { timeoutMs, signal: held.signal })
      : visit.ask(body, { base, timeoutMs, signal: held.signal });
    const answer = await (isPoll ? this.#unlessCalledBack(asked) : asked);
    if (!answer) return 0;
    // Joined again in the meantime: this was the former member's mail.
    if (key !== visit.key() || this.#stop.aborted) return 0;
    visit.reached();
    this.#ghost = false;
    this.#placed = isPoll && !answer.retry_ms;
    if (answer.gap) {
      this.#seq = -1;
      visit.gap(answer);
    }
    const messages = answer.messages ?? [];
    for (const message of messages) {
      if (message.seq <= this.#seq || this.#stop.aborted) continue;
      this.#seq = message.seq;
      visit.mail(message);
    }
    this.#cursor = answer.next ?? this.#cursor;
    this.#behind = answer.more === true;
    await visit.read(answer);
    if (answer.retry_ms !== undefined) return answer.retry_ms;
    if (answer.superseded) return 1000;
    const tooQuick = isPoll && messages.length === 0 && Date.now() - this.#heldSince < QUICK_MS;
    return tooQuick && !this.#behind ? 1000 : 0;
  }

  /**
   * @param {Promise<Exchanged>} asked a poll
   * @returns {Promise<Exchanged | null>} null: called back
   */
  #unlessCalledBack(asked) {
    /** @type {Promise<null>} */
    const calledBack = new Promise((resolve) => {
      this.#callBack = () => {
        this.#ghost = true;
        resolve(null);
      };
    });
    // Its mail, if it got any, comes with the next look.
    asked.catch(() => {});
    return Promise.race([asked, calledBack]).finally(() => {
      this.#callBack = () => {};
    });
  }
}

// How many requests may wait while a short one is still answered within a second: 1, 2, 4, 8, 16
// held ones, short ones timed meanwhile; and whether short ones queue behind held ones.
import { inParallel, pause, post } from '../ask.js';

const LEVELS = [1, 2, 4, 8, 16];
/** All held requests end at one time; one that ends long after it was queued until the others ended. */
const TOGETHER_MS = 8000;
/** A host that starts a process a second begins with some of them later. */
const SLACK_MS = 3500;
/** Until a held request has reached the program. */
const SETTLE_MS = 400;
const SHORT_ONES = 4;
const ROUNDS = 2;
/** With one or two held nothing should be slow yet: a host that is still starting processes gets time for it. */
const FEW_HELD_ROUNDS = 4;
const WARM_UP_ROUNDS = 4;
const SLOW_MS = 1000;
const PATIENCE_MS = 6000;
/** Over HTTP/1.1: six connections of their own, and two of those that short requests use. */
const BROWSER_MAX = 8;
/** More than this and a short request is slow because of anything else. */
const QUEUE_LEVEL_MAX = 2;
/** What queues hangs until held requests end; a host that starts a process for it is done sooner. */
const HUNG_MS = 3000;

/** @typedef {import('../findings.js').Finding} Finding */
/** @typedef {{held: number, worstMs: number, hung: number}} Level */

/** @type {import('../run.js').CheckFunction} */
export async function check(ctx, tell) {
  const stop = new AbortController();
  const end = () => stop.abort();
  ctx.signal.addEventListener('abort', end, { once: true });
  try {
    return await climb(ctx, stop.signal, tell);
  } finally {
    end();
    ctx.signal.removeEventListener('abort', end);
  }
}

/** @param {import('../run.js').Context} ctx @param {AbortSignal} holds @param {import('../run.js').Tell} tell @returns {Promise<Finding[]>} */
async function climb(ctx, holds, tell) {
  const allowed = mostAllowed(ctx);
  /** @type {Level[]} */
  const levels = [];
  const idle = await shortOnesOften(ctx, WARM_UP_ROUNDS);
  const alone = idle.worstMs > SLOW_MS ? await shortOnes(ctx, 1) : idle;
  if (alone.worstMs > SLOW_MS) return [{ code: 'K-SLOW', values: { seconds: Math.round(alone.worstMs / 100) / 10 } }];
  const waiters = new Waiters(ctx, holds);
  for (const wanted of levelsUpTo(allowed)) {
    tell('tell.slots', { held: wanted });
    while (waiters.started < wanted) waiters.start();
    await pause(SETTLE_MS, ctx.signal);
    if (waiters.refused > 0 && waiters.held === 0) return [{ code: 'K-BUDGET' }];
    const rounds = wanted <= QUEUE_LEVEL_MAX ? FEW_HELD_ROUNDS : ROUNDS;
    const level = { held: wanted, ...await shortOnesOften(ctx, rounds, HUNG_MS) };
    levels.push(level);
    if (level.worstMs > SLOW_MS || waiters.refused > 0 || waiters.broken > 0) return judge(ctx, levels, waiters);
  }
  await waiters.ended();
  return judge(ctx, levels, waiters);
}

/** @param {number} most */
function levelsUpTo(most) {
  const below = LEVELS.filter((level) => level < most);
  return most <= Math.max(...LEVELS) ? [...below, most] : below;
}

/** Of the budget one place is kept free for members. @param {import('../run.js').Context} ctx */
function mostAllowed(ctx) {
  const { process_per_poll: costs, polls_max: pollsMax = 8 } = ctx.health ?? {};
  const budget = ctx.adminKey !== '' || !costs ? 64 : Math.max(1, Number(pollsMax) - 1);
  return Math.min(budget, overHttp1() ? BROWSER_MAX : 64);
}

function overHttp1() {
  const last = performance.getEntriesByType('resource').at(-1);
  return !(last instanceof PerformanceResourceTiming && /^h[23]/.test(last.nextHopProtocol));
}

/** Requests that are held, and what became of those that are not. */
class Waiters {
  started = 0;
  /** Answered at once: no place. */
  refused = 0;
  /** Ended by something else, or not when it should have. */
  broken = 0;
  #open = 0;
  #endsAt = performance.now() + TOGETHER_MS;
  #ctx;
  #signal;

  /** @param {import('../run.js').Context} ctx @param {AbortSignal} signal */
  constructor(ctx, signal) {
    this.#ctx = ctx;
    this.#signal = signal;
  }

  get held() {
    return this.started - this.refused - this.broken;
  }

  start() {
    this.started += 1;
    this.#open += 1;
    const { adminKey, pollApi } = this.#ctx;
    const ms = Math.max(1000, Math.round(this.#endsAt - performance.now()));
    const body = adminKey === '' ? { ms } : { ms, admin_key: adminKey };
    const apart = this.started <= 6;
    post(`${pollApi}/doctor/hold`, body, { signal: this.#signal, timeoutMs: ms + 4000, apart }).then((answer) => {
      this.#open -= 1;
      if (answer.status === 429 || answer.json?.retry_ms !== undefined) this.refused += 1;
      else if (answer.status !== 200) this.broken += 1;
    }, () => {});
  }

  /** Wait until all should have ended; those that have not were never held. */
  async ended() {
    const until = this.#endsAt + SLACK_MS;
    while (this.#open > 0 && performance.now() < until) await pause(100, this.#ctx.signal);
    this.broken += this.#open;
  }
}

/**
 * A slow host starts a process a second: what lasts is slow each time.
 * @param {import('../run.js').Context} ctx @param {number} rounds
 * @param {number} [enoughMs] no other round after this: the held ones would have ended in it
 */
async function shortOnesOften(ctx, rounds, enoughMs = Infinity) {
  let now = await shortOnes(ctx);
  for (let round = 1; round < rounds && now.worstMs > SLOW_MS && now.worstMs < enoughMs; round += 1) now = await shortOnes(ctx);
  return now;
}

/**
 * @param {import('../run.js').Context} ctx @param {number} [count]
 * @returns {Promise<{worstMs: number, hung: number}>}
 */
async function shortOnes(ctx, count = SHORT_ONES) {
  let worstMs = 0;
  let hung = 0;
  await inParallel(Array.from({ length: count }, (_, number) => number), count, async () => {
    const answer = await post(`${ctx.api}/doctor/echo`, { ping: 'pong' }, { signal: ctx.signal, timeoutMs: PATIENCE_MS });
    const ms = answer.status === 200 || answer.status === 429 ? answer.ms : PATIENCE_MS;
    worstMs = Math.max(worstMs, ms);
    if (ms > SLOW_MS) hung += 1;
  });
  return { worstMs, hung };
}

/** @param {import('../run.js').Context} ctx @param {Level[]} levels @param {Waiters} waiters @returns {Finding[]} */
function judge(ctx, levels, waiters) {
  const last = levels.at(-1);
  if (!last) return [];
  const well = levels.filter(({ worstMs }) => worstMs <= SLOW_MS).at(-1);
  const pollsMax = Number(ctx.health?.polls_max ?? 8);
  if (last.worstMs >= HUNG_MS && last.held <= QUEUE_LEVEL_MAX) {
    const values = { held: last.held, hung: last.hung, asked: SHORT_ONES };
    return [{ code: 'K-QUEUE', values, lines: { polls_max: String(well?.held ?? 0) } }];
  }
  const carried = waiters.broken > 0 ? Math.min(well?.held ?? 0, waiters.held) : well?.held ?? 0;
  if (last.worstMs > SLOW_MS || waiters.broken > 0) {
    const seconds = Math.round(last.worstMs / 100) / 10;
    /** @type {Finding} */
    const finding = { code: 'K-SLOTS', values: { over: last.held, held: carried, seconds } };
    return [carried < pollsMax ? { ...finding, lines: { polls_max: String(carried) } } : finding];
  }
  /** @type {Finding[]} */
  const findings = [{ good: 'slots', values: { held: last.held, ms: Math.round(last.worstMs) } }];
  if (overHttp1() && last.held === BROWSER_MAX) findings.push({ good: 'slots.browser' });
  if (waiters.refused > 0) findings.push({ code: 'K-BUDGET' });
  return findings;
}

// Waiting for a condition with a deadline. Nothing in this suite sleeps for a fixed time and then
// looks; where a test says "nothing came", it says until when it looked.
import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';

export const now = () => performance.now();

/**
 * What comes within this time came by a ring: a room that nobody rang for is looked at after 5 s at the
 * soonest (PARK_RECHECK_MS). For polls that are held for longer.
 */
export const RUNG_MS = 4500;

/**
 * An answer that isn't waited for. On a machine with much to do one may take long all the same, so
 * there are some tries; who makes callers wait makes all of them wait.
 * @template {{ms: number}} T
 * @param {number} ms
 * @param {() => Promise<T>} call
 * @returns {Promise<T>} the prompt answer
 */
export async function promptly(ms, call) {
  const took = [];
  for (let tries = 0; tries < 5; tries += 1) {
    const answer = await call();
    if (answer.ms < ms) return answer;
    took.push(Math.round(answer.ms));
  }
  throw new Error(`each time longer than ${ms} ms: ${took.join(', ')}`);
}

/**
 * Call `probe` until it returns something truthy, and return that.
 * @template T
 * @param {string} what told when the deadline passes
 * @param {() => T | Promise<T>} probe
 * @param {{withinMs?: number, everyMs?: number}} [limits]
 * @returns {Promise<T>}
 */
export async function until(what, probe, { withinMs = 20000, everyMs = 10 } = {}) {
  const deadline = now() + withinMs;
  for (;;) {
    const value = await probe();
    if (value) return value;
    if (now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`);
    await pause(everyMs);
  }
}

/** The promise's value, or an error that says what was waited for. */
export async function within(ms, what, promise) {
  const stop = new AbortController();
  const late = pause(ms, null, { signal: stop.signal })
    .then(() => { throw new Error(`not within ${ms} ms: ${what}`); });
  late.catch(() => {});
  try {
    return await Promise.race([promise, late]);
  } finally {
    stop.abort();
  }
}

/** Is the promise still open after `ms`? For "nobody was woken", "the answer is held". */
export async function stillOpen(ms, promise) {
  const stop = new AbortController();
  const quiet = pause(ms, true, { signal: stop.signal }).catch(() => true);
  try {
    return await Promise.race([promise.then(() => false, () => false), quiet]);
  } finally {
    stop.abort();
  }
}

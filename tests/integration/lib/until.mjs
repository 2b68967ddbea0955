// Waiting for a condition with a deadline. Nothing in this suite sleeps for a fixed time and then
// looks; where a test says "nothing came", it says until when it looked.
import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';

export const now = () => performance.now();

/**
 * Call `probe` until it returns something truthy, and return that.
 * @template T
 * @param {string} what told when the deadline passes
 * @param {() => T | Promise<T>} probe
 * @param {{withinMs?: number, everyMs?: number}} [limits]
 * @returns {Promise<T>}
 */
export async function until(what, probe, { withinMs = 8000, everyMs = 10 } = {}) {
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

// Keeps the screen on while a call is in sight. The browser takes the lock back whenever the
// page is hidden, so it is asked for again each time the page is seen.
import { can } from './can.js';

/** @param {AbortSignal} life until when */
export function stayAwake(life) {
  if (!can('wakeLock')) return;
  /** @type {WakeLockSentinel | null} */
  let lock = null;
  const ask = async () => {
    if (document.hidden || life.aborted) return;
    // Refused to save the battery, or hidden meanwhile: then the screen goes off as always.
    lock = await navigator.wakeLock.request('screen').catch(() => null);
    if (life.aborted) void lock?.release();
  };
  document.addEventListener('visibilitychange', ask, { signal: life });
  life.addEventListener('abort', () => lock?.release(), { once: true });
  void ask();
}

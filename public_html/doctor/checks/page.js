// The page itself: secure, the clocks, and what this browser can do.
import { ask } from '../ask.js';

const SKEW_MAX_MS = 60_000;
const LOCAL = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\]|.*\.localhost)$/;

/** @type {import('../run.js').CheckFunction} */
export async function check(ctx) {
  /** @type {import('../findings.js').Finding[]} */
  const findings = [];
  if (!window.isSecureContext) findings.push({ code: 'K-HTTPS' });
  else findings.push({ good: location.protocol !== 'https:' && LOCAL.test(location.hostname) ? 'page.local' : 'page.secure' });
  if (typeof RTCPeerConnection === 'undefined') findings.push({ code: 'K-WEBRTC' });
  if (ctx.api !== null) findings.push(...await clock(ctx.api, ctx.signal));
  return findings;
}

/**
 * @param {string} api @param {AbortSignal} signal
 * @returns {Promise<import('../findings.js').Finding[]>}
 */
async function clock(api, signal) {
  const { json, ms } = await ask(`${api}/health`, { signal });
  if (typeof json?.time_ms !== 'number') return [];
  const skewMs = Math.abs(Date.now() - ms / 2 - json.time_ms);
  if (skewMs <= SKEW_MAX_MS) return [{ good: 'page.clock' }];
  return [{ code: 'K-CLOCK', values: { minutes: Math.round(skewMs / 60_000) } }];
}

// Each configured STUN and TURN server apart: reached, relays, refused or silent; and who is left
// out when none relays. The servers are told to who joins a room, so a throw-away room is joined.
import { post } from '../ask.js';

const GATHER_MS = 12_000;
/** Nothing is wrong: klatch.conf lets in who brings a token, or into rooms that the owner has opened. */
const SHUT = new Set(['token-missing', 'room-not-found']);
const TYPES = { stun: 'srflx', turn: 'relay' };

/** @typedef {import('../findings.js').Finding} Finding */
/** @typedef {'reached' | 'relays' | 'refused' | 'silent'} Verdict */

/** @type {import('../run.js').CheckFunction} */
export async function check(ctx, tell) {
  const room = `doctor-${randomWord()}`;
  const joined = await post(`${ctx.api}/rooms/${room}/join`, { id: randomWord(), name: '' }, ctx);
  if (!Array.isArray(joined.json?.ice_servers)) {
    if (joined.status === 429) return [{ code: 'K-LIMIT' }];
    const problem = String(joined.json?.detail ?? joined.status).replace(/\.$/, '');
    return [{ code: SHUT.has(joined.json?.code) ? 'K-ICE-UNTRIED' : 'K-ICE-UNKNOWN', values: { problem } }];
  }
  const { ice_servers: configured, key, poll } = joined.json;
  if (typeof poll?.url === 'string' && poll.url !== '') ctx.pollApi = new URL(`${poll.url.replace(/\/+$/, '')}/v1`, `${ctx.api}/`).href;
  await post(`${ctx.api}/rooms/${room}/leave`, { key }, ctx);
  return typeof RTCPeerConnection === 'undefined' ? [] : tryAll(configured, ctx.signal, tell);
}

/**
 * @param {RTCIceServer[]} configured @param {AbortSignal} signal @param {import('../run.js').Tell} tell
 * @returns {Promise<Finding[]>}
 */
async function tryAll(configured, signal, tell) {
  const servers = configured.flatMap((server) => [server.urls].flat().map((urls) => ({ ...server, urls })));
  const results = await Promise.all(servers.map(async (server) => {
    const { verdict, reason } = await tryServer(server, signal);
    tell('tell.ice', { url: server.urls });
    return { url: server.urls, verdict, reason };
  }));
  const findings = results.map(asFinding);
  const verdicts = results.map(({ verdict }) => verdict);
  if (!verdicts.includes('reached') && !verdicts.includes('relays')) findings.push({ code: 'K-STUN-NONE' });
  if (!verdicts.includes('relays')) findings.push({ code: 'K-RELAY-NONE' });
  return findings;
}

/** @param {{url: string, verdict: Verdict, reason: string}} result @returns {Finding} */
function asFinding({ url, verdict, reason }) {
  switch (verdict) {
    case 'reached': return { good: 'ice.reached', values: { url } };
    case 'relays': return { good: 'ice.relays', values: { url } };
    case 'refused': return { code: 'K-ICE-REFUSED', values: { url, reason } };
    default: return { code: 'K-ICE-SILENT', values: { url } };
  }
}

/**
 * @param {RTCIceServer & {urls: string}} server @param {AbortSignal} signal
 * @returns {Promise<{verdict: Verdict, reason: string}>}
 */
async function tryServer(server, signal) {
  const wanted = /^turns?:/.test(server.urls) ? TYPES.turn : TYPES.stun;
  let connection;
  try {
    connection = new RTCPeerConnection({ iceServers: [server], iceTransportPolicy: wanted === 'relay' ? 'relay' : 'all' });
  } catch {
    // An address that this browser doesn't take.
    return { verdict: 'silent', reason: '' };
  }
  try {
    return await gather(connection, wanted, signal);
  } finally {
    connection.close();
  }
}

/**
 * @param {RTCPeerConnection} connection @param {string} wanted the type of candidate that shows success
 * @param {AbortSignal} signal
 * @returns {Promise<{verdict: Verdict, reason: string}>}
 */
function gather(connection, wanted, signal) {
  return new Promise((resolve) => {
    let refusal = '';
    let complained = false;
    let hosts = 0;
    const end = (/** @type {Verdict} */ verdict) => {
      clearTimeout(timer);
      resolve({ verdict, reason: refusal });
    };
    const timer = setTimeout(() => end(refusal === '' ? 'silent' : 'refused'), GATHER_MS);
    signal.addEventListener('abort', () => end('silent'), { once: true });
    connection.addEventListener('icecandidateerror', ({ errorCode, errorText }) => {
      complained = true;
      // 701: the server could not be reached; else it answered with an error (RFC 8656).
      if (errorCode >= 300 && errorCode < 700) refusal = `${errorCode} ${errorText}`.trim();
    });
    connection.addEventListener('icecandidate', ({ candidate }) => {
      if (candidate?.type === wanted) end(wanted === 'relay' ? 'relays' : 'reached');
      else if (candidate?.type === 'host') hosts += 1;
    });
    connection.addEventListener('icegatheringstatechange', () => {
      if (connection.iceGatheringState !== 'complete') return;
      if (refusal !== '') end('refused');
      // A browser with a public address is told its own, and keeps that as one candidate.
      else if (wanted === 'srflx' && hosts > 0 && !complained) end('reached');
      else end('silent');
    });
    connection.createDataChannel('doctor');
    connection.createOffer().then((offer) => connection.setLocalDescription(offer)).catch(() => end('silent'));
  });
}

function randomWord() {
  return [...crypto.getRandomValues(new Uint8Array(24))].map((byte) => (byte % 36).toString(36)).join('');
}

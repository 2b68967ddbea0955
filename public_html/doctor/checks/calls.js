// Which requests pass, and arrive as they were sent: verbs, types, sizes, headers, hostile looks.
import { ask, post, sha256 } from '../ask.js';

/** As long as the longest that the page sends. */
const BODY_BYTES = 100_000;
const SMALLER_KB = [64, 32, 16, 8, 4];
const HOSTILE = `<script>alert(document.cookie)</script> ' OR 1=1; DROP TABLE room; -- ../../../../etc/passwd \${jndi:ldap://x} <?php system($_GET['c']); ?>`;

/** @typedef {import('../findings.js').Finding} Finding */
/** @typedef {import('../ask.js').Answer} Answer */

/** @type {import('../run.js').CheckFunction} */
export async function check(ctx) {
  const echo = `${ctx.api}/doctor/echo`;
  const json = await post(echo, { ping: 'pong' }, ctx);
  const form = await ask(echo, { method: 'POST', body: new URLSearchParams({ json: '{"ping":"pong"}' }), signal: ctx.signal });
  if (json.status === 429 || form.status === 429) return [{ code: 'K-LIMIT' }];
  if (!arrived(json, 'POST') && !arrived(form, 'POST')) return [{ code: 'K-POST', values: { status: inWords(json) } }];
  const send = arrived(json, 'POST') ? postJson : postForm;
  return [
    ...await verbs(ctx, echo, json, form),
    ...await body(ctx, echo, send),
    ...await rules(ctx, echo, send),
    ...await headers(ctx, echo),
  ];
}

/** @param {Answer} answer @param {string} method */
function arrived({ status, json }, method) {
  return status === 200 && json?.method === method && typeof json.body_bytes === 'number';
}

/** @param {Answer} answer */
function inWords({ status, late }) {
  if (status !== 0) return status === 200 ? 'changed on its way' : String(status);
  return late ? 'no answer' : 'connection broken';
}

/** @param {string} url @param {string} text @param {AbortSignal} signal */
const postJson = (url, text, signal) => ask(url, { method: 'POST', body: text, type: 'application/json', signal });
/** @param {string} url @param {string} text @param {AbortSignal} signal */
const postForm = (url, text, signal) => ask(url, { method: 'POST', body: new URLSearchParams({ json: text }), signal });

/** @param {import('../run.js').Context} ctx @param {string} echo @param {Answer} json @param {Answer} form */
async function verbs(ctx, echo, json, form) {
  /** @type {Finding[]} */
  const findings = [];
  if (!arrived(json, 'POST')) findings.push({ code: 'K-JSON', values: { status: inWords(json) } });
  if (!arrived(form, 'POST')) findings.push({ code: 'K-FORM', values: { status: inWords(form), lease: 75 } });
  const options = await ask(echo, { method: 'OPTIONS', signal: ctx.signal });
  // Klatch's answer has no body; a web server that answers by itself is as good.
  if (options.status !== 200 && options.status !== 204) findings.push({ code: 'K-OPTIONS', values: { status: inWords(options) } });
  return findings.length > 0 ? findings : [{ good: 'calls.verbs' }];
}

/**
 * @param {import('../run.js').Context} ctx @param {string} echo @param {typeof postJson} send
 * @returns {Promise<Finding[]>}
 */
async function body(ctx, echo, send) {
  const whole = await sized(ctx, echo, send, BODY_BYTES);
  if (whole === null) return [{ good: 'calls.body', values: { kb: BODY_BYTES / 1000 } }];
  if (whole.status === 429) return [{ code: 'K-LIMIT' }];
  let passes = 0;
  for (const kb of SMALLER_KB) {
    if (await sized(ctx, echo, send, kb * 1000) !== null) continue;
    passes = kb;
    break;
  }
  const level = passes < 16 ? 'bad' : 'warn';
  return [{ code: 'K-BODY', level, values: { status: inWords(whole), bytes: BODY_BYTES / 1000, passes } }];
}

/**
 * @param {import('../run.js').Context} ctx @param {string} echo @param {typeof postJson} send @param {number} bytes of the whole body
 * @returns {Promise<Answer | null>} null when it arrived as it was sent
 */
async function sized(ctx, echo, send, bytes) {
  const frame = send === postForm ? new URLSearchParams({ json: '{"pad":""}' }).toString().length : '{"pad":""}'.length;
  const text = JSON.stringify({ pad: 'klatch'.repeat(Math.ceil(bytes / 6)).slice(0, bytes - frame) });
  const sent = new TextEncoder().encode(send === postForm ? new URLSearchParams({ json: text }).toString() : text);
  const answer = await send(echo, text, ctx.signal);
  const hash = await sha256(sent);
  const same = arrived(answer, 'POST') && answer.json.body_bytes === sent.length
    && (hash === null || answer.json.body_sha256 === hash);
  return same ? null : answer;
}

/**
 * @param {import('../run.js').Context} ctx @param {string} echo @param {typeof postJson} send
 * @returns {Promise<Finding[]>}
 */
async function rules(ctx, echo, send) {
  const bare = await send(echo, JSON.stringify({ data: HOSTILE }), ctx.signal);
  if (arrived(bare, 'POST')) return [{ good: 'calls.rules' }];
  if (bare.status === 429) return [{ code: 'K-LIMIT' }];
  const packed = btoa(HOSTILE).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
  const wrapped = await send(echo, JSON.stringify({ send: [{ id: 'a1', type: 'offer', data: { u: packed } }] }), ctx.signal);
  if (arrived(wrapped, 'POST')) return [{ code: 'K-RULES', values: { status: inWords(bare) } }];
  return [{ code: 'K-RULES-ALL', values: { status: inWords(wrapped) } }];
}

/** @param {import('../run.js').Context} ctx @param {string} echo @returns {Promise<Finding[]>} */
async function headers(ctx, echo) {
  const { json } = await ask(echo, { signal: ctx.signal, headers: { Authorization: 'Bearer doctor', 'X-Klatch-Key': 'doctor' } });
  if (json === null) return [];
  /** @type {Finding[]} */
  const findings = [];
  if (json.authorization === false) findings.push({ code: 'K-AUTH' });
  if (json.x_klatch_key === false) findings.push({ code: 'K-HEADER' });
  if (findings.length === 0) findings.push({ good: 'calls.headers' });
  if (location.protocol === 'https:' && json.https === false) findings.push({ code: 'K-PROXY' });
  return findings;
}

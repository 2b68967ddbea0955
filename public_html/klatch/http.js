/* http: one call to the room API, and what an answer that isn't one means. */

import { KlatchProblem } from './problem.js';

const RETRY_MS_MAX = 60_000;

/**
 * POST `body` and decode the answer.
 * @param {import('./env.js').Environment} env
 * @param {string} url
 * @param {object} body
 * @param {{timeoutMs: number, signal?: AbortSignal, keepalive?: boolean}} options
 * @returns {Promise<any>} the answer's object
 * @throws {KlatchProblem} `aborted` when the signal said so; `not-klatch` for an empty answer too, which is a leave's
 */
export async function call(env, url, body, { timeoutMs, signal, keepalive = false }) {
  const stop = new AbortController();
  const abort = () => stop.abort();
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    abort();
  }, timeoutMs);
  signal?.addEventListener('abort', abort, { once: true });
  if (signal?.aborted) abort();
  try {
    const response = await env.fetch(url, { ...request(env, url, body), signal: stop.signal, keepalive });
    return decode(response, await response.text());
  } catch (cause) {
    if (cause instanceof KlatchProblem) throw cause;
    if (signal?.aborted) throw new KlatchProblem('aborted', { cause });
    throw new KlatchProblem(late ? 'timeout' : 'network', { cause, transient: true });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
}

/**
 * @param {import('./env.js').Environment} env
 * @param {string} url
 * @param {object} body
 * @returns {RequestInit}
 */
function request(env, url, body) {
  const json = JSON.stringify(body);
  const shared = /** @type {RequestInit} */ ({
    // A redirect would turn POST into GET, or lead to another site.
    method: 'POST', cache: 'no-store', referrerPolicy: 'no-referrer', redirect: 'manual',
  });
  // A form needs no preflight, which would double the requests to another site's API.
  if (isForeign(env, url)) return { ...shared, body: new URLSearchParams({ json }) };
  return { ...shared, body: json, headers: { 'Content-Type': 'application/json' } };
}

/**
 * @param {import('./env.js').Environment} env
 * @param {string} url
 * @returns {boolean} whether it is another site's
 */
function isForeign(env, url) {
  return Boolean(env.base) && new URL(url).origin !== new URL(env.base ?? '').origin;
}

/**
 * What `part` adds to the body of a call.
 * @param {import('./env.js').Environment} env
 * @param {string} url
 * @param {object} part
 * @returns {number} bytes
 */
export function bodyBytes(env, url, part) {
  const json = JSON.stringify(part);
  // A form writes three bytes for most of what is no letter or digit.
  return isForeign(env, url) ? new URLSearchParams({ json }).toString().length : new TextEncoder().encode(json).length;
}

/**
 * @param {Response} response
 * @param {string} text
 * @returns {any}
 */
function decode(response, text) {
  const { status } = response;
  const type = response.headers.get('Content-Type') ?? '';
  let answer = null;
  try {
    // A host's error page or a captive portal: the status may be any, also 200.
    if (/\bjson\b/i.test(type)) answer = JSON.parse(text);
  } catch {
    // Cut off on its way.
  }
  const isObject = typeof answer === 'object' && answer !== null && !Array.isArray(answer);
  if (response.ok && isObject) return answer;
  const retryMs = retryAfterMs(response.headers.get('Retry-After'));
  if (!isObject || typeof answer.code !== 'string' || !/^application\/problem\+json\b/i.test(type)) {
    throw new KlatchProblem('not-klatch', { status, detail: type, transient: true, retryMs });
  }
  throw new KlatchProblem(answer.code, {
    status,
    detail: typeof answer.detail === 'string' ? answer.detail : '',
    transient: status >= 500 || status === 429 || status === 408,
    retryMs,
  });
}

/**
 * @param {KlatchProblem} problem
 * @returns {boolean} whether it is no fault that passes: a page, a redirect, another program
 */
export function isElsewhere({ code, status }) {
  return code === 'not-klatch' && status < 500 && status !== 429;
}

/**
 * @param {string | null} value seconds or a date (RFC 9110, 10.2.3)
 * @returns {number} at most a minute: who asks for more gets a question a minute
 */
function retryAfterMs(value) {
  if (value === null) return 0;
  const ms = /^\s*\d+\s*$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), RETRY_MS_MAX) : 0;
}

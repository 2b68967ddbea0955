/* http: one call to the room API, and what an answer that isn't one means. */

import { KlatchProblem } from './problem.js';

/**
 * POST `body` and decode the answer.
 * @param {import('./env.js').Environment} env
 * @param {string} url
 * @param {object} body
 * @param {{timeoutMs: number, signal?: AbortSignal, keepalive?: boolean}} options
 * @returns {Promise<any>} the answer's object, null for 204
 * @throws {KlatchProblem} `aborted` when the signal said so
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
  const shared = /** @type {RequestInit} */ ({ method: 'POST', cache: 'no-store', referrerPolicy: 'no-referrer' });
  // A form needs no preflight, which would double the requests to another site's API.
  if (env.base && new URL(url).origin !== new URL(env.base).origin) {
    return { ...shared, body: new URLSearchParams({ json }) };
  }
  return { ...shared, body: json, headers: { 'Content-Type': 'application/json' } };
}

/**
 * @param {Response} response
 * @param {string} text
 * @returns {any}
 */
function decode(response, text) {
  const { status } = response;
  if (status === 204) return null;
  let answer = null;
  try {
    answer = JSON.parse(text);
  } catch {
    // A host's error page or a captive portal: the status may be any, also 200.
  }
  const isObject = typeof answer === 'object' && answer !== null && !Array.isArray(answer);
  if (response.ok && isObject) return answer;
  const seconds = Number(response.headers.get('Retry-After') ?? '0');
  const retryMs = Number.isFinite(seconds) ? Math.min(Math.max(seconds, 0), 60) * 1000 : 0;
  if (!isObject || typeof answer.code !== 'string') {
    throw new KlatchProblem('not-klatch', { status, transient: true, retryMs });
  }
  throw new KlatchProblem(answer.code, {
    status,
    detail: typeof answer.detail === 'string' ? answer.detail : '',
    transient: status >= 500 || status === 429 || status === 408,
    retryMs,
  });
}

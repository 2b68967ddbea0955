// One request of the doctor, and whatever became of it: an answer, somebody else's answer, or none.

/**
 * @typedef {object} Answer
 * @property {number} status 0: no answer
 * @property {string} type the content type, without its parameters
 * @property {string} text at most the bytes asked for
 * @property {any} json the object that the body is, else null
 * @property {Uint8Array} bytes
 * @property {number} ms from the request to the last byte
 * @property {boolean} late no whole answer in time
 */

/** The run was stopped. */
export class Stopped extends Error {}

const PATIENCE_MS = 10_000;

/**
 * @param {string} url
 * @param {{method?: string, body?: string | URLSearchParams, type?: string, headers?: Record<string, string>,
 *   timeoutMs?: number, bytesMax?: number, apart?: boolean, signal: AbortSignal}} options
 *   apart: over connections of its own, of which a browser opens six more
 * @returns {Promise<Answer>}
 * @throws {Stopped}
 */
export async function ask(url, { method = 'GET', body, type, headers = {}, timeoutMs = PATIENCE_MS, bytesMax = Infinity,
  apart = false, signal }) {
  if (signal.aborted) throw new Stopped();
  const give = new AbortController();
  const stop = () => give.abort();
  signal.addEventListener('abort', stop, { once: true });
  const timer = setTimeout(stop, timeoutMs);
  const since = performance.now();
  /** @type {Answer} */
  const answer = { status: 0, type: '', text: '', json: null, bytes: new Uint8Array(), ms: 0, late: false };
  try {
    const response = await fetch(url, {
      method, body, cache: 'no-store', referrerPolicy: 'no-referrer', signal: give.signal,
      credentials: apart ? 'omit' : 'same-origin',
      headers: type === undefined ? headers : { ...headers, 'Content-Type': type },
    });
    answer.status = response.status;
    answer.type = (response.headers.get('Content-Type') ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
    answer.bytes = await readUpTo(response, bytesMax);
  } catch {
    if (signal.aborted) throw new Stopped();
    answer.late = give.signal.aborted;
    answer.status = 0;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
    answer.ms = performance.now() - since;
  }
  answer.text = new TextDecoder().decode(answer.bytes);
  answer.json = jsonObject(answer.text);
  return answer;
}

/** @param {string} url @param {object} body @param {Parameters<typeof ask>[1]} options */
export function post(url, body, options) {
  return ask(url, { method: 'POST', body: JSON.stringify(body), type: 'application/json', ...options });
}

/**
 * A whole program need not be loaded to see that it is one.
 * @param {Response} response @param {number} bytesMax
 */
async function readUpTo(response, bytesMax) {
  if (bytesMax === Infinity || !response.body) return new Uint8Array(await response.arrayBuffer());
  const reader = response.body.getReader();
  const parts = [];
  let length = 0;
  while (length < bytesMax) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    length += value.length;
  }
  reader.cancel().catch(() => {});
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes.subarray(0, bytesMax);
}

/** @param {string} text */
function jsonObject(text) {
  try {
    const value = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

/**
 * @param {number} ms @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
export function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(new Stopped());
      return;
    }
    const stop = () => {
      clearTimeout(timer);
      reject(new Stopped());
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, ms);
    signal.addEventListener('abort', stop, { once: true });
  });
}

/**
 * Call `each` on all items, a few at a time.
 * @template T
 * @param {readonly T[]} items @param {number} atOnce @param {(item: T) => Promise<void>} each
 */
export async function inParallel(items, atOnce, each) {
  const rest = [...items];
  const work = async () => {
    for (let item = rest.shift(); item !== undefined; item = rest.shift()) await each(item);
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}

/** @param {Uint8Array} bytes @returns {Promise<string | null>} null without a secure context */
export async function sha256(bytes) {
  if (!globalThis.crypto?.subtle) return null;
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes.slice()));
  return [...hash].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/* seal: the envelope around everything that goes into a mailbox.
 * An open envelope is `{u: base64url(JSON)}`: rule sets of web hosts block what
 * looks hostile in JSON (an SDP, a name with a quote) and let base64url pass.
 * A sealed one is `{s: base64url}`, which only members with the link's secret can open
 * (sealed.js). Users of the HTTP API may send plain JSON, which is told apart. */

import { fromBase64url, toBase64url } from './bytes.js';

/** @typedef {{u: string}} Envelope */
/** @typedef {{s: string}} Sealed */

/**
 * @param {unknown} value anything that JSON can carry
 * @returns {Envelope}
 */
export function wrap(value) {
  return { u: toBase64url(new TextEncoder().encode(JSON.stringify(value))) };
}

/**
 * @param {unknown} data what stood in a mailbox
 * @returns {{value: any, plain: boolean}} value is undefined where the envelope can't be opened
 */
export function unwrap(data) {
  if (typeof data !== 'object' || data === null) return { value: data, plain: true };
  if (isSealed(data)) return { value: undefined, plain: false };
  if (!('u' in data) || typeof data.u !== 'string') return { value: data, plain: true };
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(fromBase64url(data.u));
    return { value: JSON.parse(text), plain: false };
  } catch {
    return { value: undefined, plain: false };
  }
}

/**
 * @param {unknown} data
 * @returns {data is Sealed}
 */
export function isSealed(data) {
  return typeof data === 'object' && data !== null && 's' in data && typeof data.s === 'string';
}

/* bytes: base64url and random ids, for ids, envelopes and links. */

/**
 * @param {Uint8Array} bytes
 * @returns {string} without padding
 */
export function toBase64url(bytes) {
  let text = '';
  // In pieces: spreading a whole picture's worth of bytes would overflow the stack.
  for (let at = 0; at < bytes.length; at += 8192) {
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  }
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/**
 * @param {string} text
 * @returns {Uint8Array<ArrayBuffer>}
 * @throws {DOMException} when it isn't base64url
 */
export function fromBase64url(text) {
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

/**
 * It begins with a letter: OWASP's rule set takes what begins like 7-- for SQL.
 * @param {number} [bytes] 16 is 127 bits
 * @returns {string} random, base64url
 */
export function randomId(bytes = 16) {
  const random = crypto.getRandomValues(new Uint8Array(bytes));
  random[0] &= 0x7f;
  return toBase64url(random);
}

/* channel-frames: what goes over a channel of an application. A text is one JSON object; bytes have
 * such an object in front, after its length in two bytes. The object's words:
 *   n  the number of the message, where it is confirmed and sent again
 *   d  the data, where they aren't bytes
 *   q  it is the request with this number; a: it answers that one; e: why it doesn't
 *   k  numbers that have come */

import { KlatchProblem } from './problem.js';

/** Of the data, as JSON or as they are: with what stands before them it fits every browser's largest message. */
export const DATA_BYTES_MAX = 60_000;
const FRAME_BYTES_MAX = 65_535;
const LENGTH_BYTES = 2;
/** Of why a request isn't answered. */
export const WHY_CHARACTERS_MAX = 200;

/** @typedef {{n?: number, d?: any, q?: number, a?: number, e?: string, k?: unknown}} Frame */
/** @typedef {string | Uint8Array} Packed */

/**
 * @param {unknown} data anything that JSON can carry, an ArrayBuffer or a view of one
 * @returns {{json: string} | {bytes: Uint8Array}} a copy
 * @throws {KlatchProblem} message-too-large
 */
export function copyData(data) {
  const bytes = data instanceof ArrayBuffer ? new Uint8Array(data.slice(0))
    : ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice() : null;
  const json = bytes ? '' : JSON.stringify(data) ?? 'null';
  const size = bytes?.length ?? new TextEncoder().encode(json).length;
  if (size > DATA_BYTES_MAX) throw new KlatchProblem('message-too-large', { detail: `${size} of ${DATA_BYTES_MAX} bytes` });
  return bytes ? { bytes } : { json };
}

/**
 * @param {Frame} head
 * @param {ReturnType<typeof copyData>} [data]
 * @returns {Packed}
 */
export function pack(head, data) {
  const text = JSON.stringify(head);
  if (!data) return text;
  if ('json' in data) return text === '{}' ? `{"d":${data.json}}` : `${text.slice(0, -1)},"d":${data.json}}`;
  const first = new TextEncoder().encode(text);
  const whole = new Uint8Array(LENGTH_BYTES + first.length + data.bytes.length);
  new DataView(whole.buffer).setUint16(0, first.length);
  whole.set(first, LENGTH_BYTES);
  whole.set(data.bytes, LENGTH_BYTES + first.length);
  return whole;
}

/**
 * @param {unknown} packed what a channel brought, somebody else's
 * @returns {Frame | null} null where it is none
 */
export function unpack(packed) {
  try {
    if (typeof packed === 'string') return packed.length > FRAME_BYTES_MAX ? null : checked(JSON.parse(packed));
    if (!(packed instanceof ArrayBuffer) || packed.byteLength > FRAME_BYTES_MAX) return null;
    const end = LENGTH_BYTES + new DataView(packed).getUint16(0);
    const head = checked(JSON.parse(new TextDecoder().decode(new Uint8Array(packed, LENGTH_BYTES, end - LENGTH_BYTES))));
    return head && { ...head, d: new Uint8Array(packed.slice(end)) };
  } catch {
    return null;
  }
}

/**
 * @param {any} frame
 * @returns {Frame | null}
 */
function checked(frame) {
  if (typeof frame !== 'object' || frame === null || Array.isArray(frame)) return null;
  for (const word of ['n', 'q', 'a']) {
    if (frame[word] !== undefined && !(Number.isSafeInteger(frame[word]) && frame[word] > 0)) return null;
  }
  return frame.e === undefined ? frame : { ...frame, e: String(frame.e).slice(0, WHY_CHARACTERS_MAX) };
}


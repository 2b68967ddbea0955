/* link: the fragment of an address that names a room.
 * `#<room>` is an open room, `#<room>.<secret>` a sealed one. A fragment is never
 * sent to a server, so that the secret stays between those who have the link. */

import { KlatchProblem } from './problem.js';
import { randomId, toBase64url } from './bytes.js';

const ROOM = /^[A-Za-z0-9_-]{1,64}$/;
const SECRET = /^[A-Za-z0-9_-]{22}$/;
const LINK = /^#?([A-Za-z0-9_-]{1,64})(?:\.([A-Za-z0-9_-]{22}))?$/;

/**
 * @param {string} name
 * @returns {boolean}
 */
export function isRoomName(name) {
  return ROOM.test(name);
}

/** @returns {string} a room name that nobody can guess (64 bits) */
export function randomRoom() {
  return randomId(8);
}

/** @returns {string} a secret for a sealed room (128 bits) */
export function randomSecret() {
  return toBase64url(crypto.getRandomValues(new Uint8Array(16)));
}

/**
 * Read an address's fragment, with or without `#`. Never throws: what is no link
 * gives an empty room and a problem that can be shown; an empty one has no problem.
 * @param {string} hash
 * @returns {{room: string, secret: string | null, problem: KlatchProblem | null}}
 */
export function parseLink(hash) {
  const [, room = '', secret = null] = LINK.exec(hash) ?? [];
  return { room, secret, problem: room || /^#?$/.test(hash) ? null : new KlatchProblem('bad-link') };
}

/**
 * @param {string} room
 * @param {string | null} [secret]
 * @returns {string} `#room` or `#room.secret`
 */
export function makeLink(room, secret = null) {
  if (!ROOM.test(room) || (secret !== null && !SECRET.test(secret))) throw new KlatchProblem('bad-link');
  return secret === null ? `#${room}` : `#${room}.${secret}`;
}

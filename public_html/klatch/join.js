/* join: the way into a room. */

import { KlatchProblem } from './problem.js';
import { Post } from './post.js';
import { Room } from './room.js';
import { callsElsewhere } from './tabs.js';
import { environment } from './env.js';
import { parseLink } from './link.js';

/** @typedef {import('./types.js').JoinOptions} JoinOptions */

/**
 * Join a room and begin to connect to everybody in it.
 * @param {JoinOptions} options
 * @returns {Promise<Room>}
 * @throws {KlatchProblem} with a sentence that can be shown
 */
export async function joinRoom(options) {
  const link = parseLink(options.room);
  if (link.room === '') throw new KlatchProblem('bad-link');
  const room = new Room({ ...options, room: link.room }, await Post.make(link.room, link.secret));
  await room.join(options);
  return room;
}

/**
 * What a room asks of newcomers, without joining it.
 * @param {Pick<JoinOptions, 'api' | 'room' | 'env'>} options
 * @returns {Promise<import('./types.js').Settings & {peers: number} | null>} null where there is no such room
 *   now, or the server doesn't tell outsiders
 */
export async function lookAtRoom({ api, room, env }) {
  const { base, fetch } = environment(env);
  const url = new URL(`${api.replace(/\/+$/, '')}/rooms/${parseLink(room).room}`, base);
  const seen = await fetch(url.href, { cache: 'no-store', referrerPolicy: 'no-referrer' })
    .then((answer) => answer.ok && answer.json()).catch(() => null);
  return typeof seen?.peers === 'number' ? seen : null;
}

/**
 * Whether a call in this room runs in another tab of this browser.
 * @param {Pick<JoinOptions, 'room' | 'env'> & {api?: string | null}} options without api: at any
 *   API that pages of this origin use
 * @returns {Promise<boolean>}
 */
export async function runsElsewhere({ api = null, room, env }) {
  return (await callsElsewhere(environment(env), api, room)).length > 0;
}

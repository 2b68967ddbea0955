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
 * Whether a call in this room runs in another tab of this browser.
 * @param {Pick<JoinOptions, 'room' | 'env'> & {api?: string | null}} options without api: at any
 *   API that pages of this origin use
 * @returns {Promise<boolean>}
 */
export async function runsElsewhere({ api = null, room, env }) {
  return (await callsElsewhere(environment(env), api, room)).length > 0;
}

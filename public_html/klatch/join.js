/* join: the way into a room. */

import { KlatchProblem } from './problem.js';
import { Post } from './post.js';
import { Room } from './room.js';
import { callsElsewhere } from './tabs.js';
import { environment } from './env.js';
import { loadPart } from './later.js';
import { parseLink } from './link.js';

/** @typedef {import('./types.js').JoinOptions} JoinOptions */

/** What may mean that something else than Klatch is there. */
const DOUBTFUL = ['not-klatch', 'not-found', 'method-not-allowed', 'network'];

/**
 * Join a room and begin to connect to everybody in it.
 * @param {JoinOptions} options
 * @returns {Promise<Room>}
 * @throws {KlatchProblem} with a sentence that can be shown
 */
export async function joinRoom(options) {
  const { api, signal, webrtc } = options;
  const link = parseLink(options.room);
  if (link.room === '') throw new KlatchProblem('bad-link');
  if (signal?.aborted) throw new KlatchProblem('aborted', { cause: signal.reason });
  const post = await Post.make(link.room, link.secret);
  const env = webrtc ? { ...options.env, rtc: await given(webrtc) } : options.env;
  try {
    const room = new Room({ data: Boolean(webrtc), ...options, env, room: link.room }, post);
    await room.join(options);
    return room;
  } catch (error) {
    // No address at all is a TypeError of the browser's.
    if (!(error instanceof KlatchProblem || error instanceof TypeError) || signal?.aborted) throw error;
    if (error instanceof KlatchProblem && !DOUBTFUL.includes(error.code)) throw error;
    const part = await loadPart(() => import('./wrong-api.js'), 'wrong-api').catch(() => null);
    throw await part?.explain(error, environment(env), api, (code, more) => new KlatchProblem(code, more), signal) ?? error;
  }
}

/** @param {NonNullable<JoinOptions['webrtc']>} webrtc */
async function given(webrtc) {
  const { actAsBrowser } = await loadPart(() => import('./given-rtc.js'), 'given-rtc');
  return actAsBrowser(webrtc);
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

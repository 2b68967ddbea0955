/* tabs: one room's calls in the tabs of one browser.
 *
 * Each call holds the Web Lock of its room and peer (session.js), so that another tab
 * can see that there is one. A tab may take a call over: it asks over a channel that
 * only pages of this origin hear (takeover.js), the other one stops and says its key, and the asking
 * one joins with it in `replaces`. Before the key is said nothing is read any more, so
 * that no mail goes to the wrong page. A page that doesn't answer (a frozen tab) is not
 * waited for; when it wakes it ends all the same. */

import { sleep } from './timing.js';

/** A page that reloads gives its lock back a moment after its successor has started. */
const RELOAD_MS = 1_000;
const LOOK_MS = 100;

/**
 * @param {string} api
 * @param {string} room
 * @returns {string} what this room's stored key is named, and its locks and channel begin with
 */
export function nameOf(api, room) {
  return `klatch ${api} ${room}`;
}

/**
 * @param {import('./env.js').Environment} env
 * @param {string | null} api null: any of this origin's
 * @param {string} room
 * @param {number} [patienceMs] for what seems to be one and may be a page that just ends
 * @returns {Promise<string[]>} the peers that are calls in other tabs
 */
export async function callsElsewhere({ locks }, api, room, patienceMs = RELOAD_MS) {
  const until = Date.now() + patienceMs;
  for (;;) {
    const { held = [] } = await locks?.query?.().catch(() => ({ held: [] })) ?? {};
    const peers = held.flatMap(({ name = '' }) => {
      const [word, at, where, peer] = name.split(' ');
      return word === 'klatch' && where === room && peer && (api === null || at === api) ? [peer] : [];
    });
    if (peers.length === 0 || Date.now() >= until) return peers;
    await sleep(LOOK_MS);
  }
}

/**
 * Be there for a tab that wants this page's call.
 * @param {import('./env.js').Environment} env
 * @param {string} api
 * @param {string} room
 * @param {{peer: () => string, give: () => string}} call give ends it here and returns its key
 * @returns {() => void} ends that
 */
export function offerCall(env, api, room, { peer, give }) {
  const channel = env.channel(nameOf(api, room));
  if (!channel) return () => {};
  channel.addEventListener('message', ({ data }) => {
    if (data?.t !== 'wanted' || data.peer !== peer()) return;
    const answer = { t: 'given', peer: data.peer, key: give() };
    channel.postMessage(answer);
  });
  // Not at once: what was posted last still has to go.
  return () => setTimeout(() => channel.close(), 0);
}

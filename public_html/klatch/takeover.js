/* takeover: asks another tab of this browser for its call. Loaded by who wants that; tabs.js is the
 * other side. */

const ANSWER_MS = 2_000;

/**
 * Ask the page that has this call to give it up.
 * @param {import('./env.js').Environment} env
 * @param {string} name of the channel, by nameOf
 * @param {string} peer
 * @returns {Promise<string | null>} its key; null when it doesn't answer
 */
export function askForCall(env, name, peer) {
  const channel = env.channel(name);
  if (!channel) return Promise.resolve(null);
  return new Promise((resolve) => {
    const done = (/** @type {string | null} */ key) => {
      clearTimeout(timer);
      channel.close();
      resolve(key);
    };
    const timer = setTimeout(() => done(null), ANSWER_MS);
    channel.addEventListener('message', ({ data }) => {
      if (data?.t === 'given' && data.peer === peer && typeof data.key === 'string') done(data.key);
    });
    channel.postMessage({ t: 'wanted', peer });
  });
}

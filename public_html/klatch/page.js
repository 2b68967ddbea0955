/* page: what the page goes through: hidden, shown again, online, asleep. */

const PASS_MS = 2_000;
/** Longer than this between two passes, and the machine slept or the page was frozen. */
const SLEPT_MS = 10_000;

/**
 * @param {EventTarget} page the window
 * @param {{hides: () => void, shows: () => void, online: () => void, slept: () => void, passes: () => void}} tell
 *   hides and shows: it may be going for good, and is there (again); slept: no event told of that;
 *   passes: every other second
 * @returns {() => void} ends it
 */
export function watchPage(page, tell) {
  const end = new AbortController();
  const listeners = Object.entries({ pagehide: tell.hides, pageshow: tell.shows, online: tell.online });
  for (const [type, listener] of listeners) page.addEventListener(type, listener, { signal: end.signal });
  let passedMs = Date.now();
  const passing = setInterval(() => {
    const awayMs = Date.now() - passedMs;
    passedMs += awayMs;
    if (awayMs > SLEPT_MS) tell.slept();
    tell.passes();
  }, PASS_MS);
  return () => {
    clearInterval(passing);
    end.abort();
  };
}

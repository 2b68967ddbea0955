/* env: what the SDK takes from the browser, in one place, so that nothing is read
 * when a module loads and tests can hand in their own. */

/**
 * @typedef {object} Environment
 * @property {(url: string, init: RequestInit) => Promise<Response>} fetch
 * @property {(url: string, body: URLSearchParams) => boolean} beacon
 * @property {EventTarget} page where online, pageshow and pagehide are heard
 * @property {LockManager | null} locks
 * @property {Storage | null} storage
 * @property {(name: string) => BroadcastChannel | null} channel to this origin's other tabs
 * @property {typeof RTCPeerConnection | undefined} rtc
 * @property {MediaCapabilities | null} capabilities
 * @property {() => RTCRtpCodec[]} codecs of pictures, that can be received
 * @property {string | undefined} base the page's address
 * @property {() => number} random
 */

/**
 * @param {Partial<Environment>} [own] what to use instead
 * @returns {Environment}
 */
export function environment(own = {}) {
  const page = typeof window === 'undefined' ? new EventTarget() : window;
  const browser = typeof navigator === 'undefined' ? null : navigator;
  return {
    fetch: (url, init) => fetch(url, init),
    beacon: (url, body) => browser?.sendBeacon?.(url, body) ?? false,
    page,
    locks: browser?.locks ?? null,
    storage: 'storage' in own ? null : sessionStorageOrNull(),
    channel: (name) => (typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel(name)),
    rtc: globalThis.RTCPeerConnection,
    capabilities: browser?.mediaCapabilities ?? null,
    codecs: () => globalThis.RTCRtpReceiver?.getCapabilities?.('video')?.codecs ?? [],
    base: globalThis.location?.href,
    random: Math.random,
    ...own,
  };
}

/** @returns {Storage | null} null where the browser refuses it (cookies blocked, a sandboxed frame) */
function sessionStorageOrNull() {
  try {
    return globalThis.sessionStorage ?? null;
  } catch {
    return null;
  }
}

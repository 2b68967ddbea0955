/* browserish: what the SDK takes from a browser and Node lacks, for unit tests.
 * Import it before the SDK. */

import { webcrypto } from 'node:crypto';

globalThis.crypto ??= webcrypto;
globalThis.CustomEvent ??= class extends Event {
  constructor(type, { detail = null, ...rest } = {}) {
    super(type, rest);
    this.detail = detail;
  }
};

export class FakeTrack extends EventTarget {
  enabled = true;
  readyState = 'live';

  constructor(kind, label = kind) {
    super();
    this.kind = kind;
    this.label = label;
  }

  stop() {
    this.readyState = 'ended';
  }

  /** The device was pulled out. */
  lose() {
    this.readyState = 'ended';
    this.dispatchEvent(new Event('ended'));
  }
}

globalThis.MediaStream ??= class {
  #tracks;

  constructor(tracks = []) {
    this.#tracks = new Set(tracks);
  }

  getTracks() {
    return [...this.#tracks];
  }

  getAudioTracks() {
    return this.getTracks().filter(({ kind }) => kind === 'audio');
  }

  getVideoTracks() {
    return this.getTracks().filter(({ kind }) => kind === 'video');
  }

  addTrack(track) {
    this.#tracks.add(track);
  }

  removeTrack(track) {
    this.#tracks.delete(track);
  }
};

/** Web Locks of one browser: as much of them as the SDK uses. */
export class FakeLocks {
  #queues = new Map();

  /** Names that are held. */
  get held() {
    return [...this.#queues].filter(([, queue]) => queue.length > 0).map(([name]) => name);
  }

  async query() {
    return { held: this.held.map((name) => ({ name })), pending: [] };
  }

  request(name, { ifAvailable = false, signal } = {}, callback) {
    const queue = this.#queues.get(name) ?? [];
    this.#queues.set(name, queue);
    if (ifAvailable && queue.length > 0) return Promise.resolve(callback(null));
    return new Promise((resolve, reject) => {
      const entry = async () => {
        try {
          resolve(await callback({ name }));
        } finally {
          queue.shift();
          void queue[0]?.();
        }
      };
      signal?.addEventListener('abort', () => {
        const at = queue.indexOf(entry);
        if (at <= 0) return; // It has the lock already.
        queue.splice(at, 1);
        reject(signal.reason);
      });
      queue.push(entry);
      if (queue[0] === entry) void entry();
    });
  }
}

/** BroadcastChannel between the pages of one browser: as much of it as the SDK uses. */
export class FakeChannels {
  #open = new Set();
  /** Pages whose tabs stand still: they hear it all when they wake. */
  frozen = new Set();
  #late = [];

  wake(page) {
    this.frozen.delete(page);
    for (const deliver of this.#late.splice(0)) deliver();
  }

  /** @param {string} page tells the pages apart */
  for(page) {
    return (name) => {
      const channels = this.#open;
      const channel = Object.assign(new EventTarget(), {
        page,
        name,
        close: () => channels.delete(channel),
        postMessage: (data) => {
          for (const other of channels) {
            if (other === channel || other.name !== name) continue;
            const deliver = () => other.dispatchEvent(Object.assign(new Event('message'), { data }));
            if (this.frozen.has(other.page)) this.#late.push(deliver);
            else setTimeout(deliver, 1);
          }
        },
      });
      channels.add(channel);
      return channel;
    };
  }
}

/** sessionStorage, as much of it as the SDK uses. */
export class FakeStorage {
  #items = new Map();

  getItem(name) {
    return this.#items.get(name) ?? null;
  }

  setItem(name, value) {
    this.#items.set(name, String(value));
  }

  removeItem(name) {
    this.#items.delete(name);
  }
}

/** Wait until something holds; its last value comes back. */
export async function until(what, condition, limitMs = 20_000) {
  const end = Date.now() + limitMs;
  for (;;) {
    const value = condition();
    if (value) return value;
    if (Date.now() > end) throw new Error(`waited ${limitMs} ms in vain until ${what}`);
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
}

/** A condition that holds once another has held at every look for so long: of polls, which pause between two. */
export function steadily(condition, ms = 250) {
  let since = null;
  return () => {
    if (!condition()) since = null;
    else since ??= Date.now();
    return since !== null && Date.now() - since >= ms;
  };
}

/** For a time in which something must not happen. */
export function quiet(ms) {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/* session: the key that lets a reloaded page take its own place again.
 * It lies in sessionStorage, which a duplicated tab copies; so a key is used only
 * under the Web Lock named for room and peer, which the living page holds. Without
 * locks no key is kept: two pages under one key would take each other's mail. */

const RELOAD_MS = 1000;

export class Session {
  #storage;
  #locks;
  #name;
  /** @type {() => void} */
  #release = () => {};
  /** Whether the page that was here before was still waiting to be let in. */
  waited = false;

  /**
   * @param {{storage: Storage | null, locks: LockManager | null, name: string}} options
   *   name tells this room at this API from others
   */
  constructor({ storage, locks, name }) {
    this.#storage = storage;
    this.#locks = locks;
    this.#name = name;
  }

  /**
   * The key of the page that was here before, if that page is gone.
   * @returns {Promise<string | null>}
   */
  async take() {
    const stored = this.#read();
    if (!stored) return null;
    this.waited = stored.waits;
    return (await this.#hold(stored.peer)) ? stored.key : null;
  }

  /**
   * From now on this page is `peer`.
   * @param {string} peer
   * @param {string} key
   * @param {boolean} [waits] to be let in
   */
  async keep(peer, key, waits = false) {
    this.#release();
    if (!(await this.#hold(peer))) return;
    try {
      this.#storage?.setItem(this.#name, JSON.stringify({ peer, key, waits }));
    } catch {
      // Storage is full or was switched off: a reload then joins as somebody new.
    }
  }

  /** Let another page use the key that was taken. */
  release() {
    this.#release();
  }

  /** This page has left for good. */
  forget() {
    try {
      this.#storage?.removeItem(this.#name);
    } catch {
      // As above.
    }
    this.#release();
  }

  /** @returns {{peer: string, key: string, waits: boolean} | null} */
  #read() {
    try {
      const { peer, key, waits } = JSON.parse(this.#storage?.getItem(this.#name) ?? 'null') ?? {};
      return typeof peer === 'string' && typeof key === 'string' ? { peer, key, waits: waits === true } : null;
    } catch {
      return null;
    }
  }

  /**
   * A page that reloads gives its lock back a moment after its successor has
   * started, so this waits that moment.
   * @param {string} peer
   * @returns {Promise<boolean>}
   */
  #hold(peer) {
    const { promise, release } = gate();
    return new Promise((resolve) => {
      const give = new AbortController();
      const timer = setTimeout(() => give.abort(), RELOAD_MS);
      const held = () => {
        clearTimeout(timer);
        this.#release = release;
        resolve(true);
        return promise;
      };
      if (!this.#locks) {
        resolve(false);
        return;
      }
      this.#locks.request(`${this.#name} ${peer}`, { signal: give.signal }, held).catch(() => resolve(false));
    });
  }
}

const POLLS_MAX = 3;

/**
 * One of the few held polls that a browser grants an origin: a seventh connection
 * to one HTTP/1.1 host waits, and a send must never wait behind polls.
 * @param {LockManager | null} locks
 * @param {string} origin of the API that is polled
 * @returns {Promise<(() => void) | null>} gives it back; null when all are taken
 */
export async function takePollSlot(locks, origin) {
  if (!locks) return () => {};
  for (let slot = 0; slot < POLLS_MAX; slot += 1) {
    const release = await tryLock(locks, `klatch poll ${origin} ${slot}`);
    if (release) return release;
  }
  return null;
}

/**
 * @param {LockManager} locks
 * @param {string} name
 * @returns {Promise<(() => void) | null>}
 */
function tryLock(locks, name) {
  const { promise, release } = gate();
  return new Promise((resolve) => {
    const held = (/** @type {Lock | null} */ lock) => {
      resolve(lock ? release : null);
      return lock ? promise : undefined;
    };
    locks.request(name, { ifAvailable: true }, held).catch(() => resolve(null));
  });
}

/** @returns {{promise: Promise<void>, release: () => void}} */
function gate() {
  let release = () => {};
  const promise = new Promise((/** @type {(value: void) => void} */ resolve) => {
    release = resolve;
  });
  return { promise, release };
}

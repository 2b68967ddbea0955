// What the site's owner asks the API for. The key goes in X-Klatch-Key, which web servers pass on where
// they keep Authorization for themselves; never in an address.

/**
 * @typedef {object} Person
 * @property {string} peer
 * @property {string} [name] where it is public
 * @property {string} [sub] of its token
 * @property {'host' | 'member'} role
 * @property {'present' | 'lapsed' | 'waiting'} state
 */
/**
 * @typedef {object} OpenRoom
 * @property {string} room
 * @property {number} [opened_ms] Unix time
 * @property {boolean} [stays] the owner has opened it
 * @property {boolean} [locked]
 * @property {boolean} [lobby]
 * @property {boolean} [password]
 * @property {Person[]} [people]
 * @property {number} [left_off] how many people more there are
 * @property {boolean} [busy] it could not be looked at just now
 */

const PATIENCE_MS = 10_000;
/** Pages of the list that are shown; a page has up to 50 rooms. */
const PAGES_MAX = 10;

/** An answer that is a problem, or none. */
export class Refused extends Error {
  /** @param {string} code of the API, 'away' without an answer, 'other' for one that is somebody else's */
  constructor(code, detail = '') {
    super(detail || code);
    this.code = code;
  }
}

export class Owner {
  #api;
  #key;

  /** @param {string} api @param {string} key */
  constructor(api, key) {
    this.#api = api;
    this.#key = key;
  }

  /** @returns {Promise<string>} Prometheus' text */
  async metrics() {
    return (await this.#ask('metrics')).text();
  }

  /** @returns {Promise<{rooms: OpenRoom[], more: boolean}>} */
  async rooms() {
    /** @type {OpenRoom[]} */
    const rooms = [];
    let after = '';
    for (let page = 0; page < PAGES_MAX; page += 1) {
      const answer = await this.#ask(after === '' ? 'rooms' : `rooms?after=${encodeURIComponent(after)}`);
      const { rooms: some, more, next } = await answer.json();
      rooms.push(...some);
      if (!more || typeof next !== 'string') return { rooms, more: false };
      after = next;
    }
    return { rooms, more: true };
  }

  /** @param {string} room */
  async close(room) {
    await this.#post(`rooms/${room}/close`, {});
  }

  /** @param {string} room @param {string} peer @param {boolean} ban */
  async remove(room, peer, ban) {
    await this.#post(`rooms/${room}/kick`, { peer, ban });
  }

  /** @param {string} where @param {object} body */
  async #post(where, body) {
    await this.#ask(where, { method: 'POST', body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } });
  }

  /** @param {string} where @param {{method?: string, body?: string, headers?: Record<string, string>}} [options] */
  async #ask(where, { headers = {}, ...options } = {}) {
    let answer;
    try {
      answer = await fetch(`${this.#api}/admin/${where}`, {
        ...options, cache: 'no-store', referrerPolicy: 'no-referrer', signal: AbortSignal.timeout(PATIENCE_MS),
        headers: { ...headers, 'X-Klatch-Key': this.#key },
      });
    } catch {
      throw new Refused('away');
    }
    if (answer.ok) return answer;
    const problem = await answer.json().catch(() => null);
    throw typeof problem?.code === 'string' ? new Refused(problem.code, String(problem.detail ?? '')) : new Refused('other');
  }
}

// Where the room API is, seen from the page: a host runs it behind a rewrite, as FastCGI or as
// plain CGI, in a folder beside the page or in one at the top of the site.
import { KlatchProblem } from '../klatch/index.js';
import { PLACES } from './places.js';

/** The folder that Klatch lies in, by where this module or the bundle that it is part of came from; null
 * where that can't be told, in a bundle of another site's making. */
const [HOME = null] = /^.*\/(?=(?:ui|app|embed)\/(?:later\/)?[^/]*$)/.exec(String(import.meta.url)) ?? [];

const PATIENCE_MS = 8000;
/** A place that is silent this long doesn't keep the next one waiting. */
const HEDGE_MS = 150;
/** How long an answer waits for a better place that was asked already. */
const PREFER_MS = 1000;
/** A browser opens six connections to a site over HTTP/1.1; one stays free for the page. */
const AT_ONCE = 5;
/** Plain CGI is remembered this long, then the better places get another chance. */
const SLOW_PLACE_MS = 24 * 3600 * 1000;

/** @typedef {'healthy' | 'other' | 'absent' | 'silent'} Found */

/**
 * The API of the Klatch that this script came from, else one beside the page.
 * @returns {Promise<string>}
 * @throws {KlatchProblem} as findApi; `origin-refused` when that Klatch doesn't answer pages of this site
 */
export async function findOwnApi() {
  const page = new URL('.', document.baseURI).href;
  if (HOME === null || HOME === page) return findApi(page);
  return findApi(HOME).catch(() => findApi(page)).catch(async (problem) => {
    const [there, here] = [HOME, page].map((address) => new URL(address).origin);
    if (there === here || !(await keepsOut(HOME))) throw problem;
    throw new KlatchProblem('origin-refused', { cause: problem, sentence: `The server of ${there} answers, but not to pages of ${here}. `
      + 'Whoever runs it has to name that in "origins".' });
  });
}

/**
 * Browsers tell a page nothing of an answer that it may not read, but that there is one.
 * @param {string} home
 */
async function keepsOut(home) {
  for (const place of PLACES.slice(0, 2)) {
    const answers = (/** @type {RequestMode} */ mode) => (
      fetch(`${new URL(place, home).href}/health`, { cache: 'no-store', mode, signal: AbortSignal.timeout(PATIENCE_MS) }).then(() => true, () => false));
    if (!(await answers('cors')) && await answers('no-cors')) return true;
  }
  return false;
}

/**
 * Where it was found last from here; it isn't asked, and may have moved.
 * @returns {string | null}
 */
export function rememberedApi() {
  const base = HOME ?? new URL('.', document.baseURI).href;
  const place = recall(base);
  return place === null ? null : new URL(place, base).href;
}

/**
 * The best place that answers a health request. What answered is remembered for this page's
 * folder and asked first next time; it is never used without having answered again.
 * @param {string} base the page's address
 * @returns {Promise<string>}
 * @throws {KlatchProblem} `network` when nothing answers at all, `not-found` when no place
 *   knows of an API, `not-klatch` when something is there and it isn't Klatch, or not now
 */
export async function findApi(base) {
  const remembered = recall(base);
  const places = distinct(remembered === null ? PLACES : [remembered, ...PLACES], base);
  const { best, seen } = await new Search(base, places).run();
  if (best !== null) {
    remember(base, best);
    return new URL(best, base).href;
  }
  forget(base);
  if (seen.includes('other')) throw new KlatchProblem('not-klatch', { transient: true });
  if (seen.includes('absent')) throw new KlatchProblem('not-found');
  throw new KlatchProblem('network', { transient: true });
}

/** At the top of a site two of the places are one. @param {readonly string[]} places @param {string} base */
function distinct(places, base) {
  const addresses = places.map((place) => new URL(place, base).href);
  return places.filter((_, number) => addresses.indexOf(addresses[number] ?? '') === number);
}

/** Asks the places in their order, the next one as soon as one says no or is silent for a moment. */
class Search {
  #base;
  #places;
  /** What each place turned out to be, by its number; null while it is asked. @type {(Found | null)[]} */
  #seen = [];
  #stop = new AbortController();
  /** @type {(value: {best: string | null, seen: Found[]}) => void} */
  #tell = () => {};
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #hedge;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #prefer;

  /** @param {string} base @param {string[]} places */
  constructor(base, places) {
    this.#base = base;
    this.#places = places;
  }

  /** @returns {Promise<{best: string | null, seen: Found[]}>} */
  run() {
    return new Promise((resolve) => {
      this.#tell = resolve;
      this.#askNext();
    });
  }

  #askNext() {
    clearTimeout(this.#hedge);
    const number = this.#seen.length;
    const place = this.#places[number];
    if (place === undefined || this.#seen.includes('healthy')) return;
    if (this.#seen.filter((found) => found === null).length >= AT_ONCE) return;
    this.#seen.push(null);
    askHealth(new URL(place, this.#base).href, this.#stop.signal).then((found) => this.#answered(number, found));
    this.#hedge = setTimeout(() => this.#askNext(), HEDGE_MS);
  }

  /** @param {number} number @param {Found} found */
  #answered(number, found) {
    if (this.#stop.signal.aborted) return;
    this.#seen[number] = found;
    const best = this.#seen.indexOf('healthy');
    const open = this.#seen.indexOf(null);
    if (best >= 0 && (open < 0 || open > best)) this.#end(best);
    else if (best >= 0) this.#prefer ??= setTimeout(() => this.#end(this.#seen.indexOf('healthy')), PREFER_MS);
    else if (open < 0 && this.#seen.length === this.#places.length) this.#end(-1);
    else this.#askNext();
  }

  /** @param {number} best */
  #end(best) {
    clearTimeout(this.#hedge);
    clearTimeout(this.#prefer);
    this.#stop.abort();
    this.#tell({ best: this.#places[best] ?? null, seen: this.#seen.map((found) => found ?? 'silent') });
  }
}

/**
 * @param {string} api @param {AbortSignal} signal
 * @returns {Promise<Found>}
 */
async function askHealth(api, signal) {
  const patience = new AbortController();
  const stop = () => patience.abort();
  const timer = setTimeout(stop, PATIENCE_MS);
  signal.addEventListener('abort', stop, { once: true });
  try {
    const answer = await fetch(`${api}/health`, { cache: 'no-store', signal: patience.signal });
    const health = await answer.json().catch(() => null);
    if (answer.ok && typeof health?.version === 'string') return 'healthy';
    return answer.status === 404 ? 'absent' : 'other';
  } catch {
    return 'silent';
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}

/** Pages in one folder share what they found; another folder may have another Klatch. @param {string} base */
function keyOf(base) {
  const { origin, pathname } = new URL('.', base);
  return `klatch-api ${origin === (globalThis.location?.origin ?? origin) ? '' : origin}${pathname}`;
}

/** @param {string} base @returns {{place: string, at: number} | null} place is one of PLACES */
function stored(base) {
  try {
    const { place, at } = JSON.parse(localStorage.getItem(keyOf(base)) ?? '{}');
    return PLACES.includes(place) ? { place, at: Number(at) } : null;
  } catch {
    return null;
  }
}

/** @param {string} base @returns {string | null} */
function recall(base) {
  const known = stored(base);
  if (known === null) return null;
  const age = Date.now() - known.at;
  return known.place.includes('.cgi') && !(age >= 0 && age < SLOW_PLACE_MS) ? null : known.place;
}

/** @param {string} base @param {string} place */
function remember(base, place) {
  // The day of plain CGI counts from when it was chosen over the better places.
  const at = recall(base) === place ? stored(base)?.at : Date.now();
  try {
    localStorage.setItem(keyOf(base), JSON.stringify({ place, at }));
  } catch {
    // Storage is full or refused: the search is made anew each time.
  }
}

/** @param {string} base */
function forget(base) {
  try {
    localStorage.removeItem(keyOf(base));
  } catch {
    // As above.
  }
}

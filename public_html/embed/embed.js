// The page in a frame of another site: one <klatch-room>, driven by the page around through postMessage.
// That page is believed by its origin alone, which the configuration must name (frame_ancestors); until it
// has said `start` nothing is opened, and everything from elsewhere or of another shape is ignored.
import { makeLink, parseLink } from '../klatch/index.js';
import { KlatchCard } from '../ui/card.js';
import { findOwnApi } from '../ui/find-api.js';
import { KlatchRoom } from '../ui/klatch-room.js';
import { loadTexts } from '../ui/strings.js';
import { isAnswer, isCall, isStart, methods, optionsOf } from './shapes.js';
import { EVENTS, plain } from './plain.js';

/** A page around that hasn't said a word by then doesn't know that it should. */
const PATIENCE_MS = 8000;
const ALONE = /** @type {const} */ ({ title: 'embed.alone', more: 'embed.alone.more' });
const REFUSED = /** @type {const} */ ({ title: 'embed.refused', more: 'embed.refused.more' });

const page = /** @type {HTMLElement} */ (document.getElementById('page'));
const around = window.parent === window ? null : window.parent;
/** Whom this page talks to, from `start` on. @type {string | null} */
let host = null;
let asking = false;
/** @type {KlatchRoom | null} */
let element = null;
/** Whether the page around has said what others are sent. */
let linked = false;
/** @type {Map<string, {resolve: (token: string) => void, reject: (error: Error) => void}>} */
const tokens = new Map();

/** @param {object} message */
function post(message) {
  if (host !== null) around?.postMessage({ klatch: 1, ...message }, host);
}

/** @param {{title: import('../ui/strings.js').TextKey, more: import('../ui/strings.js').TextKey}} text @param {string} [origin] */
async function show({ title, more }, origin = '') {
  const t = await loadTexts(navigator.languages);
  document.documentElement.lang = t.language;
  const card = new KlatchCard();
  card.props = { title: t(title), more: t(more, { origin }), action: t('embed.open') };
  card.addEventListener('act', () => window.open(new URL('./', document.baseURI), '_blank', 'noopener'));
  page.replaceChildren(card);
}

/** Every page above this one, where the browser tells; the one around at least. @param {string} origin */
function ancestors(origin) {
  const all = /** @type {{ancestorOrigins?: DOMStringList}} */ (/** @type {unknown} */ (location)).ancestorOrigins;
  return [...new Set([origin, ...all ?? []])].filter((one) => one !== location.origin);
}

/** @param {string} origin of the page around @returns {Promise<boolean>} */
async function mayShow(origin) {
  const asked = ancestors(origin);
  if (asked.includes('null')) return false;
  if (asked.length === 0) return true;
  // Not an API that the page around could name: it would allow itself.
  const api = await findOwnApi();
  const each = await Promise.all(asked.map(async (ancestor) => {
    const told = await fetch(`${api}/embed?${new URLSearchParams({ ancestor })}`, { cache: 'no-store' });
    return told.ok && (await told.json()).allowed === true;
  }));
  return each.every(Boolean);
}

/** @param {string} origin @param {Record<string, unknown>} message */
async function start(origin, message) {
  if (asking || host !== null) return;
  asking = true;
  const allowed = await mayShow(origin).catch(() => false);
  asking = false;
  if (!allowed) {
    if (origin !== 'null') around?.postMessage({ klatch: 1, type: 'refused' }, origin);
    await show(REFUSED, origin);
    return;
  }
  host = origin;
  element = new KlatchRoom();
  for (const type of EVENTS) {
    element.addEventListener(type, (event) => {
      post({ type: 'event', name: type, detail: plain(type, /** @type {CustomEvent} */ (event).detail) });
    });
  }
  take(message);
  page.replaceChildren(element);
  post({ type: 'started' });
}

/** @param {Record<string, unknown>} message whose options are the element's attributes */
function take(message) {
  if (!element) return;
  const options = optionsOf(message.options);
  const { token, link } = options;
  for (const [name, value] of Object.entries(options)) {
    if (typeof value === 'boolean') element.toggleAttribute(name, value);
    else if (value === null) element.removeAttribute(name);
    else element.setAttribute(name, value);
  }
  if (message.tokens === true) element.token = askForToken;
  // A function that was given before is no attribute that could be taken away.
  else if (typeof token === 'string' || token === null) element.token = token;
  if (link !== undefined) linked = link !== null;
  if (!linked) tellLink(element);
}

/** The page around has an address of its own, which brings nobody here: Klatch's own page does. @param {KlatchRoom} room */
function tellLink(room) {
  const { room: name, secret } = parseLink(room.address);
  if (name !== '') room.link = new URL(makeLink(name, secret), new URL('./', document.baseURI)).href;
}

/** @returns {Promise<string>} */
function askForToken() {
  const id = crypto.randomUUID();
  return new Promise((resolve, reject) => {
    tokens.set(id, { resolve, reject });
    post({ type: 'token', id });
  });
}

/** @param {{id: string, token: string | null}} answer */
function giveToken({ id, token }) {
  const asked = tokens.get(id);
  tokens.delete(id);
  if (token === null) asked?.reject(new Error('the page around has no token'));
  else asked?.resolve(token);
}

/** @param {{id: string, method: string, args: unknown[]}} call */
async function answer({ id, method, args }) {
  try {
    if (!element) throw new Error('not started');
    await methods[method]?.run(element, args);
    post({ type: 'result', id, problem: null });
  } catch (error) {
    const { code = 'other', message } = /** @type {{code?: string, message: string}} */ (error);
    post({ type: 'result', id, problem: { code, message } });
  }
}

/** @param {MessageEvent} event */
function hear({ source, origin, data }) {
  if (source !== around || around === null) return;
  if (host === null) {
    if (isStart(data)) void start(origin, data);
    return;
  }
  if (origin !== host) return;
  if (isCall(data)) void answer(data);
  else if (isAnswer(data)) giveToken(data);
  else if (isStart(data, 'set')) take(data);
}

if (around === null) void show(ALONE);
else {
  window.addEventListener('message', hear);
  // It says nothing but that somebody is here; whom to believe isn't known yet.
  around.postMessage({ klatch: 1, type: 'ready' }, '*');
  setTimeout(() => {
    if (host === null && !asking && page.querySelector('klatch-card') === null) void show(ALONE);
  }, PATIENCE_MS);
}

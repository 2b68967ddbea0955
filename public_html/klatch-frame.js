// For the page around: shows Klatch's embed.html in a frame and talks to it. This file stands alone, so
// that it can be copied to the site that uses it. deploy/EMBEDDING.md tells what there is.
//
//   const frame = openFrame(document.querySelector('#call'), { src: 'https://chat.example.org/', room: 'tea' });
//   frame.addEventListener('joined', ({ detail }) => …);
//   await frame.mute();

/** What the frame needs leave for, from the page around and in its Permissions-Policy. */
const ALLOW = ['camera', 'microphone', 'display-capture', 'autoplay', 'fullscreen', 'picture-in-picture', 'clipboard-write',
  'screen-wake-lock', 'speaker-selection'];
const TEXTS = ['room', 'name', 'token', 'secret', 'password', 'lang', 'theme', 'hide', 'devices', 'link'];
const EVENTS = ['joined', 'peer-joined', 'peer-left', 'message', 'waiting', 'knocking', 'left', 'problem', 'unread',
  'link-changed'];
/** A frame that hasn't started by then is told of; it may still start. */
const START_MS = 20_000;
/** A frame that is taken away says goodbye before. */
const GOODBYE_MS = 1000;

/**
 * @typedef {object} FrameOptions
 * @property {string} src the folder of Klatch's page, or its embed.html
 * @property {string} room
 * @property {string} [name]
 * @property {string | null | (() => string | Promise<string>)} [token]
 * @property {string} [secret]
 * @property {string} [password]
 * @property {string} [lang]
 * @property {string} [theme]
 * @property {string} [hide]
 * @property {string} [devices]
 * @property {string} [link]
 * @property {boolean} [open]
 * @property {string} [title] what readers of the screen call the frame
 * @property {number} [patience] ms until a frame that hasn't started is a problem
 */

/** What went wrong, with the code that the element or the SDK gives. */
class FrameError extends Error {
  /** @param {string} code @param {string} message */
  constructor(code, message) {
    super(message);
    this.name = 'FrameError';
    this.code = code;
  }
}

/** @param {string} src */
function addressOf(src) {
  const address = new URL(src, document.baseURI);
  if (!/^https?:$/.test(address.protocol)) throw new TypeError(`src is no address of a page: ${src}`);
  return address.pathname.endsWith('.html') ? address : new URL('embed.html', new URL('.', address));
}

/** @param {Record<string, unknown>} options without src, title and patience */
function checked(options) {
  for (const [name, value] of Object.entries(options)) {
    const fine = value === undefined || (name === 'open' ? typeof value === 'boolean' : typeof value === 'string' || value === null
      || (name === 'token' && typeof value === 'function'));
    if (!fine || (name !== 'open' && !TEXTS.includes(name))) throw new TypeError(`openFrame doesn't take ${name} as ${value === null ? 'null' : typeof value}`);
  }
  return options;
}

/** Dispatches what the element does, with details that are plain data, and 'started'. */
export class KlatchFrame extends EventTarget {
  #origin;
  #options;
  #started = false;
  #over = false;
  /** Why it doesn't start. @type {FrameError | null} */
  #refusal = null;
  #patience;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #deadline;
  /** @type {Map<string, {resolve: (value?: unknown) => void, reject: (error: Error) => void, message: object}>} */
  #calls = new Map();
  #hear = (/** @type {MessageEvent} */ event) => this.#heard(event);

  /** @param {Element} place @param {FrameOptions} options */
  constructor(place, { src, title = 'Klatch', patience = START_MS, ...options }) {
    super();
    const address = addressOf(src);
    this.#origin = address.origin;
    this.#options = checked(options);
    this.#patience = patience;
    /** The frame, for the page's own styles. */
    this.element = document.createElement('iframe');
    this.element.allow = ALLOW.join('; ');
    this.element.allowFullscreen = true;
    this.element.referrerPolicy = 'no-referrer';
    this.element.title = title;
    Object.assign(this.element.style, { display: 'block', width: '100%', height: '100%', border: '0' });
    this.element.src = address.href;
    window.addEventListener('message', this.#hear);
    place.append(this.element);
    this.#expect();
  }

  join() {
    return this.#call('join');
  }

  leave() {
    return this.#call('leave');
  }

  mute() {
    return this.#call('mute');
  }

  unmute() {
    return this.#call('unmute');
  }

  /** @param {boolean} on */
  camera(on) {
    return this.#call('camera', on);
  }

  /** Call it from a click; a browser that can't hand the click on to the frame refuses. @param {boolean} on */
  share(on) {
    return this.#call('share', on);
  }

  /** @param {boolean} on */
  chat(on) {
    return this.#call('chat', on);
  }

  /** @param {string} text */
  say(text) {
    return this.#call('say', text);
  }

  /** Change options, as the element's attributes are changed. @param {Partial<FrameOptions>} options without src, title and patience */
  set(options) {
    this.#options = { ...this.#options, ...checked(options) };
    if (this.#started) this.#post({ type: 'set', ...this.#told() });
  }

  /** Hang up and take the frame away. May be called twice. */
  async destroy() {
    if (this.#over) return;
    this.#over = true;
    this.element.hidden = true;
    this.element.style.display = 'none';
    if (this.#started) await Promise.race([this.#call('leave').catch(() => {}), new Promise((done) => setTimeout(done, GOODBYE_MS))]);
    window.removeEventListener('message', this.#hear);
    clearTimeout(this.#deadline);
    this.element.remove();
    this.#refusal = new FrameError('aborted', 'The frame was taken away.');
    this.#giveUp(this.#refusal);
  }

  /** @param {FrameError} why */
  #giveUp(why) {
    for (const { reject } of this.#calls.values()) reject(why);
    this.#calls.clear();
  }

  /** A function stays here: the frame asks for its tokens. */
  #told() {
    const { token, ...rest } = this.#options;
    const fetched = typeof token === 'function';
    const given = Object.entries(fetched ? rest : this.#options).filter(([, value]) => value !== undefined);
    return { options: Object.fromEntries(given), tokens: fetched };
  }

  /** @param {string} method @param {...unknown} args @returns {Promise<unknown>} */
  #call(method, ...args) {
    const id = `${Date.now()}-${Math.random()}`;
    const message = { type: 'call', id, method, args };
    if (this.#refusal) return Promise.reject(this.#refusal);
    return new Promise((resolve, reject) => {
      this.#calls.set(id, { resolve, reject, message });
      if (this.#started) this.#post(message);
    });
  }

  /** @param {{type: string, method?: string}} message */
  #post(message) {
    const { contentWindow } = this.element;
    // Where the browser can, the click that asks for a screen counts in the frame too.
    const options = message.method === 'share' ? { targetOrigin: this.#origin, delegate: 'display-capture' } : { targetOrigin: this.#origin };
    contentWindow?.postMessage({ klatch: 1, ...message }, /** @type {WindowPostMessageOptions} */ (options));
  }

  /** @param {MessageEvent} event */
  #heard({ source, origin, data }) {
    if (source !== this.element.contentWindow || origin !== this.#origin) return;
    if (typeof data !== 'object' || data === null || data.klatch !== 1) return;
    if (data.type === 'ready') this.#ready();
    else if (data.type === 'started') this.#begin();
    else if (data.type === 'refused') this.#refused();
    else if (data.type === 'token' && typeof data.id === 'string') void this.#answerToken(data.id);
    else if (data.type === 'result') this.#settle(data);
    else if (data.type === 'event' && EVENTS.includes(data.name)) this.#tell(data.name, data.detail);
  }

  /** It was loaded, or loaded again. */
  #ready() {
    if (this.#started) this.#giveUp(new FrameError('aborted', 'The frame was loaded again.'));
    this.#started = false;
    this.#expect();
    this.#post({ type: 'start', ...this.#told() });
  }

  /** A frame that the browser blocks says nothing at all, and the browser doesn't tell this page. */
  #expect() {
    this.#refusal = null;
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => this.#fail('not-started', `The frame hasn't started. See whether ${this.element.src} (from src) `
      + `answers, and whether ${location.origin} stands in frame_ancestors in klatch.conf and in the frame-ancestors of its header.`),
    this.#patience);
  }

  #begin() {
    clearTimeout(this.#deadline);
    this.#refusal = null;
    this.#started = true;
    for (const { message } of this.#calls.values()) this.#post(/** @type {{type: string}} */ (message));
    this.#tell('started', {});
  }

  #refused() {
    this.#fail('frame-refused',
      `${this.#origin} doesn't let ${location.origin} show it. Who runs it adds that to frame_ancestors in klatch.conf.`);
  }

  /** @param {string} code @param {string} message */
  #fail(code, message) {
    clearTimeout(this.#deadline);
    this.#refusal = new FrameError(code, message);
    this.#giveUp(this.#refusal);
    this.#tell('problem', { problem: { code, kind: null, attribute: null, message } });
  }

  /** @param {string} id */
  async #answerToken(id) {
    const { token } = this.#options;
    const given = typeof token === 'function' ? await Promise.resolve().then(() => token()).catch(() => null) : token;
    this.#post(/** @type {{type: string}} */ ({ type: 'token', id, token: typeof given === 'string' ? given : null }));
  }

  /** @param {{id?: unknown, problem?: {code?: unknown, message?: unknown} | null}} result */
  #settle({ id, problem }) {
    const call = this.#calls.get(String(id));
    this.#calls.delete(String(id));
    if (problem) call?.reject(new FrameError(String(problem.code), String(problem.message)));
    else call?.resolve();
  }

  /** @param {string} type @param {unknown} detail */
  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/**
 * Show a call in a frame inside an element.
 * @param {Element} place
 * @param {FrameOptions} options
 */
export function openFrame(place, options) {
  return new KlatchFrame(place, options);
}

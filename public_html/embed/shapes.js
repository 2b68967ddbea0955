// The shapes of what the page around may post into the frame. What has another shape isn't heard.

/** @typedef {import('../ui/klatch-room.js').KlatchRoom} KlatchRoom */

/** The most characters of each option; the element itself says what is wrong with a value. @type {Record<string, number>} */
const TEXTS = {
  room: 200, name: 200, token: 8192, secret: 100, password: 1024, lang: 100, theme: 20, hide: 500, devices: 100, link: 2000,
};
const SWITCHES = ['open'];
const ID_MAX = 64;
const TEXT_MAX = 16_000;

/** @param {unknown} value @returns {value is Record<string, unknown>} */
const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
/** @param {unknown} value @param {number} max */
const isText = (value, max) => typeof value === 'string' && value.length <= max;
/** @param {unknown} data @param {string} type */
const isOurs = (data, type) => isObject(data) && data.klatch === 1 && data.type === type;
const isSwitch = (/** @type {unknown[]} */ args) => args.length === 1 && typeof args[0] === 'boolean';
const isNothing = (/** @type {unknown[]} */ args) => args.length === 0;

/**
 * The element's methods that can be called, and with what.
 * @type {Record<string, {takes: (args: unknown[]) => boolean, run: (element: KlatchRoom, args: any[]) => unknown}>}
 */
export const methods = {
  join: { takes: isNothing, run: (element) => element.join() },
  leave: { takes: isNothing, run: (element) => element.leave() },
  mute: { takes: isNothing, run: (element) => element.mute() },
  unmute: { takes: isNothing, run: (element) => element.unmute() },
  camera: { takes: isSwitch, run: (element, [on]) => element.camera(on) },
  share: { takes: isSwitch, run: (element, [on]) => element.share(on) },
  chat: { takes: isSwitch, run: (element, [on]) => element.chat(on) },
  say: { takes: (args) => args.length === 1 && isText(args[0], TEXT_MAX), run: (element, [text]) => element.say(text) },
};

/**
 * @param {unknown} data @param {'start' | 'set'} [type]
 * @returns {data is Record<string, unknown>}
 */
export function isStart(data, type = 'start') {
  if (!isOurs(data, type)) return false;
  const { options, tokens = false } = /** @type {Record<string, unknown>} */ (data);
  if (!isObject(options) || typeof tokens !== 'boolean') return false;
  return Object.entries(options).every(([name, value]) => {
    if (Object.hasOwn(TEXTS, name)) return value === null || isText(value, TEXTS[name] ?? 0);
    return !SWITCHES.includes(name) || typeof value === 'boolean';
  });
}

/** What of the options is known here. @param {unknown} options @returns {Record<string, string | boolean | null>} */
export function optionsOf(options) {
  const entries = Object.entries(/** @type {object} */ (options));
  return Object.fromEntries(entries.filter(([name]) => Object.hasOwn(TEXTS, name) || SWITCHES.includes(name)));
}

/** @param {unknown} data @returns {data is {id: string, method: string, args: unknown[]}} */
export function isCall(data) {
  if (!isOurs(data, 'call')) return false;
  const { id, method, args } = /** @type {Record<string, unknown>} */ (data);
  if (!isText(id, ID_MAX) || typeof method !== 'string' || !Array.isArray(args)) return false;
  return Object.hasOwn(methods, method) && Boolean(methods[method]?.takes(args));
}

/** A token that was asked for. @param {unknown} data @returns {data is {id: string, token: string | null}} */
export function isAnswer(data) {
  if (!isOurs(data, 'token')) return false;
  const { id, token } = /** @type {Record<string, unknown>} */ (data);
  return isText(id, ID_MAX) && (token === null || isText(token, TEXTS.token ?? 0));
}

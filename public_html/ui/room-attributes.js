// The attributes of <klatch-room> as properties, and what is wrong with what a page wrote into them. What
// can't be understood is told and left out; without a room and an API that could be there is no joining.
import { KlatchProblem, parseLink } from '../klatch/index.js';
import { Part } from './part.js';
import { HIDDEN_BY } from './part-names.js';

/** @typedef {{attribute: string, value: string | null, detail: string, fatal: boolean}} Fault */
/** @typedef {string | (() => string | Promise<string>) | null} Token */

export const ATTRIBUTES = Object.freeze(['api', 'room', 'name', 'token', 'secret', 'password', 'lang', 'theme', 'open', 'hide',
  'devices', 'link', 'sealable']);
const THEMES = ['light', 'dark', 'auto'];
const DEVICES = ['mic', 'camera', 'none'];
const SECRET = /^[A-Za-z0-9_-]{22}$/;
const PASSWORD_BYTES_MAX = 256;
/** Of a value that is quoted to who wrote it. */
const QUOTED_MAX = 60;

/** @extends {Part<{}>} */
export class RoomAttributes extends Part {
  static observedAttributes = [...ATTRIBUTES];

  /** @type {Token} */
  #token = null;
  /** The faults that were told, by attribute. @type {Map<string, string | null>} */
  #told = new Map();

  /** @param {string} attribute @param {string | null} _before @param {string | null} now */
  attributeChangedCallback(attribute, _before, now) {
    // The last one that was given counts.
    if (attribute === 'token' && now !== null) this.#token = null;
  }

  /** Where the room API is; empty: found beside the page or beside the element's script. */
  get api() {
    return this.getAttribute('api') ?? '';
  }

  set api(value) {
    this.#write('api', value);
  }

  /** The room's name; for a sealed room also name.secret, as in a link. */
  get room() {
    return this.getAttribute('room') ?? '';
  }

  set room(value) {
    this.#write('room', value);
  }

  /** The name to join with, unless somebody writes another. */
  get name() {
    return this.getAttribute('name') ?? '';
  }

  set name(value) {
    this.#write('name', value);
  }

  /** What a site has signed for this person, or what fetches that; a function is no attribute. @type {Token} */
  get token() {
    return this.#token ?? this.getAttribute('token');
  }

  set token(value) {
    this.#token = typeof value === 'function' ? value : null;
    this.#write('token', typeof value === 'function' ? null : value);
  }

  /** A sealed room's; who has it can read the room. */
  get secret() {
    return this.getAttribute('secret') ?? '';
  }

  set secret(value) {
    this.#write('secret', value);
  }

  get password() {
    return this.getAttribute('password') ?? '';
  }

  set password(value) {
    this.#write('password', value);
  }

  /** light, dark or auto, which goes by the person's own choice. */
  get theme() {
    const value = (this.getAttribute('theme') ?? '').toLowerCase();
    return THEMES.includes(value) ? value : 'auto';
  }

  set theme(value) {
    this.#write('theme', value);
  }

  /** Whether to join at once, without the lobby. */
  get open() {
    return this.hasAttribute('open') && this.getAttribute('open') !== 'false';
  }

  set open(value) {
    this.toggleAttribute('open', Boolean(value));
  }

  /** What isn't shown: words of part-names.js. */
  get hide() {
    return this.getAttribute('hide') ?? '';
  }

  set hide(value) {
    this.#write('hide', value);
  }

  /** What is on at the beginning: mic, camera, both, or none; empty: as the person had it last. */
  get devices() {
    return this.getAttribute('devices') ?? '';
  }

  set devices(value) {
    this.#write('devices', value);
  }

  /** Whether to offer a sealed link of an open room; the page has to follow 'link-changed' then. */
  get sealable() {
    return this.hasAttribute('sealable');
  }

  set sealable(value) {
    this.toggleAttribute('sealable', Boolean(value));
  }

  /** @param {string} name @param {unknown} value null and undefined take it away */
  #write(name, value) {
    if (value === null || value === undefined) this.removeAttribute(name);
    else this.setAttribute(name, String(value));
  }

  /** The room as a link names it, name or name.secret. */
  get address() {
    const { room, secret } = this;
    return secret === '' || room.includes('.') ? room : `${room}.${secret}`;
  }

  /** What isn't shown. @returns {Set<string>} */
  get hiddenWords() {
    return new Set(words(this.hide).filter((word) => Object.hasOwn(HIDDEN_BY, word)));
  }

  /** What is to be on at the beginning; null where the attribute doesn't say. */
  get wantedDevices() {
    const wanted = words(this.devices);
    if (!wanted.some((word) => DEVICES.includes(word))) return null;
    return { mic: wanted.includes('mic'), cam: wanted.includes('camera') };
  }

  /** The address of the API that the page gave, null where it gave none. */
  get givenApi() {
    return this.api === '' ? null : new URL(this.api, document.baseURI).href;
  }

  /** What others would be sent, where the page gave it. */
  get givenLink() {
    const link = this.getAttribute('link');
    return link === null || !isWeb(link) ? null : new URL(link, document.baseURI).href;
  }

  /** What keeps anybody from joining here. @returns {KlatchProblem | null} */
  get obstacle() {
    const [fault] = faultsOf(this).filter(({ fatal }) => fatal);
    return fault ? problemOf(fault) : null;
  }

  /** Tell each fault once, and again when it is another. @param {(problem: KlatchProblem) => void} tell */
  tellFaults(tell) {
    const faults = faultsOf(this);
    for (const attribute of this.#told.keys()) {
      if (!faults.some((fault) => fault.attribute === attribute)) this.#told.delete(attribute);
    }
    for (const fault of faults) {
      const { attribute, value } = fault;
      if (this.#told.has(attribute) && this.#told.get(attribute) === value) continue;
      this.#told.set(attribute, value);
      console.warn(`<klatch-room>: ${fault.detail}`);
      tell(problemOf(fault));
    }
  }
}

/** @param {string} text */
function words(text) {
  return text.toLowerCase().split(/[\s,]+/).filter((word) => word !== '');
}

/** @param {Fault} fault */
function problemOf({ attribute, detail }) {
  return Object.assign(new KlatchProblem('bad-attribute', { detail }), { attribute });
}

/** @param {string} attribute @param {string} value */
function shown(attribute, value) {
  return (attribute === 'room' ? value.split('.', 1)[0] ?? '' : value).slice(0, QUOTED_MAX);
}

/** @param {string} address */
function isWeb(address) {
  try {
    return /^https?:$/.test(new URL(address, document.baseURI).protocol);
  } catch {
    return false;
  }
}

/** @type {Record<string, (value: string, element: RoomAttributes) => string | null>} what is wrong with a value */
const FATAL = {
  api(value) {
    if (value === '') return null;
    if (!isWeb(value)) return 'is no address of a room API. Write it like https://chat.example.org/api/v1';
    const mixed = location.protocol === 'https:' && new URL(value, document.baseURI).protocol === 'http:';
    return mixed ? 'is http, which browsers refuse to a page of https. Serve the API over https' : null;
  },
  room(value) {
    const { room } = parseLink(value);
    return room === '' ? 'is no room: 1 to 64 letters, digits, - or _, for a sealed room a dot and its secret' : null;
  },
  secret(value, { room }) {
    if (value === '') return null;
    if (!SECRET.test(value)) return 'is no secret: 22 letters, digits, - or _ (randomSecret() of the SDK makes one)';
    const own = parseLink(room).secret;
    return own === null || own === value ? null : 'is another one than that in the attribute room. Give it once';
  },
  password(value) {
    const bytes = new TextEncoder().encode(value).length;
    return bytes > PASSWORD_BYTES_MAX ? `is longer than ${PASSWORD_BYTES_MAX} bytes` : null;
  },
};

/** @type {typeof FATAL} */
const LEFT_OUT = {
  theme: (value) => (value === '' || THEMES.includes(value.toLowerCase()) ? null : `is none of ${THEMES.join(', ')}`),
  open: (value) => (value === 'false' ? 'is taken for no; leave the attribute away instead' : null),
  hide: (value) => unknownWord(value, Object.keys(HIDDEN_BY)),
  devices: (value) => unknownWord(value, DEVICES),
  link: (value) => (isWeb(value) ? null : 'is no address that others could be sent'),
  lang: (value) => (value === '' || isLanguage(value) ? null : 'is no language\'s tag like en or pt-BR'),
};

/** @param {string} value @param {readonly string[]} known */
function unknownWord(value, known) {
  const unknown = words(value).filter((word) => !known.includes(word));
  return unknown.length === 0 ? null : `has ${unknown.join(' ').slice(0, QUOTED_MAX)}, which is none of ${known.join(', ')}`;
}

/** @param {string} tag */
function isLanguage(tag) {
  try {
    return Intl.getCanonicalLocales(tag).length === 1;
  } catch {
    return false;
  }
}

/** @param {RoomAttributes} element @returns {Fault[]} */
function faultsOf(element) {
  /** @type {Fault[]} */
  const faults = [];
  for (const [table, fatal] of /** @type {const} */ ([[FATAL, true], [LEFT_OUT, false]])) {
    for (const [attribute, check] of Object.entries(table)) {
      const value = element.getAttribute(attribute);
      const why = value === null ? null : check(value, element);
      // A secret stays out of words and logs.
      const quoted = attribute === 'secret' || attribute === 'password' ? '' : `="${shown(attribute, value ?? '')}"`;
      if (why !== null) faults.push({ attribute, value, fatal, detail: `The attribute ${attribute}${quoted} ${why}.` });
    }
  }
  if (!element.hasAttribute('room')) {
    faults.push({ attribute: 'room', value: null, fatal: true, detail: 'The attribute room is missing: the name of the room to join.' });
  }
  return faults;
}

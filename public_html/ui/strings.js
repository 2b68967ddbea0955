// Looks texts up in the table of a language and fills in what they leave open: `{name}` is replaced, a number
// written as the language does, and an entry with plural forms (Intl.PluralRules) goes by `count`.
import { languages } from './strings/tables.js';

/** @typedef {keyof typeof import('./strings/en.json')} TextKey */
/** @typedef {Record<string, string | number>} TextValues */
/** @typedef {import('./strings/tables.js').Table} Table */

/**
 * Gives the text of a key; with what language it is in and how numbers are written in it.
 * @typedef {object} Language
 * @property {string} language BCP 47 tag of the texts
 * @property {'ltr' | 'rtl'} direction
 * @property {(key: string) => boolean} has
 * @property {(value: number, options?: Intl.NumberFormatOptions) => string} number
 * @typedef {((key: TextKey, values?: TextValues) => string) & Language} Texts
 */

/**
 * The texts of the first language of `wanted` that there is, else English; English too for each text that the
 * language lacks or has in a form that can't be read.
 * @param {readonly string[]} wanted BCP 47 tags, best first
 * @param {Readonly<Record<string, () => Promise<Table>>>} [from]
 * @returns {Promise<Texts>}
 */
export async function loadTexts(wanted, from = languages) {
  const { language, locale } = choose(wanted, Object.keys(from));
  const [english, own] = await Promise.all(['en', language].map((tag) => from[tag]?.().catch(() => null)));
  return own && typeof own === 'object' ? textsOf(own, { english: english ?? {}, language, locale }) : textsOf(english ?? {});
}

/**
 * @param {Table} table
 * @param {{english?: Table, language?: string, locale?: string}} [of]
 * @returns {Texts}
 */
export function textsOf(table, { english = table, language = 'en', locale = language } = {}) {
  const plural = { own: new Intl.PluralRules(language), english: new Intl.PluralRules('en') };
  const number = (/** @type {number} */ value, /** @type {Intl.NumberFormatOptions} */ options = {}) => (
    new Intl.NumberFormat(locale, options).format(value));
  /** @type {'ltr' | 'rtl'} */
  const direction = table['language.direction'] === 'rtl' ? 'rtl' : 'ltr';
  /** @type {(key: string, count: string | number | undefined) => string} */
  const find = (key, count) => formOf(table[key], plural.own, count) ?? formOf(english[key], plural.english, count) ?? key;
  const text = (/** @type {TextKey} */ key, /** @type {TextValues} */ values = {}) => (
    find(key, values.count).replace(/\{(\w+)\}/g, (whole, name) => {
      const value = values[name] ?? whole;
      return isolated(typeof value === 'number' ? number(value) : value, direction);
    }));
  return Object.assign(text, {
    language, number, direction,
    has: (/** @type {string} */ key) => key in table || key in english,
  });
}

/** Characters that are written from right to left. */
const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]/;

/**
 * What is put into a text of the other direction would change the order of the words around it, so that it
 * stands between isolates. @param {string} value @param {'ltr' | 'rtl'} direction
 */
function isolated(value, direction) {
  return direction === 'rtl' || RIGHT_TO_LEFT.test(value) ? `\u2068${value}\u2069` : value;
}

/**
 * The first that there is, with or without its region; numbers are written as in the region that was wanted.
 * @param {readonly string[]} wanted @param {readonly string[]} there
 */
function choose(wanted, there) {
  for (const locale of wanted) {
    for (let tag = locale.toLowerCase(); tag !== ''; tag = tag.slice(0, Math.max(0, tag.lastIndexOf('-')))) {
      const language = there.find((one) => one.toLowerCase() === tag);
      if (language !== undefined && isTag(locale)) return { language, locale };
    }
  }
  return { language: 'en', locale: 'en' };
}

/** What is no tag makes Intl throw. @param {string} tag */
function isTag(tag) {
  try {
    return Intl.getCanonicalLocales(tag).length === 1;
  } catch {
    return false;
  }
}

/**
 * @param {unknown} entry of a table @param {Intl.PluralRules} plural @param {string | number | undefined} count
 * @returns {string | null} null where it can't be read
 */
function formOf(entry, plural, count = 0) {
  if (typeof entry !== 'object' || entry === null) return typeof entry === 'string' ? entry : null;
  const forms = /** @type {Record<string, unknown>} */ (entry);
  const form = forms[plural.select(Number(count))] ?? forms.other;
  return typeof form === 'string' ? form : null;
}

/**
 * A problem in words: what is wrong, and what to do.
 * @param {Texts} t
 * @param {{code: string, message?: string, kind?: 'audio' | 'video' | 'both' | null}} problem
 */
export function problemText(t, problem) {
  const key = `problem.${problem.code}`;
  const known = t.has(key) ? /** @type {TextKey} */ (key) : 'problem.other';
  const more = /** @type {TextKey} */ (`${known}.more`);
  const kind = problem.kind ?? 'both';
  const values = { message: problem.message ?? problem.code, device: t(`device.word.${kind}`), none: t(`device.none.${kind}`) };
  return { title: t(known, values), more: t(more, values) };
}

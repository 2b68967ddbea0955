// Looks texts up in the tables of languages and fills in what they leave open.
import en from './strings.en.js';

/** @typedef {keyof typeof en} TextKey */
/** @typedef {Record<string, string | number>} TextValues */
/** @typedef {(key: TextKey, values?: TextValues) => string} Texts */

/** @type {Readonly<Record<string, typeof en>>} */
const languages = Object.freeze({ en });

/**
 * The texts of the first language of `wanted` that there is, else English.
 * @param {readonly string[]} wanted BCP 47 tags, best first @returns {Texts}
 */
export function textsFor(wanted) {
  const short = wanted.map((tag) => tag.toLowerCase().split('-')[0] ?? '');
  const language = short.find((tag) => tag in languages) ?? 'en';
  const table = languages[language] ?? en;
  const plural = new Intl.PluralRules(language);
  return (key, values = {}) => {
    const entry = table[key];
    const text = typeof entry === 'string' ? entry : pickForm(entry, plural.select(Number(values.count ?? 0)));
    return text.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole));
  };
}

/**
 * @param {{other: string} & Record<string, string>} forms @param {string} category
 */
function pickForm(forms, category) {
  return forms[category] ?? forms.other;
}

/**
 * A problem in words: what is wrong, and what to do.
 * @param {Texts} t
 * @param {{code: string, message?: string, kind?: 'audio' | 'video' | 'both' | null}} problem
 */
export function problemText(t, problem) {
  const key = `problem.${problem.code}`;
  const known = key in en ? /** @type {TextKey} */ (key) : 'problem.other';
  const more = /** @type {TextKey} */ (`${known}.more`);
  const values = { message: problem.message ?? problem.code, device: t(`device.word.${problem.kind ?? 'both'}`) };
  return { title: t(known, values), more: t(more, values) };
}

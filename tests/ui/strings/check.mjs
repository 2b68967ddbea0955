// What is wrong with a language's file, compared with the English one.
import { readFile } from 'node:fs/promises';

export const folder = new URL('../../../public_html/ui/strings/', import.meta.url);
export const english = JSON.parse(await readFile(new URL('en.json', folder), 'utf8'));

const wordsOf = (text) => [...String(text).matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();
const isText = (text) => typeof text === 'string' && text.trim() !== '';

function pluralFaults(key, forms, language) {
  const wanted = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
  const is = Object.keys(forms);
  return [
    ...wanted.filter((form) => !is.includes(form)).map((form) => `${key}: the plural form "${form}" is missing`),
    ...is.filter((form) => !wanted.includes(form)).map((form) => `${key}: the language has no plural form "${form}"`),
  ];
}

function entryFaults(key, entry, model, language) {
  if (typeof entry !== typeof model || entry === null) return [`${key}: ${typeof model === 'string' ? 'a text' : 'plural forms'} is wanted`];
  const forms = typeof entry === 'string' ? { other: entry } : entry;
  const wanted = wordsOf(typeof model === 'string' ? model : model.other);
  const faults = typeof entry === 'string' ? [] : pluralFaults(key, forms, language);
  for (const [form, text] of Object.entries(forms)) {
    // One form may say its number in words.
    const words = wordsOf(text);
    const fits = form === 'other' ? words.join() === wanted.join() : words.every((word) => wanted.includes(word));
    if (!isText(text)) faults.push(`${key}: it is empty`);
    else if (!fits) faults.push(`${key}: {${words.join('}, {')}} instead of {${wanted.join('}, {')}}`);
  }
  return faults;
}

/** A line for each fault of a table. @param {Record<string, unknown>} table @param {string} language */
export function faultsOf(table, language) {
  return [
    ...Object.keys(english).filter((key) => !(key in table)).map((key) => `${key}: it is missing`),
    ...Object.keys(table).filter((key) => !(key in english)).map((key) => `${key}: English has no such text`),
    ...Object.keys(table).filter((key) => key in english)
      .flatMap((key) => entryFaults(key, table[key], english[key], language)),
    ...(['ltr', 'rtl'].includes(table['language.direction']) ? [] : ['language.direction: "ltr" or "rtl" is wanted']),
  ];
}

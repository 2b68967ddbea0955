// The languages that tests can choose: the page's own, one with a few texts and four plural forms (pl), one whose
// file is torn (cs), one that has no file (sk), and two made of the English texts: en-XA with accents and a third
// longer, so that whatever stays plain stands nowhere in the file; ar-XB the same from right to left.
import { languages as own } from '/ui/strings/tables.js';

const PLAIN = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
const ACCENTED = [...'àƀçďéƒĝĥîĵķļɱñõþɋŕšťûṽŵẋýžÀƁÇĎÉƑĜĤÎĴĶĻṀÑÕÞɊŔŠŤÛṼŴẊÝŽ'];

function accented(text) {
  const letters = text.replace(/\{\w+\}|[a-z]/gi, (found) => (found.length > 1 ? found : ACCENTED[PLAIN.indexOf(found)]));
  return `${letters}${' ~'.repeat(Math.ceil(text.length / 6))}`;
}

const accentedEntry = (entry) => (typeof entry === 'string' ? accented(entry)
  : Object.fromEntries(Object.entries(entry).map(([form, text]) => [form, accented(text)])));

const made = (direction) => async () => {
  const table = Object.entries(await own.en()).map(([key, entry]) => [key, accentedEntry(entry)]);
  return { ...Object.fromEntries(table), 'language.direction': direction };
};

const from = (language) => async () => (await fetch(new URL(`./${language}.json`, import.meta.url))).json();

export const languages = {
  ...own, pl: from('pl'), cs: from('cs'), sk: from('sk'), 'en-XA': made('ltr'), 'ar-XB': made('rtl'),
};

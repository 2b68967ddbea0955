// Whether a room is open or sealed, as it is shown: the lock, its words, and who came by another link.
import { html } from '../vendor/lit-html/lit-html.js';
import { icon } from './icons.js';

/** @typedef {'no-secret' | 'other-secret' | 'sealed'} Outside */

/** The lock beside the room's name. @param {import('./strings.js').Texts} t @param {boolean} sealed */
export function lock(t, sealed) {
  return html`${icon(sealed ? 'lock' : 'lock-open')}<span class="hidden-text">${lockName(t, sealed)}:</span>`;
}

/** @param {import('./strings.js').Texts} t @param {boolean} sealed */
export function lockName(t, sealed) {
  return t(sealed ? 'room.sealed' : 'room.open');
}

/** What the lock means. @param {import('./strings.js').Texts} t @param {boolean} sealed */
export function lockMore(t, sealed) {
  return t(sealed ? 'room.sealed.more' : 'room.open.more');
}

/**
 * What there is to say about people whose link isn't this page's.
 * @param {import('./strings.js').Texts} t
 * @param {{outside: Outside | null}[]} people everybody else
 * @returns {string | null}
 */
export function outsideText(t, people) {
  const outsiders = people.flatMap(({ outside }) => outside ?? []);
  const [first] = outsiders;
  if (first === undefined) return null;
  // Among strangers only, it is rather one's own link that is wrong.
  if (outsiders.length === people.length) return t(`outside.all.${first}`);
  return t('outside.some', { count: outsiders.length });
}

// Addresses in what people write, as links. Only http and https, only whole ones without a
// user's name in front (which would make one address look like another), shown as written.
import { html } from '../vendor/lit-html/lit-html.js';

const ADDRESS = /\bhttps?:\/\/[^\s<>"`\p{Cc}\p{Cf}]+/giu;
const AFTER = /[.,;:!?'’”»*_]+$/u;
const PAIRS = /** @type {const} */ ([['(', ')'], ['[', ']'], ['{', '}']]);

/** @typedef {{text: string, href: string | null}} Piece */

/**
 * The text in pieces, together what was written.
 * @param {string} text @returns {Piece[]}
 */
export function findLinks(text) {
  /** @type {Piece[]} */
  const pieces = [];
  let at = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const address = withoutEnd(match[0]);
    const href = hrefOf(address);
    if (href === null) continue;
    if (match.index > at) pieces.push({ text: text.slice(at, match.index), href: null });
    pieces.push({ text: address, href });
    at = match.index + address.length;
  }
  if (at < text.length) pieces.push({ text: text.slice(at), href: null });
  return pieces;
}

/** @param {string} text */
export function linked(text) {
  return findLinks(text).map((piece) => (piece.href === null ? piece.text
    : html`<a href=${piece.href} title=${piece.href} target="_blank" rel="noopener noreferrer">${piece.text}</a>`));
}

/** What ends the sentence, or closes a bracket that stands before, is not the address's. @param {string} address */
function withoutEnd(address) {
  let end = address.replace(AFTER, '');
  for (const [open, close] of PAIRS) {
    while (end.endsWith(close) && end.split(open).length < end.split(close).length) {
      end = end.slice(0, -1).replace(AFTER, '');
    }
  }
  return end;
}

/** @param {string} address @returns {string | null} */
function hrefOf(address) {
  try {
    const { protocol, username, password, hostname, href } = new URL(address);
    const safe = (protocol === 'http:' || protocol === 'https:') && hostname !== '' && username === '' && password === '';
    return safe ? href : null;
  } catch {
    return null;
  }
}

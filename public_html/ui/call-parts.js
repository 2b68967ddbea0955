// Parts of the call's picture that hold nothing of their own.
import { html, nothing } from '../vendor/lit-html/lit-html.js';
import { icon } from './icons.js';
import { selectAll } from './invite.js';
import { lock, lockMore, lockName, outsideText } from './lock.js';

/** @typedef {import('./strings.js').Texts} Texts */
/** @typedef {import('../klatch/index.js').Room} Room */

/**
 * The room's name, how many are connected, the link.
 * @param {Texts} t
 * @param {Room} room
 * @param {boolean} copied whether the link was copied a moment ago
 * @param {() => void} copy
 */
export function top(t, room, copied, copy) {
  const { connected, others } = room.counts;
  return html`<div class="top" part="top">
    <div class="room" title=${`${lockName(t, room.sealed)}. ${lockMore(t, room.sealed)}`}>
      ${lock(t, room.sealed)}<h1 part="title" tabindex="-1">${room.name}</h1></div>
    ${room.settings.locked ? html`<span class="locked" role="img" aria-label=${t('house.is.locked')} title=${t('house.is.locked')}>
      ${icon('door')}</span>` : nothing}
    <p class="count" part="count" role="status" ?data-none=${others === 0} ?data-part=${connected < others}>
      ${others === 0 ? t('call.alone') : t('call.connected', { connected, others })}</p>
    <button part="button invite-button" class="button copy" @click=${copy}>${icon(copied ? 'check' : 'link')}
      <span>${copied ? t('call.copied') : t('call.copy')}</span></button>
    <span class="hidden-text" role="status">${copied ? t('call.copied') : ''}</span>
  </div>`;
}

/**
 * What is wrong with all of it, and for whom this page passes on.
 * @param {Texts} t
 * @param {Room} room
 * @param {(person: {name: string}) => string} nameOf
 * @param {unknown} more
 */
export function banner(t, room, nameOf, more) {
  const text = room.server === 'online' ? outsideText(t, room.people) : t('call.serverAway');
  return html`<div class="banners">
    ${text === null ? nothing : html`<p class="banner" part="banner" role="status">${icon('warning')}${text}</p>`}
    <div role="status">${room.carrying.map(([one, other]) => html`<p class="carrying">
      ${t('call.carrying', { name: nameOf(one), other: nameOf(other) })}</p>`)}</div>
    ${more}
  </div>`;
}

/**
 * One tap, since the browser plays nothing by itself.
 * @param {Texts} t
 * @param {() => void} unsilence
 */
export function soundButton(t, unsilence) {
  return html`<div class="sound">
    <button part="button primary-button" class="button primary" @click=${unsilence}>${icon('sound')}${t('call.sound')}</button>
    <p>${t('call.sound.more')}</p>
  </div>`;
}

/**
 * The link to be copied by hand, where the browser refused to.
 * @param {Texts} t
 * @param {string} link
 * @param {() => void} close
 */
export function linkByHand(t, link, close) {
  return html`<div class="byhand" role="alert">
    <div>${t('call.copy.byHand')}
      <button class="plain" aria-label=${t('notice.dismiss')} @click=${close}>${icon('close')}</button></div>
    <input readonly aria-label=${t('call.link')} .value=${link}
      @focus=${selectAll}>
  </div>`;
}

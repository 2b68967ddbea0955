// The place of the first other person: says that nobody else is here and hands out the link.
import { html } from '../vendor/lit-html/lit-html.js';
import { define } from './define.js';
import { Part } from './part.js';
import { icon } from './icons.js';
import { inviteStyle } from './invite.css.js';

/**
 * @typedef {object} InviteProps
 * @property {string} link
 * @property {boolean} copied whether the link was copied a moment ago
 * @property {import('./strings.js').Texts} t
 */

/**
 * Emits 'copy-link'.
 * @extends {Part<InviteProps>}
 */
export class KlatchInvite extends Part {
  /** @override */
  static styles = [inviteStyle];

  /** @override */
  view() {
    const { t, link, copied } = this.props;
    return html`<section part="invite">
      <h2>${t('call.invite')}</h2>
      <p class="more">${t('call.invite.more')}</p>
      <input readonly aria-label=${t('call.link')} .value=${link} @focus=${selectAll}>
      <button part="button primary-button" class="button primary" @click=${() => this.emit('copy-link')}>
        ${icon(copied ? 'check' : 'link')}${copied ? t('call.copied') : t('call.copy')}</button>
    </section>`;
  }
}

/** Ready to be copied by hand. @param {FocusEvent} event */
export function selectAll(event) {
  if (event.target instanceof HTMLInputElement) event.target.select();
}

define('klatch-invite', KlatchInvite);

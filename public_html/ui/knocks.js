// Who knocks, for the host: each with a name and two buttons. Stays in the page while nobody does, so
// that screen readers say who comes.
import { html, nothing } from '../vendor/lit-html/lit-html.js';
import { repeat } from '../vendor/lit-html/directives/repeat.js';
import { define } from './define.js';
import { Part } from './part.js';
import { icon } from './icons.js';
import { knocksStyle } from './knocks.css.js';

/** @typedef {import('../klatch/types.js').Knocker} Knocker */
/** @typedef {{people: readonly Knocker[], t: import('./strings.js').Texts}} KnocksProps */

/**
 * Emits 'admit' and 'refuse' {who}.
 * @extends {Part<KnocksProps>}
 */
export class KlatchKnocks extends Part {
  /** @override */
  static styles = [knocksStyle];

  /** @override */
  view() {
    const { t, people } = this.props;
    const newest = people.at(-1);
    return html`<p class="hidden-text" role="status">${newest
      ? t('knock.many', { count: people.length, name: this.#nameOf(newest) }) : ''}</p>
      ${people.length === 0 ? nothing : html`<section part="knocks" aria-label=${t('knock.region')}>
        <ul tabindex="0" aria-label=${t('knock.region')}>${repeat(people, ({ id }) => id, (who) => this.#one(who))}</ul>
      </section>`}`;
  }

  /** Who still knocks is next. @override */
  takeFocus() {
    const left = this.find('ul');
    if (left) left.focus();
    else super.takeFocus();
  }

  /** @param {Knocker} who */
  #one(who) {
    const { t } = this.props;
    const name = this.#nameOf(who);
    return html`<li>
      ${icon('door')}
      <p><b dir="auto">${name}</b> <span>${t(who.outside ? 'knock.outside' : 'knock.wants')}</span></p>
      <div class="decide"><button part="button primary-button" class="button primary" aria-label=${t('knock.admit', { name })}
        @click=${() => this.emit('admit', { who })}>${t('knock.admit.short')}</button>
      <button part="button" class="button" aria-label=${t('knock.refuse', { name })}
        @click=${() => this.emit('refuse', { who })}>${t('knock.refuse.short')}</button></div>
    </li>`;
  }

  /** @param {Knocker} who */
  #nameOf({ name }) {
    return name || this.props.t('person.guest');
  }
}

define('klatch-knocks', KlatchKnocks);

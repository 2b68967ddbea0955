// A page of one sentence and at most one thing to do: after the call, or instead of it.
import { html, nothing } from '../vendor/lit-html/lit-html.js';
import { define } from './define.js';
import { Part } from './part.js';
import { theme } from './theme.css.js';
import { cardStyle } from './card.css.js';

/**
 * @typedef {object} CardProps
 * @property {string} title
 * @property {string} more
 * @property {string} action the button's text, or empty for none
 * @property {boolean} [passing] shown for a moment only: no reason to take the focus
 */

/**
 * Emits 'act' when the button is pressed.
 * @extends {Part<CardProps>}
 */
export class KlatchCard extends Part {
  /** @override */
  static styles = [theme, cardStyle];

  #entered = false;

  /** @override */
  view() {
    const { title, more, action } = this.props;
    return html`<section part="card" aria-labelledby="title">
      <h1 id="title" tabindex="-1">${title}</h1>
      <p>${more}</p>
      ${action ? html`<button part="button primary-button" class="button primary" @click=${() => this.emit('act')}>${action}</button>` : nothing}
    </section>`;
  }

  /** @override */
  drawn() {
    if (this.#entered) return;
    this.#entered = true;
    // Who is writing elsewhere on a page around this is not called away.
    if (!this.props.passing && document.activeElement === document.body) this.takeFocus();
  }

  /** @override */
  takeFocus() {
    this.need('h1').focus({ preventScroll: true });
  }
}

define('klatch-card', KlatchCard);

// What happened, in passing: who came and went, and what went wrong. Both kinds are read
// out: the quiet ones when there is a pause, problems at once.
import { html, nothing } from '../vendor/lit-html/lit-html.js';
import { repeat } from '../vendor/lit-html/directives/repeat.js';
import { define } from './define.js';
import { Part } from './part.js';
import { icon } from './icons.js';
import { noticesStyle } from './notices.css.js';

/** @typedef {{id: number, kind: 'quiet' | 'message' | 'problem', title: string, more?: string}} Notice */
/** @typedef {{notices: readonly Notice[], t: import('./strings.js').Texts}} NoticesProps */

/**
 * Emits 'dismiss-notice' {id}.
 * @extends {Part<NoticesProps>}
 */
export class KlatchNotices extends Part {
  /** @override */
  static styles = [noticesStyle];

  /** @override */
  view() {
    const { t, notices } = this.props;
    const quiet = notices.filter(({ kind }) => kind !== 'problem');
    const problems = notices.filter(({ kind }) => kind === 'problem');
    return html`<div class="stack" role="region" aria-label=${t('notice.region')}>
      <div role="alert">${repeat(problems, ({ id }) => id, (notice) => this.#one(notice))}</div>
      <div role="status">${repeat(quiet, ({ id }) => id, (notice) => this.#one(notice))}</div>
    </div>`;
  }

  /** @param {Notice} notice */
  #one({ id, kind, title, more }) {
    const label = this.props.t('notice.dismiss');
    return html`<div class="notice ${kind}" part="notice">
      ${kind === 'problem' ? icon('warning') : nothing}
      <div><p class="title">${title}</p>${more ? html`<p class="more">${more}</p>` : nothing}</div>
      ${kind === 'problem' ? html`<button aria-label=${label} title=${label}
        @click=${() => this.emit('dismiss-notice', { id })}>${icon('close')}</button>` : nothing}
    </div>`;
  }
}

define('klatch-notices', KlatchNotices);

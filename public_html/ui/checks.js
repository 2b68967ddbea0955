// Before a call: a sound to hear, and a call with oneself.
import { html, nothing } from '../vendor/lit-html/lit-html.js';
import { define } from './define.js';
import { Part } from './part.js';
import { icon } from './icons.js';
import { checksStyle } from './checks.css.js';

/**
 * @typedef {object} ChecksProps
 * @property {import('../klatch/index.js').Media} media
 * @property {string} speaker the id of the chosen loudspeaker
 * @property {() => Promise<string>} api finds where the room API is
 * @property {import('./strings.js').Texts} t
 */

/** @extends {Part<ChecksProps>} */
export class KlatchChecks extends Part {
  /** @override */
  static styles = [checksStyle];

  #sounding = false;
  #checking = false;

  /** @override */
  view() {
    const { t, media, api } = this.props;
    return html`<div class="row">
      <button type="button" part="button" class="button" ?disabled=${this.#sounding} @click=${this.#sound}>
        ${icon('sound')}${t(this.#sounding ? 'check.sounding' : 'check.sound')}</button>
      <button type="button" part="button" class="button" aria-haspopup="dialog" @click=${this.#check}>
        ${icon('pulse')}${t('check.open')}</button>
      ${this.#checking ? html`<klatch-check .props=${{ t, media, api }} @check-closed=${this.#closed}></klatch-check>` : nothing}
    </div>`;
  }

  async #sound() {
    this.#sounding = true;
    this.update();
    const { playTestSound } = await import('./test-sound.js');
    await playTestSound(this.props.speaker).catch(() => {});
    this.#sounding = false;
    this.update();
  }

  async #check() {
    await import('./check.js');
    this.#checking = true;
    this.update();
  }

  #closed() {
    this.#checking = false;
    this.update();
    /** @type {HTMLElement | null} */ (this.find('[aria-haspopup]'))?.focus();
  }
}

define('klatch-checks', KlatchChecks);

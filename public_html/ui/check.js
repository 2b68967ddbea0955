// A call with oneself in a dialog: what is sent beside what comes back, and in words what works.
import { html } from '../vendor/lit-html/lit-html.js';
import { define } from './define.js';
import { Part } from './part.js';
import { icon } from './icons.js';
import { Loopback } from '../klatch/loopback.js';
import { checkStyle } from './check.css.js';
import { settingsStyle } from './settings.css.js';

/** @typedef {import('../klatch/loopback.js').Step} Step */
/** @typedef {Pick<import('./checks.js').ChecksProps, 'media' | 'api' | 't'>} CheckProps */

const ICONS = /** @type {const} */ ({ good: 'check', bad: 'warning', none: 'clock', shut: 'check' });

/**
 * Begins when it is in the document. Emits 'check-closed'.
 * @extends {Part<CheckProps>}
 */
export class KlatchCheck extends Part {
  /** @override */
  static styles = [settingsStyle, checkStyle];

  /** @type {Step[]} */
  #steps = [];
  #done = false;
  /** @type {Loopback | null} */
  #call = null;

  /** @override */
  entered() {
    void this.#run();
  }

  /** @override */
  left() {
    this.#call?.hangUp();
  }

  /** @override */
  view() {
    const { t } = this.props;
    return html`<dialog part="dialog" aria-labelledby="heading" @close=${this.#ended}>
      <form method="dialog">
        <header><h2 id="heading">${t('check.heading')}</h2></header>
        <div class="pictures">
          <figure><video class="sent" autoplay playsinline .muted=${true} aria-hidden="true" tabindex="-1"></video>
            <figcaption>${t('check.sent')}</figcaption></figure>
          <figure><video class="back" autoplay playsinline .muted=${true} aria-hidden="true" tabindex="-1"></video>
            <figcaption>${t('check.back')}</figcaption></figure>
        </div>
        <div role="log" aria-label=${t('check.steps')}><ul class="steps">
          ${this.#steps.map((step) => this.#step(step))}
          ${this.#done ? '' : html`<li>${icon('pulse')}<span>${t('check.running')}</span></li>`}
        </ul></div>
        <button part="button" class="button hang-up" autofocus>${icon('hang-up')}${t('call.hangUp')}</button>
      </form>
    </dialog>`;
  }

  /** @override */
  drawn() {
    const dialog = /** @type {HTMLDialogElement} */ (this.need('dialog'));
    if (!dialog.open) dialog.showModal();
    this.#show('.sent', this.props.media.stream);
    this.#show('.back', this.#call?.received ?? null);
  }

  /** @param {string} selector @param {MediaStream | null} stream */
  #show(selector, stream) {
    const video = /** @type {HTMLVideoElement} */ (this.need(selector));
    const shown = stream?.getVideoTracks().length ? stream : null;
    if (video.srcObject !== shown) video.srcObject = shown;
  }

  /** @param {Step} step */
  #step({ name, state, ms }) {
    const { t } = this.props;
    const words = state === 'shut' ? t('check.server.shut', { ms }) : t(`check.${name}.${state}`, { ms });
    return html`<li data-state=${state}>${icon(ICONS[state])}<span>${words}</span></li>`;
  }

  async #run() {
    const { media, api } = this.props;
    // Where no API is found the rest can be tried all the same.
    const address = await api().catch(() => 'api/v1');
    if (!this.isConnected) return;
    this.#call = new Loopback({ api: address, stream: media.stream });
    this.#call.on('step', ({ detail }) => {
      this.#steps = [...this.#steps, detail];
      this.update();
    }, { signal: this.life });
    this.#call.on('done', () => {
      this.#done = true;
      this.update();
    }, { signal: this.life });
    await this.#call.run();
  }

  #ended() {
    this.#call?.hangUp();
    this.emit('check-closed');
  }
}

define('klatch-check', KlatchCheck);

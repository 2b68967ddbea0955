// What can be changed during a call: name, devices, how one talks. A dialog over the call.
import { html } from '../vendor/lit-html/lit-html.js';
import { live } from '../vendor/lit-html/directives/live.js';
import { define } from './define.js';
import { Part } from './part.js';
import { icon } from './icons.js';
import { NAME_MAX } from './name.js';
import { QUALITIES } from './remember.js';
import { settingsStyle } from './settings.css.js';
import './devices.js';
import './room-settings.js';
import './switches.js';

/**
 * @typedef {object} SettingsProps
 * @property {string} name
 * @property {import('../klatch/allot.js').Quality} quality
 * @property {import('../klatch/index.js').Media} media
 * @property {import('./remember.js').Choices} choices
 * @property {Omit<import('./room-settings.js').RoomSettingsProps, 't'>} house
 * @property {import('./strings.js').Texts} t
 */

/**
 * Emits 'rename' {name} when another name was written, 'device-chosen' {mic}, {cam} or {speaker},
 * 'quality-chosen' {quality}, 'choice' with what was switched, 'room-change' and 'open-stats'.
 * @extends {Part<SettingsProps>}
 */
export class KlatchSettings extends Part {
  /** @override */
  static styles = [settingsStyle];

  #open = false;

  /** @override */
  view() {
    const { t, name, media, choices, house } = this.props;
    return html`<dialog part="dialog" aria-labelledby="heading" @close=${this.#closed}>
      <form method="dialog">
        <header>
          <h2 id="heading">${t('settings.heading')}</h2>
          <button type="button" class="plain" aria-label=${t('notice.dismiss')} @click=${this.close}>${icon('close')}</button>
        </header>
        <label class="field" part="name-field"><span>${t('settings.name')}</span>
          <input name="name" autocomplete="nickname" maxlength=${NAME_MAX} placeholder=${t('lobby.name.hint')} .value=${live(name)} @change=${this.#rename}></label>
        ${this.#quality()}
        ${this.#open ? html`<klatch-devices part="devices" .props=${{ media, t, speaker: choices.speakerId }}
            @device-chosen=${this.relay}></klatch-devices>
          <klatch-switches .props=${{ media, t, choices }} @choice=${this.relay}></klatch-switches>
          <klatch-room-settings part="hosting" .props=${{ t, ...house }} @room-change=${this.relay}></klatch-room-settings>` : ''}
        <button type="button" part="button stats-button" class="button" @click=${this.#stats}>${t('settings.stats')}</button>
        <button part="button primary-button" class="button primary">${t('settings.done')}</button>
      </form>
    </dialog>`;
  }

  #stats() {
    this.close();
    this.emit('open-stats');
  }

  #quality() {
    const { t, quality } = this.props;
    return html`<label class="field"><span>${t('settings.quality')}</span>
      <select name="quality" @change=${this.#chose}>
        ${QUALITIES.map((one) => html`<option value=${one} ?selected=${one === quality}>${t(`settings.quality.${one}`)}</option>`)}
      </select></label>`;
  }

  open() {
    this.#open = true;
    this.update();
    this.#dialog().showModal();
  }

  close() {
    this.#dialog().close();
  }

  #dialog() {
    return /** @type {HTMLDialogElement} */ (this.need('dialog'));
  }

  #closed() {
    this.#open = false;
    this.update();
  }

  /** @param {Event} event */
  #chose(event) {
    if (event.target instanceof HTMLSelectElement) this.emit('quality-chosen', { quality: event.target.value });
  }

  /** @param {Event} event */
  #rename(event) {
    if (event.target instanceof HTMLInputElement) this.emit('rename', { name: event.target.value });
  }
}

define('klatch-settings', KlatchSettings);

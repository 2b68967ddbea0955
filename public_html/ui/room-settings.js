// What the room asks of newcomers, in the settings: switches and a password for a host, sentences for
// everybody else.
import { html, nothing } from '../vendor/lit-html/lit-html.js';
import { live } from '../vendor/lit-html/directives/live.js';
import { define } from './define.js';
import { Part } from './part.js';
import { switchesStyle } from './switches.css.js';
import { roomSettingsStyle } from './room-settings.css.js';

/** In UTF-8. */
const PASSWORD_BYTES_MAX = 256;

/**
 * @typedef {object} RoomSettingsProps
 * @property {import('../klatch/types.js').Settings} settings
 * @property {boolean} host whether this person may change them
 * @property {string[]} hosts names
 * @property {import('./strings.js').Texts} t
 */

/**
 * Emits 'room-change' with what is to be changed: {locked}, {lobby} or {password}.
 * @extends {Part<RoomSettingsProps>}
 */
export class KlatchRoomSettings extends Part {
  /** @override */
  static styles = [switchesStyle, roomSettingsStyle];

  #tooLong = false;

  /** @override */
  view() {
    const { t, host, hosts } = this.props;
    return html`<h3 tabindex="-1">${t('house.heading')}</h3>
      ${host ? this.#controls() : this.#sentences()}
      <p class="more">${t('house.hosts', { names: hosts.join(', ') || t('house.nobody') })}</p>`;
  }

  /** @override */
  takeFocus() {
    this.need('h3').focus();
  }

  #controls() {
    const { t, settings } = this.props;
    return html`${this.#one('locked')}${this.#one('lobby')}
      <form @submit=${this.#set}>
        <label class="field"><span>${t(settings.password ? 'house.password.other' : 'house.password')}</span>
          <input name="password" autocomplete="off" autocapitalize="off" spellcheck="false" maxlength=${PASSWORD_BYTES_MAX}
            aria-describedby="about"></label>
        <button part="button" class="button">${t('house.password.set')}</button>
        ${settings.password ? html`<button type="button" part="button" class="button" @click=${this.#unset}>
          ${t('house.password.remove')}</button>` : nothing}
        <p id="about" class="more" role="status">${t(this.#tooLong ? 'house.password.long'
          : settings.password ? 'house.password.on' : 'house.password.more')}</p>
      </form>`;
  }

  /** @param {'locked' | 'lobby'} name */
  #one(name) {
    const { t, settings } = this.props;
    return html`<label><input type="checkbox" .checked=${live(settings[name])}
        @change=${(/** @type {Event} */ event) => this.#switched(name, event)}>
      <span>${t(`house.set.${name}`)}<span class="more">${t(`house.set.${name}.more`)}</span></span></label>`;
  }

  #sentences() {
    const { t, settings } = this.props;
    const { locked, lobby, password } = settings;
    return html`<ul>
      ${locked ? html`<li>${t('house.is.locked')}</li>` : nothing}
      ${lobby ? html`<li>${t('house.is.lobby')}</li>` : nothing}
      ${password ? html`<li>${t('house.is.password')}</li>` : nothing}
      ${locked || lobby || password ? nothing : html`<li>${t('house.is.free')}</li>`}
    </ul>`;
  }

  /** @param {'locked' | 'lobby'} name @param {Event} event */
  #switched(name, event) {
    if (event.target instanceof HTMLInputElement) this.emit('room-change', { [name]: event.target.checked });
  }

  /** @param {SubmitEvent} event */
  #set(event) {
    event.preventDefault();
    const field = /** @type {HTMLInputElement} */ (this.need('[name=password]'));
    const password = field.value;
    this.#tooLong = new TextEncoder().encode(password).length > PASSWORD_BYTES_MAX;
    if (password !== '' && !this.#tooLong) {
      this.emit('room-change', { password });
      field.value = '';
    }
    this.update();
  }

  #unset() {
    this.emit('room-change', { password: null });
  }
}

define('klatch-room-settings', KlatchRoomSettings);

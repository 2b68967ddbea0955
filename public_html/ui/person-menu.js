// What can be done with one tile: make it large, show it alone, and for a person how loud they
// are here. A dialog, so that it has place on a phone and can be reached by keyboard.
import { html, nothing } from '../vendor/lit-html/lit-html.js';
import { live } from '../vendor/lit-html/directives/live.js';
import { define } from './define.js';
import { Part } from './part.js';
import { can } from './can.js';
import { icon } from './icons.js';
import { stateMore } from './paths.js';
import { settingsStyle } from './settings.css.js';
import { personMenuStyle } from './person-menu.css.js';

/** @typedef {'host' | 'remove' | 'ban'} HostAct */

/** @type {readonly [HostAct, import('./icons.js').IconName][]} */
const HOST_ACTS = [['host', 'host'], ['remove', 'leave'], ['ban', 'lock']];

/**
 * @typedef {object} PersonMenuProps
 * @property {import('./tile.js').TileProps | null} tile whose menu is open
 * @property {boolean} hosting whether this person is a host
 * @property {import('./strings.js').Texts} t
 */

/**
 * Emits 'tile-act' {act: 'pin' | 'full-screen' | 'window', key}, 'hearing' {person, volume} or
 * {person, silenced}, 'host-act' {act: 'host' | 'remove' | 'ban', person}, and 'menu-closed'.
 * @extends {Part<PersonMenuProps>}
 */
export class KlatchPersonMenu extends Part {
  /** @override */
  static styles = [settingsStyle, personMenuStyle];

  /** What a host is asked about once more. @type {HostAct | null} */
  #sure = null;

  /** @override */
  view() {
    const { tile, t } = this.props;
    return html`<dialog part="dialog" aria-labelledby="heading" @close=${this.#closed}>
      ${tile === null ? nothing : html`<form method="dialog">
        <header>
          <h2 id="heading">${tile.screen ? t('person.screenOf', { name: tile.name }) : tile.name}</h2>
          <button type="button" class="plain" aria-label=${t('notice.dismiss')} @click=${this.close}>${icon('close')}</button>
        </header>
        ${tile.host && !tile.screen ? html`<p class="about">${icon('host')}<span>${t('person.host.more')}</span></p>` : nothing}
        ${tile.mine || tile.screen ? nothing : this.#path(tile)}
        ${tile.mine ? nothing : this.#hearing(tile)}
        <div class="acts">
          ${this.#act('pin', tile, tile.pinned)}
          ${can('fullScreen') ? this.#act('full-screen', tile) : nothing}
          ${can('pictureInPicture') && tile.stream ? this.#act('window', tile) : nothing}
        </div>
        ${this.#hosting(tile)}
      </form>`}
    </dialog>`;
  }

  /** @override */
  drawn() {
    const dialog = this.#dialog();
    if (this.props.tile !== null && !dialog.open) dialog.showModal();
    if (this.props.tile === null && dialog.open) dialog.close();
  }

  close() {
    this.#dialog().close();
  }

  #dialog() {
    return /** @type {HTMLDialogElement} */ (this.need('dialog'));
  }

  #closed() {
    this.#sure = null;
    this.emit('menu-closed');
  }

  /** What a host can do about somebody. @param {import('./tile.js').TileProps} tile */
  #hosting({ mine, screen, host, person, name }) {
    const { t, hosting } = this.props;
    if (!hosting || mine || screen || host) return nothing;
    const sure = this.#sure;
    if (sure === null) {
      return html`<div class="acts hosting" part="hosting" role="group" aria-label=${t('host.heading')}>
        ${HOST_ACTS.map(([act, sign]) => html`<button type="button" part="button" class="button"
          @click=${() => this.#ask(act)}>${icon(sign)}${t(`host.act.${act}`)}</button>`)}</div>`;
    }
    return html`<div class="sure" role="alertdialog" aria-label=${t(`host.act.${sure}`)} aria-describedby="sure">
      <p id="sure">${t(`host.sure.${sure}`, { name })}</p>
      <div class="acts">
        <button type="button" part="button" class="button ${sure === 'host' ? 'primary' : 'danger'} yes"
          @click=${() => this.#decide(sure, person)}>${t(`host.act.${sure}`)}</button>
        <button type="button" part="button" class="button" @click=${() => this.#ask(null)}>${t('host.cancel')}</button>
      </div></div>`;
  }

  /** @param {HostAct | null} act */
  #ask(act) {
    this.#sure = act;
    this.update();
    // What was pressed is gone, and its focus with it.
    queueMicrotask(() => (this.find('.yes') ?? this.find('.hosting .button'))?.focus());
  }

  /** @param {HostAct} act @param {object} person */
  #decide(act, person) {
    this.close();
    this.emit('host-act', { act, person });
  }

  /** @param {import('./tile.js').TileProps} tile */
  #path(tile) {
    const more = stateMore(this.props.t, tile);
    return more ? html`<p class="path">${icon('no-path')}<span>${more}</span></p>` : nothing;
  }

  /** @param {import('./tile.js').TileProps} tile */
  #hearing({ person, volume, silenced }) {
    const { t } = this.props;
    const percent = Math.round(volume * 100);
    return html`${can('volume') ? html`<label class="volume">
        <span>${t('person.volume')}<output aria-hidden="true">${t.number(volume, { style: 'percent' })}</output></span>
        <input type="range" min="0" max="100" step="5" .value=${live(String(percent))} ?disabled=${silenced}
          @input=${(/** @type {Event} */ event) => this.#loud(person, event)}></label>` : nothing}
      <button type="button" part="button" class="button" aria-pressed=${silenced}
        @click=${() => this.emit('hearing', { person, silenced: !silenced })}>
        ${icon(silenced ? 'sound-off' : 'sound')}${t('person.silence')}</button>`;
  }

  /**
   * @param {'pin' | 'full-screen' | 'window'} act
   * @param {import('./tile.js').TileProps} tile @param {boolean} [pressed]
   */
  #act(act, { key }, pressed) {
    const words = /** @type {const} */ ({ pin: 'person.pin', 'full-screen': 'person.fullScreen', window: 'person.window' });
    return html`<button type="button" part="button" class="button" aria-pressed=${pressed ?? nothing}
      @click=${() => this.#do(act, key)}>${icon(act)}${this.props.t(words[act])}</button>`;
  }

  /** @param {string} act @param {object} key */
  #do(act, key) {
    this.close();
    this.emit('tile-act', { act, key });
  }

  /** @param {object} person @param {Event} event */
  #loud(person, event) {
    if (event.target instanceof HTMLInputElement) this.emit('hearing', { person, volume: Number(event.target.value) / 100 });
  }
}

define('klatch-person-menu', KlatchPersonMenu);

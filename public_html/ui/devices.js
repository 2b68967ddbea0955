// Which microphone and which camera. Shows nothing until the browser tells what there is.
import { html, nothing } from '../vendor/lit-html/lit-html.js';
import { live } from '../vendor/lit-html/directives/live.js';
import { Part } from './part.js';
import { devicesStyle } from './devices.css.js';

/** @typedef {{media: import('../klatch/index.js').Media, t: import('./strings.js').Texts}} DevicesProps */
/** @typedef {{id: string, label: string}} Device */

/**
 * Emits 'device-chosen' {mic} or {cam} with a device's id.
 * @extends {Part<DevicesProps>}
 */
export class KlatchDevices extends Part {
  /** @override */
  static styles = [devicesStyle];

  /** @type {{mics: Device[], cams: Device[]}} */
  #found = { mics: [], cams: [] };

  /** @override */
  connectedCallback() {
    super.connectedCallback();
    this.props.media.on('change', () => this.#look(), { signal: this.life });
    this.props.media.on('devices', () => this.#look(), { signal: this.life });
    this.#look();
  }

  /** @override */
  view() {
    const { mics, cams } = this.#found;
    if (mics.length + cams.length === 0) return nothing;
    return html`${this.#choice('mic', mics)}${this.#choice('cam', cams)}`;
  }

  /** @param {'mic' | 'cam'} kind @param {Device[]} found */
  #choice(kind, found) {
    const { t, media } = this.props;
    const tracks = kind === 'mic' ? media.stream.getAudioTracks() : media.stream.getVideoTracks();
    const used = tracks[0]?.getSettings().deviceId;
    const chosen = found.find(({ id }) => id === used)?.id ?? found[0]?.id ?? '';
    return html`<label class="field"><span>${t(`device.${kind}`)}</span>
      <select ?disabled=${found.length === 0} .value=${live(chosen)}
        @change=${(/** @type {Event} */ event) => this.#choose(kind, event)}>
        ${found.length === 0 ? html`<option>${t(`device.none.${kind}`)}</option>` : nothing}
        ${found.map(({ id, label }) => html`<option value=${id} ?selected=${id === chosen}>${label}</option>`)}
      </select></label>`;
  }

  /** @param {'mic' | 'cam'} kind @param {Event} event */
  #choose(kind, event) {
    if (event.target instanceof HTMLSelectElement) this.emit('device-chosen', { [kind]: event.target.value });
  }

  async #look() {
    const { mics, cams } = await this.props.media.devices();
    this.#found = { mics, cams };
    this.update();
  }
}

customElements.define('klatch-devices', KlatchDevices);

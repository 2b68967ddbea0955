// Which microphone, which camera and, where the browser lets one choose, which loudspeaker. Shows nothing until the browser tells what there is.
import { html, nothing } from '../vendor/lit-html/lit-html.js';
import { live } from '../vendor/lit-html/directives/live.js';
import { define } from './define.js';
import { Part } from './part.js';
import { can } from './can.js';
import { devicesStyle } from './devices.css.js';

/**
 * @typedef {object} DevicesProps
 * @property {import('../klatch/index.js').Media} media
 * @property {string} speaker the id of the chosen loudspeaker
 * @property {readonly ('mic' | 'cam' | 'speaker')[]} [kinds] all unless told
 * @property {import('./strings.js').Texts} t
 */
/** @typedef {{id: string, label: string}} Device */

/**
 * Emits 'device-chosen' {mic}, {cam} or {speaker} with a device's id.
 * @extends {Part<DevicesProps>}
 */
export class KlatchDevices extends Part {
  /** @override */
  static styles = [devicesStyle];

  /** @type {{mics: Device[], cams: Device[], speakers: Device[]}} */
  #found = { mics: [], cams: [], speakers: [] };

  /** @override */
  entered() {
    this.props.media.on('change', () => this.#look(), { signal: this.life });
    this.props.media.on('devices', () => this.#look(), { signal: this.life });
    this.#look();
  }

  /** @override */
  view() {
    const { media, speaker, kinds = ['mic', 'cam', 'speaker'] } = this.props;
    const { mics, cams, speakers } = this.#found;
    if (mics.length + cams.length === 0) return nothing;
    const used = (/** @type {MediaStreamTrack[]} */ [track]) => track?.getSettings().deviceId;
    return html`${kinds.includes('mic') ? this.#choice('mic', mics, used(media.stream.getAudioTracks())) : nothing}
      ${kinds.includes('cam') ? this.#choice('cam', cams, used(media.stream.getVideoTracks())) : nothing}
      ${kinds.includes('speaker') && speakers.length > 1 && can('speaker') ? this.#choice('speaker', speakers, speaker) : nothing}`;
  }

  /** @override */
  drawn() {
    this.toggleAttribute('data-none', this.find('label') === null);
  }

  /** @param {'mic' | 'cam' | 'speaker'} kind @param {Device[]} found @param {string | undefined} used */
  #choice(kind, found, used) {
    const { t } = this.props;
    const chosen = found.find(({ id }) => id === used)?.id ?? found[0]?.id ?? '';
    return html`<label class="field"><span>${t(`device.${kind}`)}</span>
      <select ?disabled=${found.length === 0} .value=${live(chosen)}
        @change=${(/** @type {Event} */ event) => this.#choose(kind, event)}>
        ${found.length === 0 && kind !== 'speaker' ? html`<option>${t(`device.none.${kind}`)}</option>` : nothing}
        ${found.map(({ id, label }) => html`<option value=${id} ?selected=${id === chosen}>${label}</option>`)}
      </select></label>`;
  }

  /** @param {'mic' | 'cam' | 'speaker'} kind @param {Event} event */
  #choose(kind, event) {
    if (event.target instanceof HTMLSelectElement) this.emit('device-chosen', { [kind]: event.target.value });
  }

  async #look() {
    this.#found = await this.props.media.devices();
    this.update();
  }
}

define('klatch-devices', KlatchDevices);

// Before the call: see yourself, choose a name and devices, learn what is wrong, join.
import { html, nothing } from '../vendor/lit-html/lit-html.js';
import { live } from '../vendor/lit-html/directives/live.js';
import { define } from './define.js';
import { Part } from './part.js';
import { icon } from './icons.js';
import { Level } from './level.js';
import { NAME_MAX } from './name.js';
import { lock, lockMore, lockName } from './lock.js';
import { problemText } from './strings.js';
import { lobbyStyle } from './lobby.css.js';
import './checks.js';
import './devices.js';

/** Codes of problems whose cause the doctor page finds. */
const FOR_THE_DOCTOR = ['network', 'timeout', 'not-found', 'not-klatch', 'disk-full', 'misconfigured'];

/** @typedef {{code: string, message?: string, kind?: 'audio' | 'video' | 'both' | null}} Problem */

/**
 * @typedef {object} LobbyProps
 * @property {string} room
 * @property {boolean} sealed
 * @property {boolean} sealable whether a sealed link can be made here
 * @property {string} name
 * @property {boolean} joining
 * @property {boolean} asking whether the browser is asking for devices
 * @property {Problem[]} deviceProblems
 * @property {Problem | null} joinProblem
 * @property {import('./entry.js').Entry} entry
 * @property {boolean} elsewhere whether a call in this room runs in another tab
 * @property {import('../klatch/index.js').Media} media
 * @property {string} speaker the id of the chosen loudspeaker
 * @property {() => Promise<string>} api finds where the room API is
 * @property {string | null} doctor the address of the page that finds what is wrong with the host
 * @property {import('./strings.js').Texts} t
 */

/**
 * Emits 'join-wanted' {takeOver} (undefined where there is nothing to choose), 'join-cancelled', 'name-written' {name}, 'toggle-mic', 'toggle-cam',
 * 'password-written' {password}, 'devices-wanted' (try again), 'device-chosen' {mic}, {cam} or {speaker}, 'seal-wanted'.
 * @extends {Part<LobbyProps>}
 */
export class KlatchLobby extends Part {
  /** @override */
  static styles = [lobbyStyle];

  /** @type {Level | null} */
  #level = null;
  /** @type {MediaStreamTrack | null} */
  #heard = null;
  /** @type {Problem | null} */
  #told = null;

  /** @override */
  view() {
    const { t, room, name, joining, elsewhere, media, sealed, speaker } = this.props;
    const entry = this.#entry();
    return html`<div class="lobby" part="lobby" @focus-lost=${this.takeFocus}>
      <header>
        <h1>${t('lobby.heading')}</h1>
        <p class="room" part="title">${lock(t, sealed)}<b>${room}</b></p>
      </header>
      ${this.#preview()}
      <form @submit=${this.#submit}>
        ${this.#problems()}
        <div role="status" class="problems" ?data-none=${entry === nothing}>${entry}</div>
        <label class="field" part="name-field"><span>${t('lobby.name')}</span>
          <input name="name" autocomplete="nickname" maxlength=${NAME_MAX} placeholder=${t('lobby.name.hint')}
            .value=${live(name)} ?disabled=${joining} @input=${this.#named}></label>
        ${this.#password()}
        <klatch-devices part="devices" data-beside .props=${{ media, t, speaker, kinds: ['mic', 'cam'] }} @device-chosen=${this.relay}></klatch-devices>
        <div class="act ${elsewhere && !joining ? 'stacked' : ''}" tabindex="-1">${this.#ways()}</div>
        <klatch-devices part="devices" .props=${{ media, t, speaker, kinds: ['speaker'] }} @device-chosen=${this.relay}></klatch-devices>
        <klatch-checks part="checks" .props=${{ media, t, speaker, api: this.props.api }}></klatch-checks>
        <p class="small" part="privacy"><b>${lockName(t, sealed)}.</b> ${lockMore(t, sealed)} ${t('lobby.privacy')}</p>
        ${this.#seal()}
      </form>
    </div>`;
  }

  /** @override */
  drawn() {
    const { media } = this.props;
    const video = /** @type {HTMLVideoElement} */ (this.need('video'));
    // An element that waits for a picture that never comes holds up the page's load event.
    const stream = media.cam ? media.stream : null;
    if (video.srcObject !== stream) video.srcObject = stream;
    this.#listen();
    this.#askAgain();
  }

  /** @override */
  left() {
    this.#level?.stop();
    this.#level = null;
    this.#heard = null;
  }

  /** The way in or out, which stands in one place. @override */
  takeFocus() {
    this.need('.act').focus({ preventScroll: true });
  }

  /** The password is what is to be written next. */
  #askAgain() {
    const { joinProblem, joining } = this.props;
    if (joining || joinProblem === this.#told) return;
    this.#told = joinProblem;
    if (joinProblem?.code.startsWith('password-')) /** @type {HTMLInputElement | null} */ (this.find('[name=password]'))?.select();
  }

  #password() {
    const { t, joining, entry } = this.props;
    if (!entry.asked.password) return nothing;
    return html`<label class="field"><span>${t('lobby.password')}</span>
      <input name="password" type="password" autocomplete="off" .value=${live(entry.password)} ?disabled=${joining}
        @input=${this.#passwordWritten}></label>`;
  }

  /** @param {InputEvent} event */
  #passwordWritten(event) {
    if (event.target instanceof HTMLInputElement) this.emit('password-written', { password: event.target.value });
  }

  /** What the room asks of newcomers, and how that stands. */
  #entry() {
    const { t, joining, entry, joinProblem } = this.props;
    const { waiting, asked } = entry;
    if (joining && waiting) {
      return html`<div class="problem told">${icon('door')}<div><p class="title">${t('lobby.waiting')}</p>
        <p>${t(waiting.hosts > 0 ? 'lobby.waiting.more' : 'lobby.waiting.nobody')}</p></div></div>`;
    }
    // What was just said need not be said twice.
    if (joining || joinProblem?.code === 'room-locked') return nothing;
    const said = asked.locked ? t('lobby.locked') : asked.lobby ? t('lobby.lobby') : '';
    return said ? html`<div class="problem told">${icon('door')}<div><p>${said}</p></div></div>` : nothing;
  }

  #preview() {
    const { t, media, asking } = this.props;
    return html`<figure class="preview" part="preview" ?data-off=${!media.cam} aria-label=${t('lobby.preview')}>
      <video autoplay playsinline .muted=${true} aria-hidden="true" tabindex="-1"></video>
      ${media.cam ? nothing : html`<p class="off">${asking ? t('lobby.asking') : t('lobby.cameraOff')}</p>`}
      <div class="toggles">
        ${this.#toggle('mic', media.mic)}
        ${this.#toggle('cam', media.cam)}
      </div>
    </figure>`;
  }

  /** What leads into the call from here. */
  #ways() {
    const { t, joining, elsewhere } = this.props;
    if (joining) {
      const words = t(this.props.entry.waiting ? 'lobby.waiting.short' : 'lobby.joining');
      return html`<p class="joining" role="status"><span class="spinner"></span>${words}</p>
        <button type="button" part="button" class="button" @click=${() => this.emit('join-cancelled')}>${t('lobby.cancel')}</button>`;
    }
    if (!elsewhere) return html`<button part="button primary-button join-button" class="button primary join">${t('lobby.join')}</button>`;
    return html`<button part="button primary-button" class="button primary join">${t('lobby.takeOver')}</button>
      <button type="button" part="button" class="button" @click=${() => this.emit('join-wanted', { takeOver: false })}>
        ${t('lobby.another')}</button>`;
  }

  #seal() {
    const { t, sealed, sealable, joining } = this.props;
    if (sealed || !sealable || joining) return nothing;
    return html`<button type="button" part="button seal-button" class="button seal" @click=${() => this.emit('seal-wanted')}>
      ${icon('lock')}${t('room.seal')}</button>`;
  }

  /** @param {'mic' | 'cam'} kind @param {boolean} on */
  #toggle(kind, on) {
    const label = this.props.t(`device.${kind}`);
    const sign = kind === 'mic' ? 'mic' : 'camera';
    return html`<button type="button" class="toggle" part=${kind === 'mic' ? 'mic-button' : 'camera-button'} aria-pressed=${on} aria-label=${label} title=${label}
      @click=${() => this.emit(`toggle-${kind}`)}>
      ${kind === 'mic' && on ? html`<span class="level"></span>` : nothing}${icon(on ? sign : `${sign}-off`)}
    </button>`;
  }

  #problems() {
    const { t, deviceProblems, joinProblem, elsewhere } = this.props;
    const curable = deviceProblems.some(({ code }) => code !== 'insecure-context');
    const none = !elsewhere && !joinProblem && deviceProblems.length === 0;
    return html`<div role="alert" class="problems" ?data-none=${none}>
      ${elsewhere ? html`<div class="problem told">${icon('tabs')}<div>
        <p class="title">${t('lobby.elsewhere')}</p><p>${t('lobby.elsewhere.more')}</p></div></div>` : nothing}
      ${joinProblem ? this.#problem(joinProblem, joinProblem.code === 'password-missing' ? 'told' : 'grave') : nothing}
      ${deviceProblems.map((problem) => this.#problem(problem, ''))}
      ${deviceProblems.length === 0 ? nothing : html`<div class="without">
        <p>${t('lobby.without')}</p>
        ${curable ? html`<button type="button" part="button" class="button" @click=${() => this.emit('devices-wanted')}>
          ${t('lobby.retry')}</button>` : nothing}
      </div>`}
    </div>`;
  }

  /** @param {Problem} problem @param {string} kind */
  #problem(problem, kind) {
    const { t, doctor } = this.props;
    const { title, more } = problemText(t, problem);
    const sick = doctor !== null && FOR_THE_DOCTOR.includes(problem.code);
    return html`<div class="problem ${kind}">
      ${icon('warning')}<div><p class="title">${title}</p><p>${more}</p>
      ${sick ? html`<p><a href=${doctor}>${t('lobby.doctor')}</a></p>` : nothing}</div></div>`;
  }

  /** @param {SubmitEvent} event */
  #submit(event) {
    event.preventDefault();
    const { joining, elsewhere } = this.props;
    if (!joining) this.emit('join-wanted', elsewhere ? { takeOver: true } : {});
  }

  /** @param {InputEvent} event */
  #named(event) {
    if (event.target instanceof HTMLInputElement) this.emit('name-written', { name: event.target.value });
  }

  /** Follow the microphone that there is now with the level hint. */
  #listen() {
    const { media } = this.props;
    const track = media.mic ? media.stream.getAudioTracks()[0] ?? null : null;
    if (track === this.#heard) return;
    this.#heard = track;
    this.#level?.stop();
    this.#level = track && new Level(new MediaStream([track]), (level) => {
      this.find('.level')?.style.setProperty('--level', level.toFixed(2));
    });
  }
}

define('klatch-lobby', KlatchLobby);

// One person in the grid: the picture or the initial, name, microphone, camera and how the
// connection to them is. Plays their sound too; of oneself it shows the mirrored preview.
import { html, nothing } from '../vendor/lit-html/lit-html.js';
import { define } from './define.js';
import { Part } from './part.js';
import { can } from './can.js';
import { icon } from './icons.js';
import { stateMore, stateText } from './paths.js';
import { tileStyle } from './tile.css.js';

/**
 * @typedef {object} TileProps
 * @property {object} key what stays the same for this tile, when the person's id changes too
 * @property {object} person whose it is
 * @property {boolean} screen whether it shows their screen, else themselves
 * @property {boolean} large
 * @property {boolean} pinned
 * @property {boolean} speaking
 * @property {number} volume 0 to 1, here
 * @property {boolean} silenced here
 * @property {string} speaker where their sound is played; empty for the browser's choice
 * @property {string} id
 * @property {string} name
 * @property {boolean} mine
 * @property {'connecting' | 'connected' | 'reconnecting' | 'no-path' | 'away'} state
 * @property {MediaStream | null} stream
 * @property {boolean} mic
 * @property {boolean} cam
 * @property {boolean} plain
 * @property {boolean} [host] whether they are a host of the room
 * @property {'bits' | 'still' | 'choice' | 'own' | 'frozen' | null} [paused] why the picture stands still
 * @property {(heightPx: number) => void} [show] is told the picture's height on the screen, 0 for none
 * @property {boolean} [outside] whether they came by another link
 * @property {string} [via] who passes on text and files, where there is no path
 * @property {import('./strings.js').Texts} t
 */

/** How many hues there are for people without a picture; tile.css.js names them. */
const HUES = 8;
/** A picture of which less than this would be seen in its tile is shown whole, not cut. */
const SEEN_MIN = 0.5;

/**
 * Emits 'sound-blocked' when the browser wants a tap before it plays sound (play() is to be
 * called from within that tap), 'open-menu' {key} and, at a double click, 'tile-act' {act, key}.
 * @extends {Part<TileProps>}
 */
export class KlatchTile extends Part {
  /** @override */
  static styles = [tileStyle];

  #blocked = false;
  #sink = '';
  #sizes = new ResizeObserver(() => this.#tellSize());

  /** @override */
  entered() {
    this.#sizes.observe(this);
  }

  #tellSize() {
    this.props.show?.(this.offsetHeight * devicePixelRatio);
  }

  /** @override */
  view() {
    const { t, key, name, mine, state, mic, cam, plain, screen, speaking, silenced, host } = this.props;
    const shown = screen ? t('person.screenOf', { name }) : mine ? `${name} (${t('person.you')})` : name;
    const picture = this.#hasPicture();
    return html`
      <div part="tile" class="tile hue-${hueOf(this.props.id)}" role="group" aria-label=${this.#label()}
        data-state=${state} ?data-picture=${picture} ?data-mine=${mine && !screen} ?data-screen=${screen}
        ?data-speaking=${speaking && !screen} @dblclick=${() => this.emit('tile-act', { act: 'pin', key })}>
        <video autoplay playsinline disablepictureinpicture aria-hidden="true" tabindex="-1"
          @resize=${this.update} @loadedmetadata=${this.#fit}></video>
        ${picture ? nothing : html`<span class="initial" aria-hidden="true">${initialOf(name)}</span>`}
        ${state === 'connected' ? this.#pausedMark() : this.#stateCover()}
        <div class="strip" part="tile-name" aria-hidden="true">
          <span class="dot"></span>
          ${screen ? icon('screen') : nothing}
          ${host && !screen ? html`<span class="host" title=${t('person.host')}>${icon('host')}</span>` : nothing}
          <span class="name" dir="auto">${shown}</span>
          ${plain ? html`<span class="tag" title=${t('person.plain.more')}>${t('person.plain')}</span>` : nothing}
          ${mic || screen ? nothing : icon('mic-off')}
          ${cam || screen ? nothing : icon('camera-off')}
          ${silenced ? icon('sound-off') : nothing}
        </div>
        <button class="menu" part="menu-button" aria-haspopup="dialog" aria-label=${t('person.menu', { name: shown })}
          title=${t('person.menu', { name: shown })} @dblclick=${(/** @type {Event} */ event) => event.stopPropagation()}
          @click=${() => this.emit('open-menu', { key })}>${icon('more')}</button>
      </div>`;
  }

  /** @override */
  drawn() {
    const video = this.#video();
    this.#tune(video);
    // An element that waits for tracks that never come holds up the page's load event.
    const stream = this.props.stream?.getTracks().length ? this.props.stream : null;
    if (video.srcObject !== stream) {
      video.srcObject = stream;
      if (stream) this.play().catch(() => {});
    }
    this.#fit();
  }

  /** @override */
  left() {
    this.#sizes.disconnect();
    this.props.show?.(0);
    const video = /** @type {HTMLVideoElement | null} */ (this.find('video'));
    if (video) video.srcObject = null;
  }

  /** Play with sound; where that needs a tap, play silently and say so. */
  async play() {
    const video = this.#video();
    this.#blocked = false;
    this.#tune(video);
    try {
      await video.play();
    } catch (error) {
      if (!(error instanceof DOMException) || error.name !== 'NotAllowedError') return;
      this.#blocked = true;
      this.#tune(video);
      this.emit('sound-blocked');
      await video.play().catch(() => {});
    }
  }

  /** Show this tile alone, or all again. Call it from a click. */
  fullScreen() {
    const full = document.fullscreenElement === null ? this.requestFullscreen() : document.exitFullscreen();
    full.catch(() => {});
  }

  /** Show the picture in a window of its own that stays in front, or back here. Call it from a click. */
  ownWindow() {
    const video = this.#video();
    video.disablePictureInPicture = false;
    const root = /** @type {ShadowRoot} */ (this.shadowRoot);
    const moved = root.pictureInPictureElement ? document.exitPictureInPicture() : video.requestPictureInPicture();
    moved.catch(() => {});
  }

  /** How loud, and where. @param {HTMLVideoElement} video */
  #tune(video) {
    const { mine, volume, silenced, speaker } = this.props;
    video.muted = mine || silenced || this.#blocked;
    video.volume = volume;
    if (speaker === this.#sink || mine || !can('speaker')) return;
    this.#sink = speaker;
    // One that was pulled out gives way to the browser's choice.
    video.setSinkId(speaker).catch(() => video.setSinkId('')).catch(() => {});
  }

  #video() {
    return /** @type {HTMLVideoElement} */ (this.need('video'));
  }

  #hasPicture() {
    const { cam, screen, stream, paused } = this.props;
    if (!(cam || screen) || stream === null || stream.getVideoTracks().length === 0) return false;
    // The last picture stays. Where none ever came there is nothing to see.
    const video = /** @type {HTMLVideoElement | null} */ (this.find('video'));
    return !paused || Boolean(video?.videoWidth);
  }

  #fit() {
    const video = this.#video();
    const box = video.getBoundingClientRect();
    if (!video.videoWidth || !box.height) return;
    const shape = (video.videoWidth / video.videoHeight) / (box.width / box.height);
    video.toggleAttribute('data-whole', this.props.screen || Math.min(shape, 1 / shape) < SEEN_MIN);
  }

  #stateCover() {
    const { t, state } = this.props;
    const more = stateMore(t, this.props);
    const sign = state === 'no-path' ? icon('no-path') : state === 'away' ? icon('clock')
      : html`<span class="spinner"></span>`;
    return html`<div class="cover" aria-hidden="true">
      <p>${sign}<span>${stateText(t, this.props)}</span></p>
      ${more ? html`<p class="more">${more}</p>` : nothing}
    </div>`;
  }

  #pausedMark() {
    const { t, paused, cam } = this.props;
    if (!paused || !cam || this.props.screen) return nothing;
    return html`<div class="cover" aria-hidden="true"><p>${icon('pause')}<span>${t(`person.paused.${paused}`)}</span></p></div>`;
  }

  #label() {
    const { t, name, mine, mic, cam, screen, paused, silenced, host } = this.props;
    if (screen) return t('person.screenOf', { name: mine ? `${name} (${t('person.you')})` : name });
    const parts = [mine ? `${name} (${t('person.you')})` : name];
    if (host) parts.push(t('person.host'));
    if (!mine) parts.push(stateText(t, this.props));
    if (!mic) parts.push(t('person.micOff'));
    if (!cam) parts.push(t('person.camOff'));
    else if (paused) parts.push(t(`person.paused.${paused}`));
    if (silenced) parts.push(t('person.silenced'));
    return parts.join(', ');
  }
}

/** @param {string} name */
function initialOf(name) {
  // Older browsers can't tell where a letter of several characters ends.
  const letters = Intl.Segmenter ? [...new Intl.Segmenter().segment(name)].map(({ segment }) => segment) : [...name];
  return (letters[0] ?? '?').toLocaleUpperCase();
}

/** The same hue for the same person on every screen. @param {string} id */
function hueOf(id) {
  let sum = 0;
  for (const letter of id) sum = (sum * 31 + letter.charCodeAt(0)) % 65521;
  return sum % HUES;
}

define('klatch-tile', KlatchTile);

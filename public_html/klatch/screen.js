/* screen: what this person shares of their screen, as one MediaStream beside that of
 * microphone and camera. The stream object stays the same; its tracks come and go. */

import { Emitter } from './events.js';
import { KlatchProblem } from './problem.js';

/** Enough for slides and for scrolling; more would take bits from the sharpness. */
const FRAMES = { ideal: 10, max: 15 };
/** The sound is played as it is: these are for voices. */
const SOUND = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
/** Browsers that don't know one of these ignore it. */
const OFFERED = { selfBrowserSurface: 'exclude', surfaceSwitching: 'include', systemAudio: 'include' };

/**
 * @typedef {object} ScreenEvents
 * @property {null} change it began or ended
 * @property {KlatchProblem} problem
 */

/** @extends {Emitter<ScreenEvents>} */
export class ScreenShare extends Emitter {
  /** What is shared; always the same object. */
  stream = new MediaStream();
  #asking = false;
  /** Counts endings, so that what is chosen after one is given back. */
  #stops = 0;

  get live() {
    return this.stream.getVideoTracks().length > 0;
  }

  /**
   * Ask the person which screen, window or tab. Who changes their mind hears nothing.
   * @returns {Promise<void>}
   */
  async start() {
    if (this.live || this.#asking) return;
    this.#asking = true;
    const stops = this.#stops;
    try {
      const got = await navigator.mediaDevices.getDisplayMedia(/** @type {DisplayMediaStreamOptions} */ ({
        video: { frameRate: FRAMES }, audio: { ...SOUND, restrictOwnAudio: true }, ...OFFERED,
      }));
      for (const track of got.getTracks()) {
        if (stops === this.#stops) this.#put(track);
        else track.stop();
      }
      if (this.live) this.emit('change', null);
    } catch (error) {
      this.#refused(error);
    } finally {
      this.#asking = false;
    }
  }

  stop() {
    this.#stops += 1;
    const tracks = this.stream.getTracks();
    for (const track of tracks) {
      track.stop();
      this.stream.removeTrack(track);
    }
    if (tracks.length > 0) this.emit('change', null);
  }

  /** @param {MediaStreamTrack} track */
  #put(track) {
    if (track.kind === 'video') track.contentHint = 'detail';
    this.stream.addTrack(track);
    // Not by our stop(), which makes no event: the browser's own bar, or the window is gone.
    track.addEventListener('ended', () => {
      if (!this.stream.getTracks().includes(track)) return;
      if (track.kind === 'video') this.stop();
      else this.stream.removeTrack(track);
    });
  }

  /** @param {unknown} error */
  #refused(error) {
    const { name, message } = error instanceof Error ? error : new Error();
    // The person closed the browser's question; only the system's own refusal is news.
    if (name === 'NotAllowedError' && !/system/i.test(message)) return;
    this.emit('problem', new KlatchProblem(name === 'NotAllowedError' ? 'screen-refused' : 'screen-failed'));
  }
}

/* own: this person: what the others are told of them, and what is sent of their media. */

import { NAME_CHARACTERS_MAX } from './member.js';

/** @typedef {import('./media.js').Media} Media */

export class Own {
  #media;
  /** What others are told; screen is the id of the stream that is shared. */
  #state = { name: '', mic: false, cam: false, screen: /** @type {string | null} */ (null) };

  /**
   * @param {string} name
   * @param {Media | null} media
   */
  constructor(name, media) {
    this.#media = media;
    this.rename(name);
  }

  get state() {
    return this.#state;
  }

  /** Which pictures there are. */
  get sources() {
    return { camera: this.#state.cam, screen: this.#state.screen !== null };
  }

  /** @returns {import('./connection.js').Tracks} */
  get tracks() {
    const stream = this.#media?.stream;
    return {
      audio: stream?.getAudioTracks()[0] ?? null,
      video: stream?.getVideoTracks()[0] ?? null,
      screen: this.#media?.screen?.stream ?? null,
    };
  }

  /** @param {unknown} name */
  rename(name) {
    this.#state = { ...this.#state, name: String(name).trim().slice(0, NAME_CHARACTERS_MAX) };
  }

  /**
   * See what is on now.
   * @returns {boolean} whether that is something else than before
   */
  read() {
    const before = this.#state;
    const mic = this.#media?.mic ?? false;
    const cam = this.#media?.cam ?? false;
    const screen = this.#media?.screen?.live ? this.#media.screen.stream.id : null;
    this.#state = { ...before, mic, cam, screen };
    return mic !== before.mic || cam !== before.cam || screen !== before.screen;
  }
}

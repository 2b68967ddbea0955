/* own: this person: what the others are told of them, and what is sent of their media. Who hands in
 * no media gets one when something of it is first turned on; it ends with the room. */

import { KlatchProblem } from './problem.js';
import { Media } from './media.js';
import { NAME_CHARACTERS_MAX } from './member.js';

/** @typedef {{changed: () => void, problem: (problem: KlatchProblem) => void}} Heard */

export class Own {
  #media;
  #data;
  /** Told of the media, from joining to leaving. @type {Heard | null} */
  #heard = null;
  /** @type {(() => void)[]} */
  #undo = [];
  /** What others are told; screen is the id of the stream that is shared. */
  #state = { name: '', mic: false, cam: false, screen: /** @type {string | null} */ (null) };

  /**
   * @param {string} name
   * @param {Media | null} media
   * @param {boolean} data whether there never is any
   */
  constructor(name, media, data) {
    this.#media = data ? null : media;
    this.#data = data;
    this.rename(name);
  }

  get media() {
    return this.#media;
  }

  /**
   * From now on.
   * @param {Heard} heard problem is told for media that is made here alone
   * @returns {() => void} ends it
   */
  listen(heard) {
    this.#heard = heard;
    if (this.#media) this.#undo.push(this.#media.on('change', heard.changed));
    return () => {
      this.#heard = null;
      for (const undo of this.#undo.splice(0)) undo();
    };
  }

  /**
   * @param {boolean} on
   * @returns {Promise<boolean>} whether it is on now
   */
  async microphone(on) {
    const media = this.#open(on);
    await media?.setMic(on);
    return media?.mic ?? false;
  }

  /**
   * @param {boolean} on
   * @returns {Promise<boolean>}
   */
  async camera(on) {
    const media = this.#open(on);
    await media?.setCam(on);
    return media?.cam ?? false;
  }

  /**
   * @param {boolean} on
   * @returns {Promise<boolean>}
   */
  async share(on) {
    const screen = this.#open(on)?.screen;
    if (on) await screen?.start();
    else screen?.stop();
    return screen?.live ?? false;
  }

  /** @param {boolean} on whether it is asked for to turn something on */
  #open(on) {
    if (on && this.#data) throw new KlatchProblem('data-only');
    const heard = this.#heard;
    if (!this.#media && on && heard) {
      const media = this.#media = new Media();
      this.#undo.push(media.on('change', heard.changed), media.on('problem', ({ detail }) => heard.problem(detail)), () => {
        media.close();
        this.#media = null;
      });
    }
    return this.#media;
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

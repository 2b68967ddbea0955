/* stillness: whether a picture that should move stands still. Browsers count a freeze only when
 * it is over. Firefox sends the last picture again each second, so that one of its own
 * is never seen to stand still. Time is handed in. */

/** A camera in the dark gives few pictures, and a busy processor decodes late. */
const FROZEN_MS = 5_000;
/** Readings that are further apart than this tell that the page slept. */
const STEP_MS_MAX = 3_000;

export class Stillness {
  /** @type {number | null} */
  #readMs = null;
  #stoodMs = 0;

  /**
   * @param {number} nowMs
   * @param {number | null} fps since the last reading; null where no picture has to move
   * @returns {boolean} whether it has stood still for long
   */
  read(nowMs, fps) {
    const stepMs = Math.min(nowMs - (this.#readMs ?? nowMs), STEP_MS_MAX);
    this.#readMs = nowMs;
    this.#stoodMs = fps === 0 ? this.#stoodMs + stepMs : 0;
    return this.#stoodMs >= FROZEN_MS;
  }
}

/* relays: passwords of relays that expire, renewed before they do. What stands goes on
 * with the former ones; the new ones count when a connection looks for a path again, by
 * itself or asked by the other side, so every connection is told them at once. */

const PART = 0.75;
const AGAIN_PART = 1 / 20;
const AGAIN_MS_MIN = 1_000;
const AGAIN_MS_MAX = 30_000;
/** A page that slept finds its timers late: they are looked after this often. */
const LOOK_MS_MAX = 30_000;

/** @typedef {import('./signaling.js').Signaling} Signaling */
/** @typedef {import('./member.js').Member} Member */

export class Relays {
  #signaling;
  #members;
  #dueMs = 0;
  #closed = false;
  #renewing = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {Signaling} signaling
   * @param {() => Member[]} members everybody else
   */
  constructor(signaling, members) {
    this.#signaling = signaling;
    this.#members = members;
  }

  /** These are new: hand them on, and have others in time. */
  hold() {
    const { iceServers, iceLifetimeMs } = this.#signaling;
    for (const member of this.#members()) member.relays(iceServers);
    this.#dueMs = Date.now() + iceLifetimeMs * PART;
    this.look();
  }

  /** Is it time? Never, where the server has no passwords any more. */
  look() {
    clearTimeout(this.#timer);
    if (this.#closed || this.#renewing || this.#signaling.iceLifetimeMs === 0) return;
    const leftMs = this.#dueMs - Date.now();
    if (leftMs <= 0) void this.#renew();
    else this.#timer = setTimeout(() => this.look(), Math.min(leftMs, LOOK_MS_MAX));
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  async #renew() {
    this.#renewing = true;
    // A key that is worth nothing any more is noticed where mail is read, and replaced there.
    const renewed = await this.#signaling.renewIce().catch(() => false);
    this.#renewing = false;
    if (renewed) {
      this.hold();
    } else {
      const againMs = this.#signaling.iceLifetimeMs * AGAIN_PART;
      this.#dueMs = Date.now() + Math.min(Math.max(againMs, AGAIN_MS_MIN), AGAIN_MS_MAX);
      this.look();
    }
  }
}

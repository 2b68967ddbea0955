/* timing: waiting that can be cut short, growing pauses, the end of this turn. */

/** Pauses that double from `firstMs` to `mostMs`, each somewhere between its half and its whole. */
export class Backoff {
  #firstMs;
  #mostMs;
  #random;
  #tries = 0;

  /** @param {{firstMs?: number, mostMs?: number, random?: () => number}} [options] */
  constructor({ firstMs = 300, mostMs = 15_000, random = Math.random } = {}) {
    this.#firstMs = firstMs;
    this.#mostMs = mostMs;
    this.#random = random;
  }

  /**
   * @param {number} [leastMs] what the server asked for
   * @returns {number} ms to wait before the next try
   */
  next(leastMs = 0) {
    const whole = Math.min(this.#mostMs, this.#firstMs * 2 ** this.#tries);
    this.#tries = Math.min(this.#tries + 1, 30);
    // On top of what the server asked for too, else everybody comes back at once.
    return leastMs + whole * (0.5 + this.#random() / 2);
  }

  reset() {
    this.#tries = 0;
  }
}

/** Sleeps that all end early when something says that waiting is pointless now. */
export class Naps {
  /** @type {Set<() => void>} */
  #sleepers = new Set();

  /**
   * @param {number} ms
   * @returns {Promise<void>}
   */
  sleep(ms) {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.#sleepers.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      this.#sleepers.add(wake);
    });
  }

  wake() {
    for (const wake of [...this.#sleepers]) wake();
  }
}

/**
 * @param {number} ms
 * @returns {Promise<void>}
 */
export function sleep(ms) {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/**
 * Resolves when what runs now has run. A message rather than a timer: background
 * tabs get their timers once a second.
 * @returns {Promise<void>}
 */
export function endOfTurn() {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

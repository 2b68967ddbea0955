/* events: an EventTarget whose events and their details stand in one map, so that the type
 * checker knows what each listener is given, by on() as by addEventListener(). */

/** @typedef {import('./member.js').Person} Person */

/**
 * @template D
 * @typedef {((event: CustomEvent<D>) => void) | {handleEvent(event: CustomEvent<D>): void}} Listener
 */

/**
 * @template {Record<string, any>} M event name → detail
 * @typedef {{
 *   addEventListener<K extends keyof M & string>(type: K, listener: Listener<M[K]> | null,
 *     options?: boolean | AddEventListenerOptions): void,
 *   removeEventListener<K extends keyof M & string>(type: K, listener: Listener<M[K]> | null,
 *     options?: boolean | EventListenerOptions): void,
 *   dispatchEvent(event: Event): boolean,
 * }} Typed
 */

const Target = /** @type {new <M extends Record<string, any>>() => Typed<M>} */ (/** @type {unknown} */ (EventTarget));

/**
 * @template {Record<string, any>} M event name → detail
 * @extends {Target<M>}
 */
export class Emitter extends Target {
  /**
   * @template {keyof M & string} K
   * @param {K} type
   * @param {M[K]} detail
   */
  emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  /**
   * Listen; the function that comes back stops it.
   * @template {keyof M & string} K
   * @param {K} type
   * @param {(event: CustomEvent<M[K]>) => void} listener
   * @param {AddEventListenerOptions} [options]
   * @returns {() => void}
   */
  on(type, listener, options) {
    this.addEventListener(type, listener, options);
    return () => this.removeEventListener(type, listener);
  }
}

/**
 * Tells who listens late of the people who are there already.
 * @template {Record<string, any>} M
 * @extends {Emitter<M>}
 */
export class LateEmitter extends Emitter {
  /** Listeners that are still to be told. @type {Set<EventTarget>} */
  #late = new Set();

  /**
   * Of whom a listener for this has not heard.
   * @param {string} _type
   * @returns {Person[]}
   */
  missed(_type) {
    return [];
  }

  /**
   * As everywhere; what is told already is told to this listener alone, at the end of this turn
   * and marked `already`.
   * @override
   * @template {keyof M & string} K
   * @param {K} type
   * @param {Listener<M[K]> | null} listener
   * @param {boolean | AddEventListenerOptions} [options]
   */
  addEventListener(type, listener, options) {
    super.addEventListener(type, listener, options);
    const people = this.missed(type);
    if (people.length === 0) return;
    // A target of its own does with the listener's kind, its errors and its signal what every target does.
    const alone = new EventTarget();
    alone.addEventListener(type, /** @type {any} */ (listener), options);
    this.#late.add(alone);
    queueMicrotask(() => {
      const present = this.missed(type);
      for (const person of people) {
        if (!present.includes(person)) continue;
        if (typeof options === 'object' && options.once) super.removeEventListener(type, listener, options);
        alone.dispatchEvent(new CustomEvent(type, { detail: { person, already: true } }));
      }
      this.#late.delete(alone);
    });
  }

  /**
   * @override
   * @template {keyof M & string} K
   * @param {K} type
   * @param {Listener<M[K]> | null} listener
   * @param {boolean | EventListenerOptions} [options]
   */
  removeEventListener(type, listener, options) {
    super.removeEventListener(type, listener, options);
    for (const alone of this.#late) alone.removeEventListener(type, /** @type {any} */ (listener), options);
  }
}

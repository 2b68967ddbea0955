/* events: an EventTarget whose events and their details stand in one map, so that the type
 * checker knows what each listener is given, by on() as by addEventListener(). */

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

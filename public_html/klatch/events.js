/**
 * An EventTarget whose events and their details stand in one map, so that the
 * type checker knows what each listener is given.
 * @template {Record<string, any>} M event name → detail
 */
export class Emitter extends EventTarget {
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
    const plain = /** @type {EventListener} */ (/** @type {unknown} */ (listener));
    this.addEventListener(type, plain, options);
    return () => this.removeEventListener(type, plain);
  }
}

// The base of every part of the page: a custom element with a shadow root that draws itself
// from its `props` with lit-html. It owns no state of the call; a part that keeps something
// of its own (an open dialog, a draft) keeps it in private fields and calls update().
import { render, nothing } from '../vendor/lit-html/lit-html.js';
import { base } from './base.css.js';

/**
 * Parts are drawn once per microtask however often they are changed. Nothing is drawn while
 * the part is outside the document or before it has its first props.
 * @template {object} P
 */
export class Part extends HTMLElement {
  /** Style sheets of this kind of part. @type {CSSStyleSheet[]} */
  static styles = [];

  /** @type {P | null} */
  #props = null;
  #queued = false;
  /** @type {ShadowRoot} */
  #root;
  /** @type {AbortController | null} */
  #life = null;

  constructor() {
    super();
    this.#root = this.attachShadow({ mode: 'open' });
    const kind = /** @type {typeof Part} */ (this.constructor);
    this.#root.adoptedStyleSheets = [base, ...kind.styles];
  }

  /** @returns {P} */
  get props() {
    if (this.#props === null) throw new Error(`${this.localName} was drawn without props`);
    return this.#props;
  }

  /** @param {P} props */
  set props(props) {
    this.#props = props;
    this.update();
  }

  /** Ends when the part leaves the document; give it to every listener outside the part. */
  get life() {
    this.#life ??= new AbortController();
    return this.#life.signal;
  }

  connectedCallback() {
    this.update();
  }

  disconnectedCallback() {
    this.#life?.abort();
    this.#life = null;
  }

  update() {
    if (this.#queued) return;
    this.#queued = true;
    queueMicrotask(() => {
      this.#queued = false;
      if (this.#props === null || !this.isConnected) return;
      render(this.view(), this.#root, { host: this });
      this.drawn();
    });
  }

  /** What the part looks like now, for lit-html. @returns {unknown} */
  view() {
    return nothing;
  }

  /** After each drawing: measure, focus, hand streams to media elements. */
  drawn() {}

  /**
   * The first element in the shadow root that matches, which must be there.
   * @param {string} selector @returns {HTMLElement}
   */
  need(selector) {
    const found = this.find(selector);
    if (!found) throw new Error(`${this.localName} has no ${selector}`);
    return found;
  }

  /** @param {string} selector @returns {HTMLElement | null} */
  find(selector) {
    return this.#root.querySelector(selector);
  }

  /**
   * Tell whoever holds this part. Bubbles inside the holder's shadow root and no further.
   * @param {string} type @param {unknown} [detail]
   */
  emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true }));
  }

  /** Pass on what a part inside this one told. @param {CustomEvent} event */
  relay(event) {
    this.emit(event.type, event.detail);
  }
}

// The base of every part of the page: a custom element with a shadow root that draws itself
// from its `props` with lit-html. It owns no state of the call; a part that keeps something
// of its own (an open dialog, a draft) keeps it in private fields and calls update().
import { render, nothing } from '../vendor/lit-html/lit-html.js';
import { base } from './base.css.js';
import { EXPORTED } from './part-names.js';

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
  #here = false;
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

  /** Ends when the part has left the document; give it to every listener outside the part. */
  get life() {
    this.#life ??= new AbortController();
    return this.#life.signal;
  }

  connectedCallback() {
    if (this.#here) this.#moved();
    else {
      this.#here = true;
      if (this.#holder()) this.setAttribute('exportparts', EXPORTED);
      this.entered();
    }
    this.update();
  }

  disconnectedCallback() {
    // A part that its holder still has went out with the whole element, which may just be on its way to
    // another place in the page.
    if (this.movable) setTimeout(() => this.#gone());
    else this.#gone();
  }

  /** Whether what is taken out of the document may come back in the same task, and goes on then. @returns {boolean} */
  get movable() {
    return this.#holder() !== null;
  }

  /** In the document now: listen to what is outside. Not called where it was only moved. */
  entered() {}

  /** Out of the document for good: let go of everything. */
  left() {}

  /** Whether it is in the document, or on its way within it. */
  get here() {
    return this.#here;
  }

  /** @returns {Element | null} */
  #holder() {
    const root = this.getRootNode();
    return root instanceof ShadowRoot && root.host instanceof Part ? root.host : null;
  }

  #moved() {
    // A dialog loses its place above the page and would stand in it.
    for (const dialog of this.#root.querySelectorAll('dialog')) if (dialog.open) dialog.close();
  }

  #gone() {
    if (this.isConnected || !this.#here) return;
    this.#here = false;
    this.#life?.abort();
    this.#life = null;
    this.left();
  }

  /** Nothing is drawn any more. */
  clear() {
    render(nothing, this.#root, { host: this });
  }

  update() {
    if (this.#queued) return;
    this.#queued = true;
    queueMicrotask(() => {
      this.#queued = false;
      if (this.#props === null || !this.isConnected) return;
      const held = this.#root.activeElement;
      render(this.view(), this.#root, { host: this });
      this.drawn();
      if (held !== null && this.#lost(held)) this.takeFocus();
    });
  }

  /** Whether what had the focus is gone or disabled, and nothing else has it. @param {Element} held */
  #lost(held) {
    if (held.isConnected) return held.matches(':disabled') && this.#root.activeElement === held;
    return document.activeElement === null || document.activeElement === document.body;
  }

  /** Take the focus of what is gone, so that keyboards and screen readers go on near it; else the holder may. */
  takeFocus() {
    this.emit('focus-lost');
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

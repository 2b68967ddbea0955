// Gives the parts their names, once on a page: where another copy of Klatch, maybe of another version, was
// loaded before this one, that one stays whole, and none of this copy's parts gets among its own.

/** Decided before any part of this copy is named, since each of them imports this module. */
const first = customElements.get('klatch-room') === undefined;

/**
 * @param {string} name
 * @param {CustomElementConstructor} kind
 */
export function define(name, kind) {
  if (first) customElements.define(name, kind);
  else if (name === 'klatch-room') {
    console.warn('Klatch: <klatch-room> is loaded twice on this page. The copy that came first is used.');
  }
}

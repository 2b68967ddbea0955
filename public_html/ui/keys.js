// Keyboard shortcuts of the call. Alt and a letter: no plain letters, which would be caught
// from people who type or speak to their computer, and nothing that browsers reserve.

/** `name` is what aria-keyshortcuts and tooltips say, `code` the place on the keyboard. */
export const shortcuts = Object.freeze({
  mic: { name: 'Alt+M', code: 'KeyM', letter: 'm' },
  cam: { name: 'Alt+C', code: 'KeyC', letter: 'c' },
  chat: { name: 'Alt+T', code: 'KeyT', letter: 't' },
  screen: { name: 'Alt+S', code: 'KeyS', letter: 's' },
});

/** @typedef {keyof typeof shortcuts} Shortcut */

/**
 * Which shortcut a key press is, if any. Where Alt and the letter write a character
 * (Option on a Mac), a text field keeps it.
 * @param {KeyboardEvent} event @returns {Shortcut | null}
 */
export function shortcutOf(event) {
  if (!event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || event.repeat) return null;
  const typing = event.composedPath().some((node) => node instanceof HTMLElement
    && node.matches('input, textarea, select, [contenteditable]'));
  for (const name of /** @type {Shortcut[]} */ (Object.keys(shortcuts))) {
    const { code, letter } = shortcuts[name];
    if (event.key.toLowerCase() === letter || (event.code === code && !typing)) return name;
  }
  return null;
}

/**
 * Whether a key press is meant for `element`: it happened inside, or nowhere in particular
 * and this is the first of its kind on the page.
 * @param {KeyboardEvent} event @param {HTMLElement} element
 */
export function isFor(event, element) {
  if (event.composedPath().includes(element)) return true;
  return event.target === document.body && document.querySelector(element.localName) === element;
}

// What a page around can style by ::part and hide by a word: one name for one thing, whichever part of
// the element draws it.

/** By the word that hides them. @type {Readonly<Record<string, readonly string[]>>} */
export const HIDDEN_BY = Object.freeze({
  title: ['title'],
  count: ['count'],
  invite: ['invite-button', 'invite'],
  mic: ['mic-button', 'talk-switch'],
  camera: ['camera-button'],
  screen: ['screen-button'],
  chat: ['chat-button', 'chat'],
  files: ['file-button'],
  settings: ['settings-button'],
  leave: ['leave-button'],
  menu: ['menu-button'],
  stats: ['stats-button'],
  name: ['name-field'],
  devices: ['devices'],
  checks: ['checks'],
  preview: ['preview'],
  privacy: ['privacy'],
  hosting: ['hosting', 'knocks'],
});

/** What can only be styled. */
const OTHERS = ['lobby', 'card', 'join-button', 'seal-button', 'top', 'banner', 'tile', 'tile-name', 'controls', 'button',
  'primary-button', 'message', 'notice', 'dialog'];

/** Every name, for the attribute `exportparts` of each part within another. */
export const EXPORTED = [...new Set([...Object.values(HIDDEN_BY).flat(), ...OTHERS])].join(', ');

/**
 * @param {ReadonlySet<string>} words of HIDDEN_BY
 * @returns {string} the style that hides what they name, for the root around all parts
 */
export function hidingStyle(words) {
  const parts = [...words].flatMap((word) => HIDDEN_BY[word] ?? []);
  return parts.map((part) => `::part(${part}) { display: none !important; }`).join('\n');
}

/* file-names: what a file is called and said to be, as somebody else's words. */

const NAME_CHARACTERS_MAX = 120;
const NO_NAME = 'file';

/**
 * A name that is only a name: no folders, nothing that isn't seen, no way to look like another
 * kind of file by writing backwards, nothing that hides it.
 * @param {unknown} name
 * @returns {string}
 */
export function cleanFileName(name) {
  const last = (typeof name === 'string' ? name : '').slice(0, 4096).split(/[/\\]/).at(-1) ?? '';
  const seen = last.normalize('NFC')
    .replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, '')
    .replace(/[<>:"|?*]/g, '_')
    .replace(/\s+/g, ' ')
    .replace(/^[. ]+|[. ]+$/g, '');
  const characters = [...seen];
  if (characters.length <= NAME_CHARACTERS_MAX) return seen || NO_NAME;
  // The ending says what it is.
  const ending = /\.[^. ]{1,10}$/u.exec(seen)?.[0] ?? '';
  return characters.slice(0, NAME_CHARACTERS_MAX - [...ending].length).join('') + ending;
}

/**
 * @param {unknown} type
 * @returns {string} empty where it isn't one
 */
export function cleanFileType(type) {
  const text = typeof type === 'string' ? type.toLowerCase() : '';
  return text.length <= 100 && /^[a-z]+\/[a-z0-9.+-]+$/.test(text) ? text : '';
}

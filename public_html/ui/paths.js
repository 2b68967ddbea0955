// How somebody is reached, in words: by a connection, through somebody else, or by text alone.

/** @typedef {import('./strings.js').Texts} Texts */
/** @typedef {Pick<import('./tile.js').TileProps, 'state' | 'outside' | 'plain' | 'via'>} Reached */

/** @param {Texts} t @param {Reached} person */
export function stateText(t, { state, outside, plain, via = '' }) {
  if (outside) return t('outside.person');
  if (state !== 'no-path' || plain) return t(`person.${state}`);
  return via ? t('person.via', { name: via }) : t('person.textOnly');
}

/**
 * What that means, and what would help; empty where there is nothing to say.
 * @param {Texts} t @param {Reached} person
 */
export function stateMore(t, { state, outside, plain, via = '' }) {
  if (state !== 'no-path' || outside) return '';
  if (plain) return t('person.no-path.more');
  return `${via ? t('person.via.more', { name: via }) : t('person.textOnly.more')} ${t('person.no-path.more')}`;
}

/**
 * By what detour a line went or came.
 * @param {Texts} t
 * @param {import('../klatch/chat.js').Message} message
 * @param {(person: {name: string}) => string} nameOf
 * @returns {string[]} a sentence for each
 */
export function detourTexts(t, { mine, detours }, nameOf) {
  return detours.map(({ person, via }) => {
    const values = { name: nameOf(person), via: via ? nameOf(via) : '' };
    if (mine) return via ? t('chat.detour.via', values) : t('chat.detour.mail', values);
    return via ? t('chat.detour.cameVia', values) : t('chat.detour.cameMail');
  });
}

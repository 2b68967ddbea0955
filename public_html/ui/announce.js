// What <klatch-room> tells the page around: events that bubble and leave shadow roots, each with what the
// SDK's event of the same name has.

/**
 * @typedef {object} Announced
 * @property {{room: import('../klatch/index.js').Room}} joined
 * @property {{person: import('../klatch/index.js').Person}} peer-joined also for each who was there before
 * @property {{person: import('../klatch/index.js').Person, reason: string}} peer-left
 * @property {{message: import('../klatch/chat.js').Message}} message one's own too
 * @property {{reason: string}} left
 * @property {{problem: import('../klatch/index.js').KlatchProblem}} problem
 * @property {{hosts: number}} waiting a host has to let this person in; so many are there
 * @property {{people: readonly import('../klatch/types.js').Knocker[]}} knocking who waits to be let in now, told to hosts
 * @property {{count: number}} unread
 * @property {{link: string}} link-changed
 */

/**
 * @template {keyof Announced} K
 * @param {HTMLElement} element @param {K} type @param {Announced[K]} detail
 */
export function announce(element, type, detail) {
  const event = new CustomEvent(type, { detail, bubbles: true, composed: true });
  if (type !== 'message') {
    element.dispatchEvent(event);
    return;
  }
  // The window's own `message` is what other windows post; listeners there expect that alone.
  const page = element.ownerDocument;
  const stop = () => event.stopPropagation();
  page.addEventListener(type, stop);
  element.dispatchEvent(event);
  page.removeEventListener(type, stop);
}

/**
 * Pass on what happens in a room for as long as it lasts.
 * @param {HTMLElement} element @param {import('../klatch/index.js').Room} room
 */
export function announceRoom(element, room) {
  const over = new AbortController();
  const life = { signal: over.signal };
  room.on('peer-joined', ({ detail }) => announce(element, 'peer-joined', detail), life);
  room.on('peer-left', ({ detail }) => announce(element, 'peer-left', detail), life);
  room.on('message', ({ detail }) => announce(element, 'message', detail), life);
  room.on('waiting', ({ detail }) => announce(element, 'waiting', detail), life);
  room.on('knocking', ({ detail }) => announce(element, 'knocking', detail), life);
  room.on('problem', ({ detail }) => announce(element, 'problem', detail), life);
  room.on('left', () => over.abort(), life);
  for (const person of room.people) announce(element, 'peer-joined', { person });
  if (room.knocking.length > 0) announce(element, 'knocking', { people: room.knocking });
}

/* Klatch's SDK. A page that uses it needs nothing else:
 *
 *   const media = new Media();
 *   await media.open();
 *   const room = await joinRoom({ api: '/api/v1', room: 'tea', name: 'Ann', media });
 *   room.on('peer-updated', ({ detail }) => { video.srcObject = detail.person.stream; });
 *
 * What not everybody needs at first is loaded when it is wanted. Where it can't be, a 'problem'
 * event tells `not-loaded`, the room goes on without it, and it is tried again.
 */

export { joinRoom, lookAtRoom, runsElsewhere } from './join.js';
export { Room } from './room.js';
export { Person } from './member.js';
export { Media } from './media.js';
export { ScreenShare } from './screen.js';
export { KlatchProblem } from './problem.js';
export { isRoomName, makeLink, parseLink, randomRoom, randomSecret } from './link.js';

/** @typedef {import('./types.js').JoinOptions} JoinOptions */
/** @typedef {import('./types.js').RoomEvents} RoomEvents */
/** @typedef {import('./chat.js').Message} Message */
/** @typedef {import('./files.js').Share} Share */

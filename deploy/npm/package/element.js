// The element <klatch-room>: the whole chat.
export { KlatchRoom } from './ui/klatch-room.js';

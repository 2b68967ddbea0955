import { KlatchRoom } from './ui/klatch-room.js';

export { KlatchRoom };

declare global {
  interface HTMLElementTagNameMap {
    'klatch-room': KlatchRoom;
  }
}

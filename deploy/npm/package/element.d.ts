import type { Announced } from './ui/announce.js';
import { KlatchRoom } from './ui/klatch-room.js';

export { KlatchRoom };
/** The events of the element and what each one's detail is. */
export type { Announced as KlatchRoomEvents };

type Listener<K extends keyof Announced> = (this: KlatchRoom, event: CustomEvent<Announced[K]>) => unknown;

declare module './ui/klatch-room.js' {
  interface KlatchRoom {
    addEventListener<K extends keyof Announced>(type: K, listener: Listener<K>, options?: boolean | AddEventListenerOptions): void;
    addEventListener<K extends keyof HTMLElementEventMap>(type: K, listener: (this: HTMLElement, event: HTMLElementEventMap[K]) => unknown, options?: boolean | AddEventListenerOptions): void;
    addEventListener(type: string, listener: EventListenerOrEventListenerObject, options?: boolean | AddEventListenerOptions): void;
    removeEventListener<K extends keyof Announced>(type: K, listener: Listener<K>, options?: boolean | EventListenerOptions): void;
    removeEventListener<K extends keyof HTMLElementEventMap>(type: K, listener: (this: HTMLElement, event: HTMLElementEventMap[K]) => unknown, options?: boolean | EventListenerOptions): void;
    removeEventListener(type: string, listener: EventListenerOrEventListenerObject, options?: boolean | EventListenerOptions): void;
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'klatch-room': KlatchRoom;
  }
}

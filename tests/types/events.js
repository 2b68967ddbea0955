// What the type checker knows of events, for who writes `room.addEventListener(…)`: `make lint-tsc`
// fails where a line below that is marked as an error is none. Nothing runs this.
import { joinRoom } from '../../public_html/klatch/index.js';

const room = await joinRoom({ api: '/api/v1', room: 'tea' });

room.addEventListener('peer-joined', (event) => {
  /** @type {string} */
  const name = event.detail.person.name;
  /** @type {boolean} */
  const already = event.detail.already;
  // @ts-expect-error there is no such thing in this event
  void [name, already, event.detail.reason];
}, { once: true });
room.addEventListener('peer-left', { handleEvent: ({ detail }) => detail.reason.trim() });
room.on('left', ({ detail: { reason } }) => reason.trim(), { signal: AbortSignal.timeout(1) });
room.removeEventListener('message', null);
// @ts-expect-error there is no such event
room.addEventListener('peer-joind', () => {});
// @ts-expect-error nor by on
room.on('peer-joind', () => {});
// @ts-expect-error this event has no message
room.addEventListener('peer-joined', ({ detail: { message } }) => message);

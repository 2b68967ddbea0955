// The shop's page: a button opens a call in a room of its own, sealed, and rings at the desk.
import { randomRoom, randomSecret } from '../../klatch/index.js';
import { AGENT, openDesk } from './desk.js';

const button = document.getElementById('help');
const panel = document.getElementById('panel');
const state = document.getElementById('state');
let desk = null;

/** Tell every agent who is here or comes, until one has taken the call. */
async function ring(room, secret) {
  const rung = new Set();
  const tell = (person) => {
    if (person.name !== AGENT || person.state !== 'connected' || rung.has(person)) return;
    rung.add(person);
    desk.say(JSON.stringify({ room, secret }), person);
  };
  desk = await openDesk('Customer');
  desk.on('peer-updated', ({ detail }) => tell(detail.person));
  desk.people.forEach(tell);
}

async function open() {
  const room = randomRoom();
  const secret = randomSecret();
  state.textContent = 'Calling the shop…';
  // Loaded when somebody wants to talk, not with every page of the shop.
  await import('../../ui/klatch-room.js');
  const call = document.createElement('klatch-room');
  Object.assign(call, { room, secret, name: 'Customer', devices: 'mic', hide: 'invite screen settings title', open: true });
  call.addEventListener('peer-joined', () => {
    state.textContent = 'You are talking to the shop.';
    desk?.leave();
  });
  call.addEventListener('left', close);
  panel.append(call);
  panel.hidden = false;
  button.setAttribute('aria-expanded', 'true');
  button.textContent = 'Hang up';
  await ring(room, secret);
}

function close() {
  desk?.leave();
  desk = null;
  panel.querySelector('klatch-room')?.remove();
  panel.hidden = true;
  button.setAttribute('aria-expanded', 'false');
  button.textContent = 'Talk to us';
}

button.addEventListener('click', () => {
  if (!panel.hidden) {
    close();
    return;
  }
  open().catch((error) => {
    close();
    panel.hidden = false;
    state.textContent = error.message;
  });
});

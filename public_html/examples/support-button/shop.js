// The shop's page: a button opens a call in a room of its own, sealed, and rings at the desk.
import { randomRoom, randomSecret } from '../../klatch/index.js';
import { AGENT, openDesk } from './desk.js';

const button = document.getElementById('help');
const panel = document.getElementById('panel');
const state = document.getElementById('state');
/** The ringing for the call that there is, or is being opened. @type {AbortController | null} */
let current = null;

/** Tell every agent who is here or comes, until one has taken the call or it is over. */
async function ring(room, secret, signal) {
  const desk = await openDesk('Customer', signal);
  signal.addEventListener('abort', () => desk.leave());
  if (signal.aborted) desk.leave();
  const rung = new Set();
  const tell = (person) => {
    if (signal.aborted || person.name !== AGENT || person.state !== 'connected' || rung.has(person)) return;
    rung.add(person);
    desk.say(JSON.stringify({ room, secret }), person);
  };
  desk.on('peer-updated', ({ detail }) => tell(detail.person));
  desk.people.forEach(tell);
}

async function open() {
  const ringing = new AbortController();
  current = ringing;
  const room = randomRoom();
  const secret = randomSecret();
  state.textContent = 'Calling the shop…';
  panel.hidden = false;
  button.setAttribute('aria-expanded', 'true');
  button.textContent = 'Hang up';
  try {
    // Loaded when somebody wants to talk, not with every page of the shop.
    await import('../../ui/klatch-room.js');
    if (current !== ringing) return;
    const call = document.createElement('klatch-room');
    Object.assign(call, { room, secret, name: 'Customer', devices: 'mic', hide: 'invite screen settings title', open: true });
    call.addEventListener('peer-joined', () => {
      state.textContent = 'You are talking to the shop.';
      ringing.abort();
    });
    call.addEventListener('left', () => current === ringing && close());
    panel.append(call);
    await ring(room, secret, ringing.signal);
  } catch (error) {
    if (ringing.signal.aborted) return;
    close();
    panel.hidden = false;
    state.textContent = error.message;
  }
}

/** Hang up, also before there is a call. */
function close() {
  current?.abort();
  current = null;
  panel.querySelector('klatch-room')?.remove();
  panel.hidden = true;
  button.setAttribute('aria-expanded', 'false');
  button.textContent = 'Talk to us';
}

button.addEventListener('click', () => {
  if (current) close();
  else void open();
});

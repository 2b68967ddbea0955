// The agent's page: calls that come in, and the one that was taken.
import '../../ui/klatch-room.js';
import { AGENT, openDesk } from './desk.js';

/** Of calls that wait: an older one gives way. */
const CALLS_MAX = 50;
const list = document.getElementById('calls');
const place = document.getElementById('call');
const state = document.getElementById('state');

/** @returns {{room: string, secret: string} | null} what a customer wrote, which may be anything */
function read(text) {
  try {
    const { room, secret } = JSON.parse(text);
    return typeof room === 'string' && typeof secret === 'string' ? { room, secret } : null;
  } catch {
    return null;
  }
}

function take({ room, secret }, item) {
  item.remove();
  const call = document.createElement('klatch-room');
  Object.assign(call, { room, secret, name: AGENT, open: true, hide: 'invite title' });
  call.addEventListener('left', () => call.remove());
  place.replaceChildren(call);
}

const desk = await openDesk(AGENT);
state.textContent = 'The desk is open. Calls appear here.';
desk.on('message', ({ detail: { message } }) => {
  const call = message.private && !message.mine ? read(message.text) : null;
  if (!call) return;
  const item = document.createElement('li');
  const button = Object.assign(document.createElement('button'), { type: 'button', textContent: 'Take the call' });
  button.addEventListener('click', () => take(call, item));
  item.append('A customer calls. ', button);
  list.append(item);
  if (list.children.length > CALLS_MAX) list.firstElementChild.remove();
});

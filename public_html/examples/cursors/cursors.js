// Everybody's pointer in one field, over data alone: no camera is asked for, and what the pointers do
// goes from page to page, not through a server. Open this page twice.
import { joinRoom } from '../../klatch/index.js';
import { findOwnApi } from '../../ui/find-api.js';

const COLOURS = ['one', 'two', 'three', 'four', 'five'];
/** Of the field's width and height, for one press of an arrow key. */
const STEP = 0.02;
const ARROWS = { ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP] };
const SHAPE = 'M2 1 L2 17 L6.5 13 L9.5 19 L12 18 L9 12 L15 12 Z';

const field = document.getElementById('field');
const state = document.getElementById('state');
const nameField = document.getElementById('name');
/** By person. */
const cursors = new Map();
const place = { x: 0.5, y: 0.5 };

/** @param {string} name text of somebody else's */
function makeCursor(name, colour) {
  const cursor = document.createElement('div');
  const picture = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  const label = document.createElement('b');
  picture.setAttribute('viewBox', '0 0 17 20');
  picture.setAttribute('aria-hidden', 'true');
  path.setAttribute('d', SHAPE);
  picture.append(path);
  label.textContent = name;
  cursor.append(picture, label);
  cursor.className = `cursor ${colour}`;
  field.append(cursor);
  return cursor;
}

/** What comes is somebody else's: numbers from 0 to 1, or nothing is drawn. */
function draw(cursor, { x, y } = {}) {
  if (!(x >= 0 && x <= 1 && y >= 0 && y <= 1)) return;
  cursor.style.left = `${100 * x}%`;
  cursor.style.top = `${100 * y}%`;
}

const own = makeCursor('You', 'one own');
draw(own, place);

const room = location.hash.slice(1) || 'cursors';
const name = nameField.value = localStorage.getItem('cursors-name') ?? `Guest ${Math.floor(Math.random() * 90) + 10}`;
const joined = await joinRoom({ api: await findOwnApi(), room, name, data: true }).catch((problem) => {
  state.textContent = problem.message;
  throw problem;
});
// The newest place is all that counts: a lost one isn't sent again.
const channel = await joined.channel('cursors', { ordered: false, maxRetransmits: 0 });

const tell = (person) => channel.send(place, person);

function count() {
  const { length } = channel.people;
  state.textContent = length === 0 ? 'Nobody else is here. Open this page once more.' : `${length} ${length === 1 ? 'other is' : 'others are'} here.`;
}

// Also told of everybody who is there already.
channel.addEventListener('open', ({ detail: { person } }) => {
  cursors.set(person, makeCursor(person.name, COLOURS[(cursors.size + 1) % COLOURS.length]));
  tell(person);
  count();
});
channel.addEventListener('close', ({ detail: { person } }) => {
  cursors.get(person)?.remove();
  cursors.delete(person);
  count();
});
channel.addEventListener('message', ({ detail: { person, data } }) => {
  if (cursors.has(person)) draw(cursors.get(person), data ?? {});
});
joined.addEventListener('peer-updated', ({ detail: { person } }) => {
  const label = cursors.get(person)?.querySelector('b');
  if (label) label.textContent = person.name;
});
joined.addEventListener('left', ({ detail }) => {
  state.textContent = `This page is out of the room (${detail.reason}). Reload it to come back.`;
});
count();

/** At most one message for a picture of the screen. */
let asked = 0;
function move(x, y) {
  place.x = Math.min(1, Math.max(0, x));
  place.y = Math.min(1, Math.max(0, y));
  draw(own, place);
  asked ||= requestAnimationFrame(() => {
    asked = 0;
    channel.send(place);
  });
}

field.addEventListener('pointermove', (event) => {
  const { left, top, width, height } = field.getBoundingClientRect();
  move((event.clientX - left) / width, (event.clientY - top) / height);
});
field.addEventListener('keydown', (event) => {
  const [across, down] = ARROWS[event.key] ?? [];
  if (across === undefined) return;
  event.preventDefault();
  move(place.x + across, place.y + down);
});
nameField.addEventListener('change', () => {
  localStorage.setItem('cursors-name', nameField.value);
  joined.rename(nameField.value);
});

// Every state of the page, by name: `gallery.html?scene=<name>`; without one, a list of all.
// window.gallery is what a test holds: the element, its fake room, and `ready`.
import { KlatchRoom } from './ui/klatch-room.js';

const NAMES = ['Maya', 'Jonas Lindqvist', 'Amina', 'Teodor', 'Ελένη', 'Wilhelmina van der Heijden-Abernathy', 'Ben', 'Óscar'];
const people = (count, more = {}) => NAMES.slice(0, count).map((name, i) => ({
  name, mic: i % 3 !== 1, cam: i % 4 !== 2, ...more,
}));

const STATES = ['connected', 'connecting', 'reconnecting', 'no-path', 'away'];

const SEALED = `kitchen-table.${'s'.repeat(22)}`;

/** In what language, where it isn't the browser's. */
const lang = new URLSearchParams(location.search).get('lang');

const RIGHT_TO_LEFT = ['سارة العلي', 'יעל בן־דוד', 'Amina'];

/** Each scene: the plan of the fake SDK, and what happens once the page is there. */
const scenes = {
  lobby: {},
  'lobby-asking': { plan: { asking: true } },
  'lobby-off': { choices: { mic: false, cam: false } },
  'lobby-check': { check: true },
  'lobby-joining': { plan: { joining: true }, enter: true, endless: true },
  'lobby-long-room': { room: 'the-very-long-name-of-a-room-that-nobody-should-ever-have-to-say' },
  'lobby-sealed': { room: SEALED },
  'lobby-elsewhere': { plan: { elsewhere: true } },
  'lobby-elsewhere-off': { plan: { elsewhere: true, deviceProblem: { code: 'no-device', kind: 'both' } } },
  'lobby-password': { plan: { looks: { peers: 2, locked: false, lobby: true, password: true } } },
  'lobby-locked': { plan: { looks: { peers: 2, locked: true, lobby: false, password: false } } },
  'lobby-password-missing': { plan: { password: 'plum' }, enter: true },
  'lobby-waiting': { plan: { waiting: { hosts: 1 } }, enter: true, endless: true },
  'lobby-waiting-nobody': { plan: { waiting: { hosts: 0 } }, enter: true, endless: true },
  'call-1': { enter: true },
  'call-2': { plan: { people: people(1) }, enter: true },
  'call-3': { plan: { people: people(2) }, enter: true },
  'call-4': { plan: { people: people(3) }, enter: true },
  'call-6': { plan: { people: people(5) }, enter: true },
  'call-8': { plan: { people: people(7) }, enter: true },
  'call-9': { plan: { people: people(8) }, enter: true },
  'call-states': { plan: { people: STATES.map((state, i) => ({ name: NAMES[i], state, plain: i === 0 })) }, enter: true },
  'call-carried': {
    plan: { people: people(4, { cam: true }).map((person, i) => (i < 2 ? { ...person, state: 'no-path', cam: false } : person)) },
    enter: true, then: carried, chat: true,
  },
  'call-carrying': { plan: { people: people(3) }, enter: true, then: carrying },
  'call-sealed': { room: SEALED, plan: { people: people(3) }, enter: true },
  'call-outside': {
    room: SEALED, plan: { people: [...people(2), { name: '', state: 'no-path', cam: false, outside: 'no-secret' }] }, enter: true,
  },
  'call-outside-all': {
    room: SEALED, plan: { people: [1, 2].map(() => ({ name: '', state: 'no-path', cam: false, outside: 'other-secret' })) },
    enter: true,
  },
  'call-server-away': { plan: { people: people(3), server: 'away' }, enter: true },
  'call-notices': {
    plan: { people: people(3) }, enter: true,
    then({ room, media }) {
      room.enter({ name: 'Noor' });
      room.part(room.people[0], 'left');
      media.emit('problem', problemOf('device-lost', 'video'));
    },
  },
  'call-chat': { plan: { people: people(3) }, enter: true, then: talk, chat: true },
  'call-chat-alone': { plan: { people: people(3) }, enter: true, then: talkAlone, chat: true },
  'call-files': { plan: { people: people(3) }, enter: true, then: files, chat: true },
  'call-chat-empty': { plan: { people: people(1) }, enter: true, chat: true },
  'call-unread': { plan: { people: people(2) }, enter: true, then: talk },
  'call-settings': { plan: { people: people(2) }, enter: true, settings: true },
  'call-host': { plan: { host: true, settings: { locked: true }, people: people(3) }, enter: true },
  'call-knocking': {
    plan: { host: true, settings: { lobby: true }, people: people(3) }, enter: true,
    then: ({ room }) => room.knock({ name: 'Noor' }, { name: 'Wilhelmina van der Heijden-Abernathy of the Northern Hills' },
      { name: '', outside: 'other-secret' }, { name: '<b>Bold</b>' }),
  },
  'call-guest': {
    plan: { settings: { locked: true, lobby: true, password: true }, people: people(2).map((one, i) => ({ ...one, host: i === 0 })) },
    enter: true, settings: true,
  },
  'call-host-settings': { plan: { host: true, settings: { lobby: true, password: true }, people: people(2) }, enter: true, settings: true },
  'call-host-menu': { plan: { host: true, people: people(3) }, enter: true, then: openMenu },
  'call-host-sure': {
    plan: { host: true, people: people(3) }, enter: true,
    async then(gallery) {
      openMenu(gallery);
      await until(() => gallery.menu('.hosting button:last-child'));
      gallery.menu('.hosting button:last-child').click();
      await until(() => gallery.menu('.sure'));
    },
  },
  'call-became-host': {
    plan: { people: people(2).map((one, i) => ({ ...one, host: i === 0 })) }, enter: true,
    then({ room }) {
      room.update({ locked: true });
      room.update({}, [room.self]);
    },
  },
  'call-sound-blocked': {
    plan: { people: people(3) }, enter: true,
    then: ({ tiles }) => tiles()[0].emit('sound-blocked'),
  },
  'call-screen': {
    plan: { people: people(3).map((person, i) => ({ ...person, sharing: i === 1 })) }, enter: true,
  },
  'call-sharing': { plan: { people: people(2) }, enter: true, then: ({ room }) => room.share(true) },
  'call-speaker': {
    choices: { spotlight: true }, plan: { people: people(5).map((person, i) => ({ ...person, level: i === 2 ? 0.4 : 0 })) }, enter: true,
  },
  'call-stats': { plan: { people: people(3) }, enter: true, stats: ['Maya'] },
  'call-stats-waiting': { plan: { people: people(2) }, enter: true, stats: true },
  'call-paused': {
    plan: { people: ['bits', 'still', 'choice'].map((why, i) => ({ name: NAMES[i], why, picture: why === 'still' ? 'still' : 'none' })) }, enter: true,
  },
  'call-right-to-left': {
    plan: { people: RIGHT_TO_LEFT.map((name, i) => ({ name, cam: i !== 1, mic: i !== 0 })) }, enter: true, chat: true,
    then({ room }) {
      const [first, second] = room.people;
      room.hear(first, 'صباح الخير! هل يراني الجميع؟ (3 ملفات)');
      room.hear(second, 'כן, עכשיו טוב יותר. https://example.org/agenda');
      room.hear(room.self, 'Good morning, سارة');
      room.lay(first, { name: 'محضر الاجتماع 2026.pdf' });
      room.emit('writing', { writers: [{ person: first, private: false }, { person: second, private: false }] });
      room.enter({ name: 'نور' });
    },
  },
  'call-16': { plan: { people: [...people(8), ...people(7)] }, enter: true },
  'call-person': { plan: { people: people(3) }, enter: true, then: openMenu },
  'call-markup': {
    name: '<b>Bold</b>', plan: { people: [{ name: '<img src=x onerror=alert(1)>', cam: false }] }, enter: true, chat: true,
    then: ({ room }) => room.hear(room.people[0], '<script>alert(1)</script> & <i>italics</i>'),
  },
  'ended-left': { enter: true, then: ({ element }) => element.leave() },
  'ended-kicked': { enter: true, then: ({ room }) => room.end('kicked') },
  'ended-taken-over': { enter: true, then: ({ room }) => room.end('taken-over') },
  'ended-refused': { plan: { joinProblem: 'refused' }, enter: true },
  'ended-banned': { plan: { joinProblem: 'banned' }, enter: true },
  'ended-closed': { enter: true, then: ({ room }) => room.end('closed') },
  'ended-lost': { enter: true, then: ({ room }) => room.end('session-expired') },
};
for (const kind of ['audio', 'video', 'both']) {
  for (const code of ['permission-denied', 'no-device', 'device-busy', 'insecure-context']) {
    scenes[`lobby-${code}-${kind}`] = { plan: { deviceProblem: { code, kind } } };
  }
}
for (const code of ['room-full', 'network', 'not-klatch', 'room-locked', 'rate-limited', 'disk-full', 'odd-code']) {
  scenes[`lobby-${code}`] = { plan: { joinProblem: code }, enter: true };
}

function openMenu({ tiles }) {
  tiles()[0].shadowRoot.querySelector('.menu').click();
}

function problemOf(code, kind) {
  return Object.assign(new Error(code), { code, kind });
}

function talk({ room }) {
  const [first, second = first] = room.people;
  const start = Date.now() - 600000;
  room.hear(first, 'Good morning! Can everybody see me?', start);
  room.hear(first, 'I moved the lamp, it was too bright.', start + 20000);
  room.hear(second, 'Yes, much better now. I sent the notes around yesterday; the third page has the figures that we '
    + 'talked about, and there are two questions at the end where I would like to hear from each of you.', start + 95000);
  room.hear(room.self, 'Reading them now', start + 200000);
  room.hear(second, 'https://example.org/a/very/long/address/that/has/no/place/to/break/in/it?at=all&and=more', start + 300000);
  room.hear(room.self, 'Thank you ☕', start + 330000);
}

function talkAlone(gallery) {
  const { room } = gallery;
  const [first, second] = room.people;
  const long = Date.now() - 3600000;
  room.tell(first, [['Noor', 'Shall we meet at ten?', long], ['Maya', 'Yes. The agenda: https://example.org/agenda', long + 60000]]);
  talk(gallery);
  room.hear(second, 'Between us: did you get the letter?', Date.now() - 60000, { private: true });
  room.hear(room.self, 'Yes, this morning.', Date.now() - 30000, { private: true, to: second, toName: second.name });
  room.emit('writing', { writers: [{ person: first, private: false }, { person: second, private: true }] });
}

function carried({ room }) {
  const [first, second, third] = room.people;
  first.via = third;
  room.emit('peer-updated', { person: first });
  room.hear(first, 'Can you read this?', Date.now() - 60000, { detours: [{ person: first, via: third }] });
  room.hear(second, 'And this?', Date.now() - 50000, { detours: [{ person: second, via: null }] });
  room.hear(room.self, 'Both, thank you', Date.now(), { detours: [{ person: first, via: third }, { person: second, via: null }] });
}

function carrying({ room }) {
  const [first, second, third] = room.people;
  room.carrying = [[first, second], [second, third]];
  room.emit('carrying', { pairs: room.carrying });
}

function files({ room }) {
  const [first, second, third] = room.people;
  room.lay(first, { name: 'Minutes of the meeting in spring, with all the corrections (final, really).odt', size: 48_213 });
  room.lay(second, { name: 'holiday.mp4', size: 1_240_000_000 }, { state: 'coming', done: 412_000_000, speed: 3_100_000 });
  room.lay(second, { name: 'notes.txt', size: 900, private: true }, { state: 'done', done: 900 });
  room.lay(third, { name: 'broken.zip', size: 7_000_000 }, { state: 'failed', why: 'hash', done: 7_000_000 });
  room.lay(room.self, { name: 'plan.pdf' }, { person: first, state: 'done', done: 2_400_000 },
    { person: second, state: 'coming', done: 900_000, speed: 420_000 }, { person: third, state: 'waiting', done: 300_000 });
}

/** What was measured of everybody, and what they say of each other; `badFor` is whose is not good. */
window.measure = (badFor) => {
  const { room } = window.gallery;
  const loss = (name) => (badFor.includes(name) ? 0.2 : 0);
  const video = (height) => ({ kind: 'video', mid: '1', bits: 300_000, codec: 'VP8', width: (height * 4) / 3, height, fps: 20,
    limitedBy: 'bandwidth', freezes: 2, frozenS: 3.4 });
  const audio = { kind: 'audio', mid: '0', bits: 40_000, codec: 'opus', width: 0, height: 0, fps: 0, concealed: 0.031 };
  const readings = new Map(room.people.map((person) => [person, { up: 340_000, down: 290_000, rttMs: 48, rttNew: true,
    lossUp: loss(person.name), lossDown: 0.01, path: 'relayed', sends: [video(360), audio], receives: [video(240), audio] }]));
  for (const person of room.people) {
    room.budget.samples.set(person, Array.from({ length: 60 }, (_, at) => ({ atMs: Date.now() - (60 - at) * 2000,
      up: 300_000 + 50_000 * Math.sin(at), down: 250_000, rttMs: 40 + at, loss: 0.01 })));
    room.budget.views.set(person, room.people.filter((other) => other !== person)
      .map(({ id }) => ({ id, state: 'connected', loss: 0, rttMs: 30 })));
  }
  room.budget.emit('readings', readings);
};

/** Every element that matches, through all shadow roots. */
window.deep = (selector, root = document) => [...root.querySelectorAll('*')].flatMap((element) => [
  ...(element.matches(selector) ? [element] : []), ...(element.shadowRoot ? window.deep(selector, element.shadowRoot) : []),
]);

const until = async (check) => {
  while (!check()) await new Promise((resolve) => setTimeout(resolve, 20));
};
/** What the parts have drawn, found through their shadow roots. */
function find(element, ...path) {
  return path.reduce((at, name) => at?.shadowRoot?.querySelector(name) ?? null, element);
}

async function show(page, { plan = {}, room = 'kitchen-table', name = 'Ada', choices, enter, endless, then, chat, settings, stats, check }) {
  window.klatchPlan = plan;
  localStorage.setItem('klatch', JSON.stringify(choices ?? {}));
  const element = new KlatchRoom();
  if (lang !== null) element.lang = lang;
  element.sealable = true;
  for (const [key, value] of Object.entries({ api: '/api/v1', room, name })) element.setAttribute(key, value);
  element.doctor = new URL('doctor.html', document.baseURI).href;
  page.replaceChildren(element);
  const { media } = element;
  const call = (...path) => find(element, 'klatch-call', ...path);
  const gallery = { element, media, tiles: () => [...call('klatch-grid').shadowRoot.querySelectorAll('klatch-tile')] };
  window.gallery = gallery;
  await until(() => find(element, 'klatch-lobby', 'form'));
  if (!plan.asking && !plan.deviceProblem && !choices) await until(() => media.cam);
  if (check) {
    find(element, 'klatch-lobby', 'klatch-checks', '[aria-haspopup]').click();
    await until(() => find(element, 'klatch-lobby', 'klatch-checks', 'klatch-check', 'li:nth-child(5)'));
  }
  if (enter) {
    const joining = element.join().catch(() => {});
    if (!endless) await joining;
  }
  if (element.call) {
    gallery.room = element.call;
    await until(() => call('klatch-grid', 'klatch-tile'));
    await then?.({ ...gallery, room: element.call, menu: (path) => call('klatch-person-menu', path) });
    if (chat) find(element, 'klatch-call', 'klatch-controls', '[aria-expanded]').click();
    if (stats) {
      call('klatch-controls').dispatchEvent(new CustomEvent('open-stats', { bubbles: true }));
      await until(() => call('klatch-stats', 'dialog[open]'));
      if (stats !== true) window.measure(stats);
    }
    if (settings) call('klatch-settings').open();
  }
  await until(() => !element.call || gallery.tiles().every((tile) => {
    const video = tile.shadowRoot.querySelector('[data-picture] video');
    return !video || video.readyState >= 2;
  }));
  await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  document.documentElement.dataset.ready = 'true';
}

function list(page) {
  const nav = document.createElement('nav');
  const frame = document.createElement('iframe');
  frame.name = 'scene';
  frame.allow = 'camera; microphone; clipboard-write';
  nav.append(...Object.keys(scenes).map((scene) => Object.assign(document.createElement('a'), {
    href: `?scene=${scene}`, target: 'scene', textContent: scene,
  })));
  page.append(nav, frame);
}

const page = document.getElementById('page');
const wanted = new URLSearchParams(location.search).get('scene');
if (wanted === null) list(page);
else if (wanted in scenes) await show(page, scenes[wanted]);
window.galleryScenes = Object.keys(scenes);

// The SDK's interface without network and devices: people are painted on canvases, and
// `window.klatchPlan` (gallery.js) says who is there and what goes wrong.
import { Emitter } from './events.js';
import { KlatchProblem } from './problem.js';

export { makeLink, parseLink, randomRoom, randomSecret } from './link.js';
export { KlatchProblem };

const SKINS = ['#f1c9a5', '#8d5b3e', '#e0ac84', '#5c3a28', '#f6d7bd', '#b97f57'];
const HAIRS = ['#2b1d14', '#0f0d0c', '#7a4a21', '#3b2a20', '#b98b4e', '#5a5a5f'];
const COATS = ['#27566b', '#a2453d', '#3f7a58', '#6b4a86', '#c28a2d', '#3a4a7a'];
const WALLS = [['#d9c8b4', '#a58f78'], ['#b9cbd3', '#7f98a3'], ['#cfd6bd', '#95a07a'], ['#dcc3c3', '#a88b8b'],
  ['#c6c3d8', '#8f8aab'], ['#d8d1c2', '#a39a86']];

/** A head and shoulders before a wall. */
function paint(canvas, number, tick) {
  const pen = canvas.getContext('2d');
  const { width: w, height: h } = canvas;
  const [light, dark] = WALLS[number % WALLS.length];
  const wall = pen.createLinearGradient(0, 0, w, h);
  wall.addColorStop(0, light);
  wall.addColorStop(1, dark);
  pen.fillStyle = wall;
  pen.fillRect(0, 0, w, h);
  const blob = (x, y, rx, ry, colour) => {
    pen.fillStyle = colour;
    pen.beginPath();
    pen.ellipse(x, y, rx, ry, 0, 0, Math.PI * 2);
    pen.fill();
  };
  const x = w * (0.5 + 0.01 * Math.sin(tick / 3 + number));
  const skin = SKINS[number % SKINS.length];
  const hair = HAIRS[(number * 5 + 1) % HAIRS.length];
  blob(w / 2, h * 1.08, w * 0.3, h * 0.38, COATS[number % COATS.length]);
  blob(x, h * 0.42, h * 0.225, h * 0.26, hair);
  pen.fillStyle = skin;
  pen.fillRect(x - h * 0.07, h * 0.6, h * 0.14, h * 0.16);
  blob(x, h * 0.48, h * 0.175, h * 0.22, skin);
  blob(x - h * 0.07, h * 0.46, h * 0.018, h * 0.022, '#1c1512');
  blob(x + h * 0.07, h * 0.46, h * 0.018, h * 0.022, '#1c1512');
  pen.strokeStyle = '#7d3b33';
  pen.lineWidth = h * 0.012;
  pen.beginPath();
  pen.arc(x, h * 0.55, h * 0.06, 0.2 * Math.PI, 0.8 * Math.PI);
  pen.stroke();
}

/** @param {number} number which of the painted people */
function paintedTrack(number) {
  const canvas = document.createElement('canvas');
  canvas.width = 640;
  canvas.height = 480;
  let tick = 0;
  const step = () => paint(canvas, number, tick++);
  step();
  const timer = setInterval(step, 250);
  const [track] = canvas.captureStream(8).getVideoTracks();
  track.addEventListener('ended', () => clearInterval(timer));
  return track;
}

function silentTrack() {
  return new AudioContext().createMediaStreamDestination().stream.getAudioTracks()[0];
}

const plan = () => window.klatchPlan ?? {};
/** A while in which the page can show that it waits; for ever where the plan says so. */
const soon = (forEver) => new Promise((resolve) => {
  if (!forEver) setTimeout(resolve, 20);
});

/** A sheet with lines of writing. */
function paintedSheet() {
  const canvas = Object.assign(document.createElement('canvas'), { width: 1280, height: 720 });
  const pen = canvas.getContext('2d');
  const step = () => {
    pen.fillStyle = '#fdfcf8';
    pen.fillRect(0, 0, 1280, 720);
    pen.fillStyle = '#27566b';
    pen.fillRect(70, 60, 620, 44);
    pen.fillStyle = '#8b8478';
    for (let line = 0; line < 9; line += 1) pen.fillRect(70, 160 + line * 54, 700 + ((line * 137) % 380), 16);
  };
  step();
  const timer = setInterval(step, 500);
  const [track] = canvas.captureStream(4).getVideoTracks();
  track.addEventListener('ended', () => clearInterval(timer));
  return track;
}

class ScreenShare extends Emitter {
  stream = new MediaStream();

  get live() {
    return this.stream.getVideoTracks().length > 0;
  }

  async start() {
    this.stream.addTrack(paintedSheet());
    this.emit('change', null);
  }

  stop() {
    for (const track of this.stream.getTracks()) {
      track.stop();
      this.stream.removeTrack(track);
    }
    this.emit('change', null);
  }
}

export class Media extends Emitter {
  stream = new MediaStream();
  screen = new ScreenShare();
  sound = { echoCancellation: true, noiseSuppression: true };
  blur = null;
  #mics = [{ id: 'mic-1', label: 'Built-in microphone' }, { id: 'mic-2', label: 'Headset (USB Audio Device, 16 kHz)' }];
  #speakers = [{ id: 'speaker-1', label: 'Built-in loudspeaker' }, { id: 'speaker-2', label: 'Headset' }];
  #cams = [{ id: 'cam-1', label: 'Integrated camera' }, { id: 'cam-2', label: 'Document camera' }];

  get mic() {
    return this.#has('audio');
  }

  get cam() {
    return this.#has('video');
  }

  constructor() {
    super();
    this.screen.on('change', () => this.emit('change', null));
  }

  async setSound(sound) {
    Object.assign(this.sound, sound);
  }

  async setBlur(on) {
    if (plan().blur) this.blur = on;
  }

  async open({ audio = true, video = true } = {}) {
    await soon(plan().asking);
    const refused = plan().deviceProblem;
    for (const [kind, wanted] of [['audio', audio], ['video', video]]) {
      this.#take(kind, Boolean(wanted) && !(refused && (refused.kind === 'both' || refused.kind === kind)));
    }
    this.emit('change', null);
    if (refused) this.emit('problem', new KlatchProblem(refused.code, { kind: refused.kind }));
  }

  async setMic(on) {
    const [track] = this.stream.getAudioTracks();
    if (track) track.enabled = on;
    else this.#take('audio', on);
    this.emit('change', null);
  }

  async setCam(on) {
    this.#take('video', on);
    this.emit('change', null);
  }

  async devices() {
    return plan().deviceProblem ? { mics: [], cams: [], speakers: [] } : { mics: this.#mics, cams: this.#cams, speakers: this.#speakers };
  }

  async use() {
    this.emit('change', null);
  }

  close() {
    this.screen.stop();
    this.#take('audio', false);
    this.#take('video', false);
    this.emit('change', null);
  }

  #has(kind) {
    return this.stream.getTracks().some((track) => track.kind === kind && track.enabled);
  }

  #take(kind, on) {
    const track = this.stream.getTracks().find((one) => one.kind === kind);
    if (on && !track) this.stream.addTrack(kind === 'audio' ? silentTrack() : paintedTrack(0));
    if (on || !track) return;
    track.stop();
    this.stream.removeTrack(track);
  }
}

class FakeBudget extends Emitter {
  quality = 'normal';
  bits = 2_000_000;
  shown = new Map();
  views = new Map();
  shares = new Map();

  samples = new Map();
  watchers = 0;

  /** A reading is told by hand: budget.emit('readings', map). */
  watch(listener) {
    this.watchers += 1;
    const off = this.on('readings', ({ detail }) => listener(detail));
    return () => {
      this.watchers -= 1;
      off();
    };
  }

  show(person, heights) {
    this.shown.set(person, heights);
  }
}

class FakeRoom extends Emitter {
  budget = new FakeBudget();
  people = [];
  carrying = [];
  server = 'online';
  settings = { locked: false, lobby: false, password: false, ...plan().settings };
  knocking = [];
  /** What the host decided. */
  decided = [];
  /** What the page asked for. */
  said = [];
  wrote = [];
  desk = [];
  #next = 1;

  constructor({ room, name, media }) {
    super();
    this.name = room;
    this.media = media;
    this.self = { id: 'self', name, get mic() { return media.mic; }, get cam() { return media.cam; }, get screen() { return media.screen.live; }, host: Boolean(plan().host) };
    for (const person of plan().people ?? []) this.enter(person);
    this.server = plan().server ?? 'online';
  }

  get counts() {
    return { connected: this.people.filter(({ state }) => state === 'connected').length, others: this.people.length };
  }

  /** Somebody comes in. */
  enter(person) {
    const number = this.#next++;
    const whole = {
      id: `person-${number}`, name: '', state: 'connected', mic: true, cam: true, joined: number, plain: false, screen: null,
      picture: 'moving', why: 'asked', frozen: false, outside: null, via: null, host: false, ...person,
    };
    const seen = whole.state !== 'connecting' && whole.state !== 'no-path' && whole.cam;
    whole.stream = seen ? new MediaStream([silentTrack(), paintedTrack(number)]) : null;
    if (whole.sharing) whole.screen = new MediaStream([paintedSheet()]);
    this.people.push(whole);
    this.emit('peer-joined', { person: whole });
    return whole;
  }

  /** What the server says of settings and hosts. */
  update(settings = {}, hosts = null) {
    this.settings = { ...this.settings, ...settings };
    if (hosts) {
      this.self.host = hosts.includes(this.self);
      for (const person of this.people) person.host = hosts.includes(person);
    }
    this.emit('room-updated', { settings: this.settings });
  }

  knock(...people) {
    this.knocking = people.map((person, at) => ({ id: `k${at}`, name: '', outside: null, ...person }));
    this.emit('knocking', { people: this.knocking });
  }

  async hosting() {
    const { decided } = this;
    await plan().hostAnswer;
    if (plan().hostProblem) throw new KlatchProblem(plan().hostProblem);
    const done = (word, who) => {
      decided.push([word, who.name]);
      this.knock(...this.knocking.filter((one) => one !== who));
    };
    return {
      change: async ({ password, ...settings }) => {
        const asked = password === undefined ? {} : { password };
        decided.push(['change', { ...settings, ...asked }]);
        this.update({ ...settings, ...(password === undefined ? {} : { password: password !== null }) });
      },
      admit: async (who) => done('admit', who),
      refuse: async (who) => done('refuse', who),
      remove: async (person, how) => {
        decided.push(['remove', person.name, how]);
        this.part(person, 'kicked');
      },
      handOn: async (person) => {
        decided.push(['handOn', person.name]);
        this.update({}, [person]);
      },
    };
  }

  part(person, reason) {
    this.people = this.people.filter((one) => one !== person);
    this.emit('peer-left', { person, reason });
  }

  hear(person, text, time = Date.now(), more = {}) {
    const { id: from, name } = person;
    const message = { id: `m${this.#next++}`, from, name, text, time, mine: person === this.self, plain: false,
      private: false, to: null, toName: '', before: false, detours: [], ...more };
    this.emit('message', { message });
  }

  say(text, to = null) {
    this.said.push({ text, to: to?.name ?? null });
    this.hear(this.self, text, Date.now(), { private: to !== null, to, toName: to?.name ?? '' });
  }

  writing(on, to = null) {
    this.wrote.push({ on, to: to?.name ?? null });
  }

  /** What was said before, as somebody tells it. */
  tell(by, lines) {
    const messages = lines.map(([name, text, time]) => ({ id: `b${this.#next++}`, from: '', name, text, time, mine: false,
      plain: false, private: false, to: null, toName: '', before: true, detours: [] }));
    this.emit('before', { messages, by });
  }

  /** A file, by somebody or by oneself, in any state. */
  lay(person, what, ...ways) {
    const share = { id: `f${this.#next++}`, name: 'plan.pdf', size: 2_400_000, type: 'application/pdf',
      mine: person === this.self, private: false, time: Date.now(), file: null, ...what };
    const [first = {}] = ways;
    const whole = share.mine ? ways : [{ person, ...first }];
    share.ways = whole.map((way) => ({ state: 'offered', why: '', done: 0, speed: 0, ...way }));
    this.emit('file', { share });
    return share;
  }

  async files() {
    const { desk } = this;
    return {
      offer: (file, to) => {
        desk.push(['offer', file.name, to?.name ?? null]);
        const people = to ? [to] : this.people;
        return this.lay(this.self, { name: file.name, size: file.size, type: file.type, file, private: to !== null },
          ...people.map((person) => ({ person })));
      },
      save: async (share) => desk.push(['save', share.name]) > 0,
      show: (share) => desk.push(['show', share.name]),
      stop: (share) => desk.push(['stop', share.name]),
    };
  }

  async microphone(on) {
    await this.media.setMic(on);
  }

  async camera(on) {
    await this.media.setCam(on);
  }

  async share(on) {
    if (on) await this.media.screen.start();
    else this.media.screen.stop();
  }

  get levels() {
    return new Map(this.people.map((person) => [person, person.level ?? 0]));
  }

  wake() {
    window.klatchWoken = true;
  }

  rename(name) {
    this.self.name = name;
  }

  setServer(state) {
    this.server = state;
    this.emit('server', { state });
  }

  end(reason) {
    this.emit('left', { reason });
  }

  leave() {
    this.end('left');
  }

  destroy() {
    this.end('left');
  }
}

export async function runsElsewhere() {
  return Boolean(plan().elsewhere);
}

export async function lookAtRoom() {
  return plan().looks ?? null;
}

/** The host is asked: window.klatchDecide() lets in, with a code it refuses. */
async function ask({ onWaiting, signal }) {
  onWaiting(plan().waiting);
  const code = await new Promise((resolve) => {
    window.klatchDecide = resolve;
    signal.addEventListener('abort', () => resolve('aborted'));
  });
  if (code) throw new KlatchProblem(code);
}

export async function joinRoom(options) {
  const { room, name, media, signal, takeOver, password } = options;
  window.klatchTookOver = takeOver;
  window.klatchJoins = [...window.klatchJoins ?? [], options];
  await soon(plan().joining);
  if (signal?.aborted) throw new KlatchProblem('aborted');
  if (plan().password && password !== plan().password) throw new KlatchProblem(password ? 'password-wrong' : 'password-missing');
  if (plan().waiting) await ask(options);
  if (plan().joinProblem) throw new KlatchProblem(plan().joinProblem);
  return Object.assign(new FakeRoom({ room: room.split('.')[0], name, media }), { sealed: room.includes('.') });
}

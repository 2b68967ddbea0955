/* people: whole rooms of the SDK over a fake server and a fake network. */

import { FakeLocks, FakeStorage, until } from './browserish.mjs';
import { joinRoom } from '../../../public_html/klatch/index.js';

/** A person's media, without devices. */
export class FakeMedia extends EventTarget {
  stream = new MediaStream();
  mic = true;
  cam = false;

  async setMic(on) {
    this.mic = on;
    this.dispatchEvent(new Event('change'));
  }

  async setCam(on) {
    this.cam = on;
    this.dispatchEvent(new Event('change'));
  }

  on(type, listener) {
    this.addEventListener(type, listener);
    return () => this.removeEventListener(type, listener);
  }
}

/** Join a room; what happens there lies in `heard`. */
export async function join(t, server, net, name, options = {}) {
  const { room = 'tea', storage = new FakeStorage(), locks = new FakeLocks(), ...more } = options;
  const page = new EventTarget();
  const beacon = (url, body) => {
    void fetch(url, { method: 'POST', body }).catch(() => {});
    return true;
  };
  const media = 'media' in options ? options.media : new FakeMedia();
  const { takeOver, token, password, signal, onWaiting, iceServers, data, ...own } = more;
  const env = { page, locks, beacon, channel: () => null, rtc: net.Connection, ...own };
  const joined = await joinRoom({ api: server.api, room, name, media, storage, takeOver, token, password, signal, onWaiting,
    iceServers, data, env });
  const heard = { joined: [], left: [], texts: [], problems: [], out: [], server: [] };
  joined.on('peer-joined', ({ detail }) => detail.already || heard.joined.push(detail.person.name));
  joined.on('peer-left', ({ detail }) => heard.left.push([detail.person.name, detail.reason]));
  joined.on('message', ({ detail }) => heard.texts.push(`${detail.message.name}: ${detail.message.text}`));
  joined.on('problem', ({ detail }) => heard.problems.push(detail.problem.code));
  joined.on('server', ({ detail }) => heard.server.push(detail.state));
  joined.on('left', ({ detail }) => heard.out.push(detail.reason));
  t.after(() => joined.leave());
  return { room: joined, api: server.api, heard, page, media, storage, locks };
}

export const names = ({ room }) => room.people.map((person) => person.name);
export const find = ({ room }, name) => room.people.find((person) => person.name === name);

/** Wait until everybody here is connected to everybody else. */
export function allConnected(...people) {
  return until('all are connected', () => people.every(({ room }) => room.counts.connected === people.length - 1
    && room.people.length === people.length - 1));
}

// What the first lines of a program of somebody else's lean on.
import { FakeTrack, quiet, until } from './lib/browserish.mjs';
import { FakeNet } from './lib/fake-rtc.mjs';
import { FakeServer } from './lib/fake-server.mjs';
import { FakeMedia, allConnected, find, join } from './lib/people.mjs';
import { requests } from './lib/mailbox.mjs';
import assert from 'node:assert/strict';
import test from 'node:test';

async function world(t) {
  const server = await new FakeServer().start();
  t.after(() => server.stop());
  return { server, net: new FakeNet() };
}

const turn = () => new Promise((resolve) => {
  setTimeout(resolve, 0);
});

/** A browser with these devices; what was asked for comes back. */
function devices(t, refuse = null) {
  const asked = [];
  const given = [];
  const mediaDevices = Object.assign(new EventTarget(), {
    async getUserMedia(constraints) {
      asked.push(Object.keys(constraints).sort().join());
      if (refuse) throw Object.assign(new Error(refuse), { name: refuse });
      const tracks = Object.keys(constraints).map((kind) => new FakeTrack(kind));
      given.push(...tracks);
      return new MediaStream(tracks);
    },
    enumerateDevices: async () => [],
  });
  const former = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
  Object.defineProperty(globalThis, 'navigator', { value: { mediaDevices }, configurable: true });
  t.after(() => (former ? Object.defineProperty(globalThis, 'navigator', former) : delete globalThis.navigator));
  return { asked, given };
}

test('who listens late for those who join is told of everybody who is there, once and marked', async (t) => {
  const { server, net } = await world(t);
  await join(t, server, net, 'Ann');
  await join(t, server, net, 'Bo');
  const { room } = await join(t, server, net, 'Cy');
  const told = [];
  const listen = (event) => told.push([event.detail.person.name, event.detail.already]);
  room.addEventListener('peer-joined', listen);
  assert.deepEqual(told, [], 'not before the end of this turn');
  await turn();
  assert.deepEqual(told, [['Ann', true], ['Bo', true]]);
  await join(t, server, net, 'Di');
  await until('the newcomer is told', () => told.length === 3);
  assert.deepEqual(told[2], ['Di', false]);
  room.removeEventListener('peer-joined', listen);
  await join(t, server, net, 'Ed');
  await until('all are there', () => room.people.length === 4);
  assert.equal(told.length, 3);
});

test('a late listener that is taken back, aborted or for once hears as much as it asked for', async (t) => {
  const { server, net } = await world(t);
  await join(t, server, net, 'Ann');
  await join(t, server, net, 'Bo');
  const { room } = await join(t, server, net, 'Cy');
  const told = { back: [], off: [], aborted: [], once: [], object: [] };
  const listen = (name) => ({ detail }) => told[name].push(detail.person.name);
  const back = listen('back');
  room.addEventListener('peer-joined', back);
  room.removeEventListener('peer-joined', back);
  room.on('peer-joined', listen('off'))();
  const stop = new AbortController();
  room.addEventListener('peer-joined', listen('aborted'), { signal: stop.signal });
  stop.abort();
  room.addEventListener('peer-joined', listen('once'), { once: true });
  room.addEventListener('peer-joined', { handleEvent: listen('object') });
  room.addEventListener('peer-joined', null);
  await turn();
  assert.deepEqual(told, { back: [], off: [], aborted: [], once: ['Ann'], object: ['Ann', 'Bo'] });
  await join(t, server, net, 'Di');
  await until('the newcomer is told', () => told.object.length === 3);
  assert.deepEqual(told.once, ['Ann']);
});

test('a room that was left tells late listeners of nobody', async (t) => {
  const { server, net } = await world(t);
  await join(t, server, net, 'Ann');
  const { room } = await join(t, server, net, 'Bo');
  const told = [];
  room.on('peer-joined', ({ detail }) => told.push(detail.person.name));
  room.destroy();
  room.on('peer-joined', ({ detail }) => told.push(detail.person.name));
  await turn();
  assert.deepEqual(told, []);
});

test('leaving and destroying, twice and in any order, is leaving once', async (t) => {
  const { server, net } = await world(t);
  let leaves = 0;
  for (const order of [['leave', 'destroy', 'leave', 'destroy'], ['destroy', 'leave', 'destroy', 'leave']]) {
    const ann = await join(t, server, net, 'Ann');
    const bo = await join(t, server, net, 'Bo');
    await allConnected(ann, bo);
    await Promise.all(order.map((what) => bo.room[what]()));
    await until('Ann knows', () => ann.heard.left.length > 0);
    await quiet(50);
    assert.deepEqual([bo.heard.out, ann.heard.left], [['left'], [['Bo', 'left']]]);
    assert.equal(requests(server, 'leave').length, leaves += 1);
    await ann.room.leave();
    leaves += 1;
  }
});

test('without media of its own the room asks for a camera when it is turned on, and gives it back at the end', async (t) => {
  const { server, net } = await world(t);
  const { asked, given } = devices(t);
  const ann = await join(t, server, net, 'Ann', { media: undefined });
  const bo = await join(t, server, net, 'Bo');
  await allConnected(ann, bo);
  assert.deepEqual([asked, ann.room.media], [[], null]);
  assert.equal(await ann.room.camera(false), false);
  assert.equal(await ann.room.microphone(false), false);
  assert.deepEqual([asked, ann.room.media], [[], null], 'nothing is made to turn something off');
  assert.equal(await ann.room.camera(true), true);
  assert.deepEqual(asked, ['video']);
  assert.equal(ann.room.self.cam, true);
  await until('Bo is told', () => find(bo, 'Ann').cam);
  assert.equal(await ann.room.microphone(true), true);
  assert.deepEqual(asked, ['video', 'audio']);
  assert.equal(ann.room.media.stream.getTracks().length, 2);
  await ann.room.leave();
  assert.deepEqual(given.map(({ readyState }) => readyState), ['ended', 'ended']);
  assert.equal(await ann.room.camera(true).catch(({ code }) => code), false, 'nothing is opened after leaving');
  assert.deepEqual(asked, ['video', 'audio']);
});

test('a camera that cannot be had is told by the room, and turning it on says that it is off', async (t) => {
  const { server, net } = await world(t);
  devices(t, 'NotAllowedError');
  const ann = await join(t, server, net, 'Ann', { media: undefined });
  assert.equal(await ann.room.camera(true), false);
  assert.deepEqual(ann.heard.problems, ['permission-denied']);
});

test('for data alone there are no media in any offer, and a camera is refused', async (t) => {
  const { server, net } = await world(t);
  const { asked } = devices(t);
  const people = [await join(t, server, net, 'Ann', { data: true, media: undefined }),
    await join(t, server, net, 'Bo', { data: true, media: undefined })];
  await allConnected(...people);
  assert.deepEqual(net.connections.map((pc) => pc.getTransceivers().length), [0, 0]);
  for (const what of ['camera', 'microphone', 'share']) {
    await assert.rejects(people[0].room[what](true), { name: 'KlatchProblem', code: 'data-only' });
    assert.equal(await people[0].room[what](false), false);
  }
  assert.deepEqual(asked, []);
  people[0].room.say('hello');
  await until('text goes all the same', () => people[1].heard.texts[0] === 'Ann: hello');
});

for (const first of ['data alone', 'media']) {
  test(`one for data alone and one with media understand each other (${first} is there first)`, async (t) => {
    const { server, net } = await world(t);
    const joins = { 'data alone': () => join(t, server, net, 'Data', { data: true }), media: () => join(t, server, net, 'Media') };
    const one = await joins[first]();
    const other = await joins[first === 'media' ? 'data alone' : 'media']();
    await allConnected(one, other);
    const data = first === 'media' ? other : one;
    const directions = net.connections[first === 'media' ? 1 : 0].getTransceivers().map(({ direction }) => direction);
    assert.deepEqual(directions, first === 'media' ? ['inactive', 'inactive'] : []);
    assert.equal(data.room.people[0].stream, null);
    data.room.say('hello');
    await until('text arrives', () => (data === one ? other : one).heard.texts[0] === 'Data: hello');
  });
}

test('a camera that opens while the server is still asked is sent and told', async (t) => {
  const media = new FakeMedia();
  const server = await new FakeServer({ gate: () => {
    if (server.room('tea').members.size > 0) void media.setCam(true);
    return {};
  } }).start();
  t.after(() => server.stop());
  const net = new FakeNet();
  const ann = await join(t, server, net, 'Ann');
  const bo = await join(t, server, net, 'Bo', { media });
  assert.equal(bo.room.self.cam, true);
  await allConnected(ann, bo);
  await until('Ann knows', () => find(ann, 'Bo').cam);
});

/* Hosts: what they decide and what the others see of it; password, lock and lobby. */

import { FakeLocks, FakeStorage, quiet, steadily, until } from './lib/browserish.mjs';
import { FakeHouse } from './lib/fake-house.mjs';
import { FakeNet } from './lib/fake-rtc.mjs';
import { FakeServer } from './lib/fake-server.mjs';
import { allConnected, find, join, names } from './lib/people.mjs';
import { requests } from './lib/mailbox.mjs';
import { Resting } from '../../public_html/klatch/resting.js';
import { nameOf } from '../../public_html/klatch/tabs.js';
import assert from 'node:assert/strict';
import test from 'node:test';

async function world(t, clocks) {
  const server = await new FakeServer({ Room: FakeHouse, ...clocks }).start();
  t.after(() => server.stop());
  const net = new FakeNet();
  const come = (name, options) => join(t, server, net, name, options);
  return { server, net, come };
}

/** Somebody who has to wait: what they are told, and what comes of it. */
function knock(t, come, name, options = {}) {
  const told = [];
  const stop = new AbortController();
  const end = come(name, { onWaiting: ({ hosts }) => told.push(hosts), signal: stop.signal, ...options })
    .then((one) => ({ one }), (problem) => ({ problem }));
  // Who is never answered would knock for as long as the process lives.
  t.after(() => {
    stop.abort();
    return end;
  });
  return { told, stop, end };
}

const knocking = ({ room }) => room.knocking.map(({ name }) => name);
const knocks = (host, ...who) => until(`${who} knock`, () => String(knocking(host)) === String(who));

test('who makes a room is its host, and everybody sees that', async (t) => {
  const { come } = await world(t);
  const [ann, bo] = [await come('Ann'), await come('Bo')];
  assert.deepEqual([ann.room.self.host, bo.room.self.host], [true, false]);
  assert.equal(find(bo, 'Ann').host, true);
  await until('Ann sees Bo', () => names(ann).length === 1);
  assert.equal(find(ann, 'Bo').host, false);
  assert.deepEqual(bo.room.settings, { locked: false, lobby: false, password: false });
});

test('what a host changes is what everybody is told, and a locked room takes nobody', async (t) => {
  const { come } = await world(t);
  const [ann, bo] = [await come('Ann'), await come('Bo')];
  const hosting = await ann.room.hosting();
  await hosting.change({ locked: true });
  assert.equal(ann.room.settings.locked, true);
  await until('Bo knows', () => bo.room.settings.locked);
  await assert.rejects(come('Cy'), { code: 'room-locked' });
  await hosting.change({ locked: false });
  await come('Cy');
});

test('of two changes the later one counts, also where its request is the faster', async (t) => {
  const { server, come } = await world(t);
  const ann = await come('Ann');
  const { decide } = server.room('tea');
  const { settings } = decide;
  decide.settings = async (body) => {
    if (body.locked) await quiet(100);
    return settings(body);
  };
  const hosting = await ann.room.hosting();
  await Promise.all([hosting.change({ locked: true }), hosting.change({ locked: false })]);
  assert.equal(server.room('tea').settings.locked, false);
  assert.equal(ann.room.settings.locked, false);
});

test('a change that is refused does not keep back the next one', async (t) => {
  const { server, come } = await world(t);
  const ann = await come('Ann');
  server.fail(1, { status: 403, body: '{"status":403,"code":"not-permitted"}' }, /settings/);
  const hosting = await ann.room.hosting();
  const [first, second] = await Promise.allSettled([hosting.change({ locked: true }), hosting.change({ lobby: true })]);
  assert.equal(first.reason.code, 'not-permitted');
  assert.equal(second.status, 'fulfilled');
  assert.deepEqual([ann.room.settings.locked, ann.room.settings.lobby], [false, true]);
});

test('who says to have another id is removed all the same', async (t) => {
  const { net, come } = await world(t);
  const ann = await come('Ann');
  const mal = await come('Mal');
  await allConnected(ann, mal);
  const { id } = find(ann, 'Mal');
  for (const word of ['moved', 'hello', 'state']) {
    const data = JSON.stringify({ t: word, id: 'nobodys-id-at-all-____' });
    for (const { channels } of net.connections) channels.get(0).dispatchEvent(Object.assign(new Event('message'), { data }));
  }
  assert.equal(find(ann, 'Mal').id, id);
  await (await ann.room.hosting()).remove(find(ann, 'Mal'));
  await until('Mal is out', () => String(mal.heard.out) === 'kicked');
});

test('a password is asked for, kept for when this page has to join anew, and known to who set it', async (t) => {
  const { server, come } = await world(t);
  const ann = await come('Ann');
  await (await ann.room.hosting()).change({ password: 'plum' });
  await assert.rejects(come('Bo'), { code: 'password-missing' });
  await assert.rejects(come('Bo', { password: 'prune' }), { code: 'password-wrong' });
  const bo = await come('Bo', { password: 'plum' });
  assert.equal(bo.room.settings.password, true);
  await allConnected(ann, bo);
  const house = server.room('tea');
  const left = [...house.members.values()];
  for (const member of left) house.drop(member);
  house.members.set('somebody', house.newcomer('somebody', {}));
  server.cut();
  await until('both are back', () => house.members.size === 3);
  assert.deepEqual(requests(server, 'join').slice(-2).map(({ body }) => body.password), ['plum', 'plum']);
  assert.deepEqual([ann.heard.out, bo.heard.out], [[], []]);
});

test('a host who slept is back first and then heard', async (t) => {
  const { server, come } = await world(t);
  const [ann, bo] = [await come('Ann'), await come('Bo')];
  await allConnected(ann, bo);
  const hosting = await ann.room.hosting();
  const id = ann.room.self.id;
  server.room('tea').members.get(id).lapsed = true;
  await hosting.change({ locked: true });
  assert.deepEqual([ann.room.settings.locked, ann.room.self.id, ann.heard.problems, ann.heard.out], [true, id, [], []]);
  await until('Bo knows', () => bo.room.settings.locked);
});

test('who knocks is seen by the host alone, by name, and comes in when let in', async (t) => {
  const { server, come } = await world(t);
  const [ann, bo] = [await come('Ann'), await come('Bo')];
  const hosting = await ann.room.hosting();
  await hosting.change({ lobby: true });
  const seen = [];
  ann.room.on('knocking', ({ detail }) => seen.push(detail.people.map(({ name }) => name)));
  const cy = knock(t, come, 'Cy');
  const di = knock(t, come, 'Di');
  await until('both knock, and know it', () => knocking(ann).length === 2 && cy.told.length > 0 && di.told.length > 0);
  assert.deepEqual(knocking(ann).sort(), ['Cy', 'Di']);
  assert.deepEqual([cy.told, di.told, knocking(bo), names(bo)], [[1], [1], [], ['Ann']]);
  await hosting.admit(ann.room.knocking.find(({ name }) => name === 'Cy'));
  const { one } = await cy.end;
  await allConnected(ann, bo, one);
  assert.deepEqual([knocking(ann), names(one), di.told], [['Di'], ['Ann', 'Bo'], [1]]);
  assert.deepEqual(requests(server, 'join').at(-1).body.resume !== undefined, true);
  assert.deepEqual(seen.at(-1), ['Di']);
  assert.equal(one.heard.problems.length, 0);
});

test('who has left hears of nobody who knocked before', async (t) => {
  const { server, come } = await world(t);
  const room = `tea.${'s'.repeat(22)}`;
  const ann = await come('Ann', { room });
  const hosting = await ann.room.hosting();
  await hosting.change({ lobby: true });
  const told = [];
  for (const type of ['left', 'knocking']) ann.room.on(type, () => told.push(type));
  const house = server.room('tea');
  const { subtle } = globalThis.crypto;
  const decrypt = subtle.decrypt.bind(subtle);
  let opened;
  let read = false;
  const opening = new Promise((resolve) => {
    subtle.decrypt = async (...args) => {
      resolve();
      await new Promise((go) => { opened = go; });
      return decrypt(...args).finally(() => { read = true; });
    };
  });
  t.after(() => { delete subtle.decrypt; });
  const [{ meta }] = house.listed();
  house.post(null, ann.room.self.id, 'peer-knocking', { peer: 'p'.repeat(22), meta });
  await opening;
  ann.room.destroy();
  opened();
  await until('who knocked is read', () => read);
  await quiet(20);
  assert.deepEqual(told, ['left']);
});

test('who is refused is told so, and may knock again', async (t) => {
  const { come } = await world(t);
  const ann = await come('Ann');
  const hosting = await ann.room.hosting();
  await hosting.change({ lobby: true });
  const storage = new FakeStorage();
  const first = knock(t, come, 'Bo', { storage });
  await knocks(ann, 'Bo');
  await hosting.refuse(ann.room.knocking[0]);
  assert.equal((await first.end).problem.code, 'refused');
  await knocks(ann);
  const second = knock(t, come, 'Bo', { storage });
  await knocks(ann, 'Bo');
  second.stop.abort();
  assert.equal((await second.end).problem.code, 'aborted');
  await knocks(ann);
});

test('a page that is reloaded while it waits goes on waiting, and nobody waits twice', async (t) => {
  const { come } = await world(t, { soonMs: 100 });
  const ann = await come('Ann');
  const hosting = await ann.room.hosting();
  await hosting.change({ lobby: true, password: 'plum' });
  const kept = { storage: new FakeStorage() };
  const page = new EventTarget();
  const first = knock(t, come, 'Bo', { ...kept, password: 'plum', page });
  await knocks(ann, 'Bo');
  await until('it knows that it waits', () => first.told.length === 1);
  page.dispatchEvent(new Event('pagehide'));
  const second = knock(t, come, 'Bo', kept);
  await until('it waits again', () => second.told.length > 0);
  await knocks(ann, 'Bo');
  await hosting.admit(ann.room.knocking[0]);
  const { one } = await second.end;
  assert.deepEqual([first.told, second.told], [[1], [1]]);
  await allConnected(ann, one);
  first.stop.abort();
  assert.equal((await first.end).problem.code, 'aborted');
});

test('a page that closes while its first poll is being prepared asks nothing more', async (t) => {
  const { server, come } = await world(t);
  const ann = await come('Ann');
  await (await ann.room.hosting()).change({ lobby: true });
  const page = new EventTarget();
  const locks = new FakeLocks();
  const request = locks.request.bind(locks);
  locks.request = (name, ...rest) => {
    if (name.startsWith('klatch poll')) page.dispatchEvent(new Event('pagehide'));
    return request(name, ...rest);
  };
  const bo = knock(t, come, 'Bo', { page, locks });
  await until('it said that it may be back', () => requests(server, 'leave').length === 1);
  await knocks(ann, 'Bo');
  const own = requests(server, 'leave')[0].body.key;
  await quiet(50);
  assert.deepEqual(requests(server, 'exchange').filter(({ body }) => body.key === own), []);
  page.dispatchEvent(new Event('pageshow'));
  await until('it reads on', () => requests(server, 'exchange').some(({ body }) => body.key === own));
  bo.stop.abort();
  assert.equal((await bo.end).problem.code, 'aborted');
});

test('who is let in while the page is reloaded comes in as the page that is there now', async (t) => {
  const { server, come } = await world(t);
  const ann = await come('Ann');
  const hosting = await ann.room.hosting();
  await hosting.change({ lobby: true });
  const storage = new FakeStorage();
  const page = new EventTarget();
  const first = knock(t, come, 'Bo', { storage, page });
  await knocks(ann, 'Bo');
  await until('it knows that it waits', () => first.told.length === 1);
  const reloaded = new FakeStorage();
  const kept = nameOf(server.api, 'tea');
  reloaded.setItem(kept, storage.getItem(kept));
  page.dispatchEvent(new Event('pagehide'));
  await hosting.admit(ann.room.knocking[0]);
  const bo = await come('Bo', { storage: reloaded });
  await allConnected(ann, bo);
  assert.deepEqual(ann.heard.problems, []);
  first.stop.abort();
  await first.end;
});

test('a host who came later sees who knocks, and the former one no longer does', async (t) => {
  const { come } = await world(t);
  const [ann, bo] = [await come('Ann'), await come('Bo')];
  const hosting = await ann.room.hosting();
  await hosting.change({ lobby: true });
  const cy = knock(t, come, 'Cy');
  await knocks(ann, 'Cy');
  await until('Ann sees Bo', () => find(ann, 'Bo'));
  await hosting.handOn(find(ann, 'Bo'));
  await until('Bo is host', () => bo.room.self.host && find(ann, 'Bo').host && !find(bo, 'Ann').host);
  assert.deepEqual([ann.room.self.host, knocking(ann)], [false, []]);
  await assert.rejects(hosting.change({ lobby: false }), { code: 'not-permitted' });
  await knocks(bo, 'Cy');
  await (await bo.room.hosting()).change({ lobby: false });
  await allConnected(ann, bo, (await cy.end).one);
  await knocks(bo);
});

test('who is removed is told so and nobody keeps a connection to them', async (t) => {
  const { net, come } = await world(t);
  const people = [await come('Ann'), await come('Bo'), await come('Cy')];
  const [ann, bo, cy] = people;
  await allConnected(...people);
  await (await ann.room.hosting()).remove(find(ann, 'Cy'), { ban: true });
  assert.deepEqual(names(ann), ['Bo']);
  await until('Cy is out', () => cy.heard.out.length === 1);
  await until('Bo knows', () => names(bo).length === 1);
  assert.deepEqual([cy.heard.out, ann.heard.left, bo.heard.left], [['kicked'], [['Cy', 'kicked']], [['Cy', 'kicked']]]);
  await until('two connections are left', () => net.connections
    .filter(({ connectionState }) => connectionState === 'connected').length === 2);
});

test('who rests learns at once who was removed and what was changed', { timeout: 60_000 }, async (t) => {
  const LEASE_MS = 60_000;
  const { server, come } = await world(t, { holdMs: 2_000, leaseMs: LEASE_MS });
  const people = [await come('Ann'), await come('Bo'), await come('Cy')];
  const [ann, bo, cy] = people;
  await allConnected(...people);
  const house = server.room('tea');
  const rest = steadily(() => [bo, cy].every(({ room }) => house.members.get(room.self.id).polls === 0));
  await until('two rest', rest);
  await (await ann.room.hosting()).change({ locked: true });
  // Far sooner than who rests asks by itself, within a third of the lease.
  await until('both know', () => bo.room.settings.locked && cy.room.settings.locked, LEASE_MS / 6);
  await until('two rest again', rest, 30_000);
  await (await ann.room.hosting()).remove(find(ann, 'Cy'));
  await until('Cy is out and Bo knows', () => cy.heard.out.length === 1 && names(bo).length === 1, LEASE_MS / 6);
});

test('a host with a lobby does not rest, since nobody else is told who knocks', (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: 1_000 });
  const told = [];
  const poller = { person: { joined: 1, outside: null }, connected: true, beating: true, polling: true, leaving: false, beat: () => {} };
  let awaits = true;
  const resting = new Resting({ polling: true, relax: (on) => told.push(on) }, () => [poller], () => awaits);
  resting.arrive([{ joined: 1 }]);
  resting.rest();
  t.mock.timers.setTime(60_000);
  resting.rest();
  awaits = false;
  resting.rest();
  assert.deepEqual(told, [false, false, true]);
});

test('after mail was missed the settings are asked for anew', async (t) => {
  const { server, come } = await world(t);
  const [ann, bo] = [await come('Ann'), await come('Bo')];
  await allConnected(ann, bo);
  const house = server.room('tea');
  house.settings.locked = true;
  house.epoch = 'another';
  server.cut();
  await until('Bo knows', () => bo.room.settings.locked);
  assert.deepEqual([names(bo), bo.heard.left, ann.heard.left], [['Ann'], [], []]);
});

test('when the host leaves the next one learns that they are host', async (t) => {
  const { come } = await world(t);
  const people = [await come('Ann'), await come('Bo'), await come('Cy')];
  const [ann, bo, cy] = people;
  await allConnected(...people);
  await ann.room.leave();
  await until('Bo is host', () => bo.room.self.host && find(cy, 'Bo').host);
  assert.equal(cy.room.self.host, false);
});

test('in a sealed room the host reads the name of who knocks with the secret', async (t) => {
  const { server, come } = await world(t);
  const secret = 's'.repeat(22);
  const ann = await come('Ann', { room: `tea.${secret}` });
  await (await ann.room.hosting()).change({ lobby: true });
  const bo = knock(t, come, 'Boudica', { room: `tea.${secret}` });
  await knocks(ann, 'Boudica');
  assert.ok(!JSON.stringify(server.requests.map(({ body }) => body)).includes('Boudica'));
  const cy = knock(t, come, 'Cy', { room: `tea.${'t'.repeat(22)}` });
  await until('Cy knocks', () => ann.room.knocking.length === 2);
  assert.deepEqual(ann.room.knocking.map(({ name, outside }) => [name, outside]), [['Boudica', null], ['', 'other-secret']]);
  for (const { stop, end } of [bo, cy]) {
    stop.abort();
    await end;
  }
});

import { quiet, steadily, until } from './lib/browserish.mjs';
import { FakeNet } from './lib/fake-rtc.mjs';
import { FakeServer } from './lib/fake-server.mjs';
import { allConnected, find, join } from './lib/people.mjs';
import { Relax } from '../../public_html/klatch/relax.js';
import assert from 'node:assert/strict';
import test, { describe } from 'node:test';

const well = { connected: true, beating: true, polling: false, leaving: false };
const poller = { ...well, person: { joined: 3 }, polling: true };
const later = { ...well, person: { joined: 9 } };

for (const [what, others, may] of [
  ['alone', [], false],
  ['with the poller', [poller], true],
  ['with the poller and somebody later', [later, poller], true],
  ['while the poller does not poll', [{ ...poller, polling: false }, later], false],
  ['while only somebody later polls', [{ ...poller, polling: false }, { ...later, polling: true }], false],
  ['while only the second polls', [{ ...poller, polling: false }, { ...poller, person: { joined: 4 } }], false],
  ['as the first', [later, { ...later, polling: true }], false],
  ['while somebody is not connected', [poller, { ...later, connected: false }], false],
  ['while somebody is not heard', [poller, { ...later, beating: false }], false],
  ['while somebody is leaving', [poller, { ...later, leaving: true }], false],
]) {
  test(`${what} one may ${may ? '' : 'not '}rest`, () => {
    const relax = new Relax();
    relax.arrive([{ joined: 3 }, { joined: 4 }]);
    relax.mayRest(others, 1000);
    assert.equal(relax.mayRest(others, 10_000), may);
  });
}

test('one rests only when all is well for two beats, and not after word of mail', () => {
  const relax = new Relax();
  relax.arrive([{ joined: 3 }]);
  const times = (list) => list.map((now) => relax.mayRest([poller], now));
  assert.deepEqual(times([1000, 4900, 5100]), [false, false, true]);
  relax.look('Bo', 6000);
  assert.deepEqual(times([6100, 15_900, 16_100, 20_000, 20_200]), [false, false, false, false, true]);
  relax.mayRest([], 20_300);
  assert.deepEqual(times([20_400, 24_500]), [false, true]);
  relax.look('Bo', 30_000);
  assert.deepEqual(times([30_100]), [false]);
  relax.met('Cy');
  assert.deepEqual(times([30_200, 34_300]), [false, false]);
  relax.met('Bo');
  assert.deepEqual(times([34_400, 38_500]), [false, true]);
});

async function world(t, clocks) {
  const server = await new FakeServer(clocks).start();
  t.after(() => server.stop());
  return { server, net: new FakeNet() };
}

/** How many polls are held, and whose. */
const holders = (server) => [...server.room('tea').members.values()].filter(({ polls }) => polls > 0).map(({ peer }) => peer);

/** Wait until of these the given ones hold a poll and the others rest. */
function rests(server, ...pollers) {
  const wanted = String(pollers.map(({ room }) => room.self.id).sort());
  return until(`${pollers.length} hold a poll`, steadily(() => String(holders(server).sort()) === wanted), 30_000);
}

/** People who are all connected and at rest, the first one polling. */
async function atRest(t, server, net, names, options = []) {
  const people = [];
  for (const [at, name] of names.entries()) people.push(await join(t, server, net, name, options[at]));
  await allConnected(...people);
  await rests(server, people[0]);
  return people;
}

/** A request that is never answered. */
function silence(_url, { signal }) {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(new DOMException('', 'AbortError')));
  });
}

/** A page that may stop as a killed one does: nothing comes from it any more. */
function mortal(net) {
  const one = { dead: false, ends: [] };
  const Rtc = net.Connection;
  one.options = {
    fetch: (...request) => (one.dead ? silence(...request) : fetch(...request)),
    rtc: class extends Rtc {
      constructor(options) {
        super(options);
        one.ends.push(this);
      }
    },
  };
  one.kill = () => {
    one.dead = true;
    net.cut = (...pair) => pair.some((end) => one.ends.includes(end));
    net.look();
  };
  return one;
}

describe('a room at rest', { concurrency: true }, () => {
  test('once four are connected one poll is held, that of who joined first', async (t) => {
    const { server, net } = await world(t);
    const people = await atRest(t, server, net, ['Ann', 'Bo', 'Cy', 'Dan']);
    const before = server.requests.length;
    await quiet(3000);
    assert.equal(server.requests.length, before);
    assert.ok(people.every(({ heard }) => heard.server.length === 0 && heard.problems.length === 0));
  });

  test('a newcomer is met by everybody, and then rests too', async (t) => {
    const { server, net } = await world(t);
    const people = await atRest(t, server, net, ['Ann', 'Bo', 'Cy']);
    const dan = await join(t, server, net, 'Dan');
    await allConnected(...people, dan);
    await rests(server, people[0]);
  });

  test('when the poller hangs up the next one takes over, and a newcomer is met by all', async (t) => {
    const { server, net } = await world(t);
    const [ann, ...rest] = await atRest(t, server, net, ['Ann', 'Bo', 'Cy']);
    const [, dan] = await Promise.all([ann.room.leave(), join(t, server, net, 'Dan')]);
    await allConnected(...rest, dan);
    await rests(server, rest[0]);
  });

  test('a poller that dies as somebody joins loses nobody', { timeout: 60_000 }, async (t) => {
    const { server, net } = await world(t, { holdMs: 3000, leaseMs: 16_000 });
    const one = mortal(net);
    const people = await atRest(t, server, net, ['Ann', 'Bo', 'Cy'], [one.options]);
    const since = Date.now();
    one.kill();
    const dan = await join(t, server, net, 'Dan');
    const living = [...people.slice(1), dan];
    const meet = () => living.every((a) => living.every((b) => a === b
      || find(a, b.room.self.name)?.state === 'connected'));
    await until('those who live have met', meet, 16_000);
    t.diagnostic(`met after ${Date.now() - since} ms`);
    await until('who is dead is gone', () => living.every(({ room }) => room.people.length === 2), 20_000);
  });

  test('should the poller not pass it on, a newcomer is met within a third of the lease', async (t) => {
    const LEASE_MS = 21_000;
    const { server, net } = await world(t, { holdMs: 5000, leaseMs: LEASE_MS });
    const hang = { on: false };
    const never = async (...request) => {
      const response = hang.on ? null : await fetch(...request);
      return hang.on ? silence(...request) : response;
    };
    const people = await atRest(t, server, net, ['Ann', 'Bo', 'Cy'], [{ fetch: never }]);
    hang.on = true;
    // What her poll brings is lost on its way, and she is not told.
    const since = Date.now();
    const dan = await join(t, server, net, 'Dan');
    await until('Bo has met him', () => find(people[1], 'Dan')?.state === 'connected', LEASE_MS / 2);
    await until('Cy has met him', () => find(people[2], 'Dan')?.state === 'connected', LEASE_MS / 2);
    t.diagnostic(`met after ${Date.now() - since} ms`);
    assert.ok(dan.room.counts.connected >= 2);
  });

  test('a plain user keeps everybody polling, and their mail comes at once', async (t) => {
    const { server, net } = await world(t);
    const people = await atRest(t, server, net, ['Ann', 'Bo', 'Cy']);
    const post = async (what, body) => (await fetch(`${server.api}/rooms/tea/${what}`, { method: 'POST',
      body: JSON.stringify(body) })).json();
    const { key } = await post('join', { name: 'curl' });
    await post('exchange', { key, send: [{ id: '1', type: 'chat', data: 'hello' }] });
    await until('all read it', () => people.every(({ heard }) => heard.texts.length === 1));
    await until('all poll', () => holders(server).length === 3);
    await fetch(`${server.api}/rooms/tea/leave`, { method: 'POST', body: JSON.stringify({ key }) });
    await rests(server, people[0]);
  });

  test('what has to go by the mailbox is read at once by who rests', async (t) => {
    const { server, net } = await world(t);
    const people = await atRest(t, server, net, ['Ann', 'Bo']);
    const before = net.connections.map(({ ufrag }) => ufrag);
    // A network that changed: the channel isn't trusted for an offer.
    people[0].page.dispatchEvent(new Event('online'));
    await until('both go by a new path', () => net.connections.every(({ ufrag }, at) => ufrag !== before[at]));
    await allConnected(...people);
  });

  test('a server that forgot everything has everybody back at once', async (t) => {
    const { server, net } = await world(t);
    const people = await atRest(t, server, net, ['Ann', 'Bo', 'Cy']);
    const before = people.map(({ room }) => room.self.id);
    server.forget();
    await until('all are back', () => people.every(({ room }, at) => room.self.id !== before[at]));
    const dan = await join(t, server, net, 'Dan');
    await allConnected(...people, dan);
    assert.deepEqual(people.flatMap(({ heard }) => heard.left), []);
    const [first] = [...server.room('tea').members.values()].sort((a, b) => a.joined - b.joined);
    await until('the first of them polls for all', () => String(holders(server)) === first.peer, 20_000);
  });

  test('nobody relies on a poller that cannot reach the server', { timeout: 60_000 }, async (t) => {
    const { server, net } = await world(t, { holdMs: 3000 });
    const broken = { on: false };
    const reach = (...request) => (broken.on ? Promise.reject(new TypeError('no network')) : fetch(...request));
    const people = await atRest(t, server, net, ['Ann', 'Bo', 'Cy'], [{ fetch: reach }]);
    broken.on = true;
    await until('the others poll', () => [1, 2].every((at) => holders(server).includes(people[at].room.self.id)), 30_000);
    assert.deepEqual(people[1].room.counts, { connected: 2, others: 2 });
    broken.on = false;
    await rests(server, people[0]);
  });
});

/* A room at rest: everybody is connected, one member polls for all. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { everybodyConnected, gathering, others } from './lib/gathering.mjs';
import { until } from './lib/until.mjs';

const LEASE_MS = 14_000;
const COUNTING = fileURLToPath(new URL('./lib/counted-rtc.js', import.meta.url));
const here = gathering({
  settings: `hold_ms = 2000\nlease_ms = ${LEASE_MS}\ngrace_ms = 5000\nttl_ms = 30000\n`,
  scripts: [COUNTING],
  counted: true,
});

/** People without cameras, whose pictures would take the machine's time. */
async function quietPeople(t, count) {
  const people = await here.visitors(t, count);
  for (const one of people) {
    await one.page.getByRole('button', { name: 'Camera', exact: true }).click();
    await one.join();
  }
  await everybodyConnected(people);
  return people;
}

/** Wait until for more than a hold all polls were one member's. */
async function rests(room) {
  await until('one alone polls', () => {
    const since = Date.now() - 3000;
    const polls = here.tally.requests.filter((one) => one.room === room && one.waitMs > 1 && one.ms > since);
    return new Set(polls.map(({ key }) => key)).size === 1 && here.tally.held(room) === 1;
  }, 40_000);
}

async function peopleAtRest(t, count) {
  const people = await quietPeople(t, count);
  await rests(people[0].room);
  return people;
}

const ask = (one, what) => one.ask((code) => globalThis.klatchTest.call().room[code], what);

test('a stable call of four holds one poll, and a newcomer is met by everybody', { timeout: 120_000 }, async (t) => {
  const people = await peopleAtRest(t, 4);
  const { room } = people[0];
  const { requests } = here.tally;
  const before = requests.length;
  const most = [];
  const end = Date.now() + LEASE_MS;
  await until('a lease has passed', () => {
    most.push(here.tally.held(room));
    return Date.now() > end;
  }, LEASE_MS + 5000);
  assert.equal(Math.max(...most), 1);
  const during = requests.slice(before);
  const renewed = new Set(during.map(({ key }) => key));
  assert.equal(renewed.size, 4, 'everybody renewed their lease');
  const looks = during.filter(({ waitMs }) => waitMs === 0).length;
  assert.ok(looks >= 6 && looks <= 12, `${looks} looks of three in a lease`);

  const [gone, ...rest] = people;
  const late = await here.newcomer(t, room, 4);
  await late.join();
  await everybodyConnected([...people, late]);
  await gone.hangUp();
  await everybodyConnected([...rest, late]);
});

test('a poller that is killed as somebody joins loses nobody', { timeout: 120_000 }, async (t) => {
  const people = await peopleAtRest(t, 3);
  const [poller, ...rest] = people;
  const late = await here.newcomer(t, poller.room, 3);
  await late.page.getByRole('button', { name: 'Camera', exact: true }).click();
  const devtools = await poller.context.newCDPSession(poller.page);
  const since = Date.now();
  void devtools.send('Page.crash').catch(() => {}); // Nobody is left to answer it.
  await late.join();
  const living = [...rest, late];
  await until('those who live have met', async () => {
    const all = await Promise.all(living.map((one) => one.others()));
    return all.every((list, at) => others(living, living[at])
      .every(({ name }) => list.includes(`${name} connected`)));
  }, LEASE_MS);
  t.diagnostic(`met ${Date.now() - since} ms after the kill`);
  await everybodyConnected(living);
  await rests(poller.room);
});

test('with the web server gone, all that is turned on and mended goes over the channels', async (t) => {
  const [one, other] = await here.visitors(t, 2);
  await other.page.getByRole('button', { name: 'Camera', exact: true }).click();
  await one.join();
  await other.join();
  await one.connectedTo([other]);
  await rests(one.room);
  await here.server.stop();
  try {
    await other.toggleCamera();
    await one.seesMoving(other);
    await other.toggleMicrophone();
    await one.hearsNothingFrom(other);
    await other.toggleMicrophone();
    await one.hears(other);
    const path = () => one.ask(() => globalThis.klatchRtc.paths()[0].join());
    const before = await path();
    await one.ask(() => globalThis.klatchRtc.restart());
    await until('there is a new path', async () => {
      const now = await path();
      return now.split(',').every((part) => !before.includes(part));
    });
    await one.seesMoving(other);
    await other.hears(one);
    assert.deepEqual(await ask(one, 'counts'), { connected: 1, others: 1 });
  } finally {
    await here.server.start();
  }
});

test('a message from a plain user reaches everybody in a room at rest', async (t) => {
  const people = await peopleAtRest(t, 3);
  const { room } = people[0];
  await Promise.all(people.map((one) => one.openChat()));
  const post = async (what, body) => (await fetch(`${here.server.origin}/api/v1/rooms/${room}/${what}`, {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body),
  })).json();
  const { key } = await post('join', { name: 'curl' });
  await post('exchange', { key, send: [{ id: '1', type: 'chat', data: { text: 'from outside' } }] });
  const read = async (one) => (await one.lines()).includes('from outside');
  await Promise.all(people.map((one) => until(`${one.name} reads it`, () => read(one), LEASE_MS / 3)));
});

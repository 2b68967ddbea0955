// Runs alone: it measures how soon a page is back.
/* A page that the system stops, as phones and laptops do with those that nobody looks at. */

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import test, { after, before } from 'node:test';
import { everybodyConnected, others } from '../browser/lib/gathering.mjs';
import { Participant, launch } from '../browser/lib/participant.mjs';
import { Server } from '../browser/lib/server.mjs';
import { until } from '../browser/lib/until.mjs';

const STOPPED_MS = 120_000;
const BACK_MS = 10_000;
/** By then the others have noticed: some beats and the browser's own doubts. */
const NOTICED_MS = 15_000;
const TICK_MS = 200;
const server = new Server();
/** The one that is stopped has a browser of its own, so that no other page is in its process. */
const browsers = [];

before(async () => {
  await server.start();
  browsers.push(await launch(), await launch());
});

after(async () => {
  for (const browser of browsers) await browser.close();
  await server.close();
});

const wait = (ms) => new Promise((resolve) => {
  setTimeout(resolve, ms);
});

/** The processes of a browser that pages run in. */
async function renderersOf(browser) {
  const devtools = await browser.newBrowserCDPSession();
  const { processInfo } = await devtools.send('SystemInfo.getProcessInfo');
  await devtools.detach();
  return processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => id);
}

/** Counts how often a page says that it runs. */
async function ticksOf(one) {
  const ticks = { count: 0, lastMs: 0 };
  await one.page.exposeFunction('tellTick', () => {
    ticks.count += 1;
    ticks.lastMs = Date.now();
  });
  await one.ask((ms) => void setInterval(() => globalThis.tellTick(), ms), TICK_MS);
  await until('it ticks', () => ticks.count > 3);
  return ticks;
}

/** What somebody sees of another, again and again: [ms, names of tiles that bear the name, states]. */
function watch(one, other) {
  const seen = [];
  const going = { on: true };
  const done = (async () => {
    while (going.on) {
      const tiles = await one.page.getByRole('group')
        .evaluateAll((groups) => groups.map((group) => group.getAttribute('aria-label') ?? ''));
      const states = await one.ask((name) => globalThis.klatchTest.call().room.people
        .filter((person) => person.name === name).map(({ state }) => state), other.name);
      seen.push({ ms: Date.now(), tiles: tiles.filter((label) => label.startsWith(`${other.name},`)), states });
      await wait(250);
    }
  })();
  return { seen, stop: () => {
    going.on = false;
    return done;
  } };
}

test('a page that is stopped for two minutes is marked, is there once at most, and is back within 10 s', {
  timeout: 300_000,
}, async (t) => {
  const room = `stopped-${randomBytes(6).toString('hex')}.${randomBytes(16).toString('base64url')}`;
  const people = await Promise.all([0, 1, 2].map((number) => (
    Participant.open(browsers[number === 0 ? 1 : 0], server.origin, room, number))));
  t.after(() => Promise.all(people.map((one) => one.close())));
  for (const one of people) await one.join();
  await everybodyConnected(people);
  const [asleep, ...rest] = people;
  const ticks = await ticksOf(asleep);
  const watches = rest.map((one) => watch(one, asleep));

  const stoppedMs = Date.now();
  const pids = await renderersOf(browsers[1]);
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
  const go = () => pids.splice(0).forEach((pid) => process.kill(pid, 'SIGCONT'));
  t.after(go);
  await wait(1_000);
  const { count } = ticks;
  await wait(STOPPED_MS / 2);
  await rest[0].seesMoving(rest[1]);
  await rest[1].hears(rest[0]);
  await wait(STOPPED_MS - (Date.now() - stoppedMs));
  assert.equal(ticks.count, count, 'it stood still all the time');

  const since = Date.now();
  go();
  await everybodyConnected(people);
  const connectedMs = Date.now() - since;
  await Promise.all(rest.flatMap((one) => [one.seesMoving(asleep), asleep.seesMoving(one), one.hears(asleep), asleep.hears(one)]));
  const seenMs = Date.now() - since;
  for (const { stop } of watches) await stop();
  const moments = watches.flatMap(({ seen }) => seen.map((moment) => ({ ...moment, ms: moment.ms - stoppedMs })));
  const gone = moments.find(({ states, ms }) => ms < STOPPED_MS && states.length === 0);
  const marked = moments.find(({ states }) => states.length === 1 && states[0] !== 'connected');
  t.diagnostic(`marked after ${marked?.ms} ms, ${gone ? `gone after ${gone.ms} ms` : 'never gone'};`
    + ` back: connected after ${connectedMs} ms, seen and heard both ways within ${seenMs} ms`);

  assert.ok(ticks.count > count, 'it goes on');
  for (const { ms, states, tiles } of moments) {
    const told = `at ${ms} ms: ${tiles.join('; ')} (${states})`;
    assert.ok(states.length <= 1 && tiles.length <= 1, told);
    if (ms < NOTICED_MS || ms > STOPPED_MS) continue;
    assert.notEqual(states[0], 'connected', told);
    if (tiles[0]) assert.match(tiles[0], /reconnecting|no connection|away/i, told);
  }
  assert.ok(connectedMs < BACK_MS, `${connectedMs} ms`);
  assert.deepEqual(people.map((one) => others(people, one).length), [2, 2, 2]);
  assert.deepEqual(people.flatMap(({ errors }) => errors), []);
});

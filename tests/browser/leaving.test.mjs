/* Coming and going. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { everybodyConnected, gathering, others } from './lib/gathering.mjs';
import { pairs } from './lib/participant.mjs';
import { until } from './lib/until.mjs';

const here = gathering();

test('who hangs up goes from every grid at once', async (t) => {
  const people = await here.people(t, 3);
  const [gone, ...rest] = people;
  await gone.hangUp();
  await Promise.all(rest.map((one) => one.gridShows(others(rest, one), 5000)));
  await rest[0].seesMoving(rest[1]);
});

test('who closes the tab goes from every grid', async (t) => {
  const people = await here.people(t, 3);
  const [gone, ...rest] = people;
  await gone.page.close({ runBeforeUnload: true });
  await Promise.all(rest.map((one) => one.gridShows(others(rest, one), 20_000)));
  await rest[0].hears(rest[1]);
});

test('a browser that is killed goes from every grid', async (t) => {
  const people = await here.people(t, 2);
  const [gone, one] = people;
  const devtools = await gone.context.newCDPSession(gone.page);
  void devtools.send('Page.crash').catch(() => {}); // Nobody is left to answer it.
  await one.gridShows([], 30_000);
});

test('a reloaded page comes back in place of itself, without a ghost', async (t) => {
  const people = await here.people(t, 3);
  const [one, other] = people;
  const joined = [];
  await other.page.exposeFunction('heardOf', (what) => joined.push(what));
  await other.ask(() => {
    const { room } = globalThis.klatchTest.call();
    room.on('peer-left', ({ detail }) => globalThis.heardOf(`${detail.person.name} ${detail.reason}`));
  });
  const most = [];
  const watching = setInterval(() => other.grid().then((names) => most.push(names.length)).catch(() => {}), 100);
  t.after(() => clearInterval(watching));
  const places = await other.ask(() => globalThis.klatchTest.call().room.people.map(({ name }) => name));

  await one.reload();
  await one.join();
  await everybodyConnected(people);
  await Promise.all(pairs(people).map(([a, b]) => a.seesMoving(b)));

  assert.deepEqual(joined, [`${one.name} replaced`]);
  assert.ok(Math.max(...most) <= 3, `${Math.max(...most)} tiles`);
  assert.deepEqual(await other.ask(() => globalThis.klatchTest.call().room.people.map(({ name }) => name)), places);
});

test('four people who join in the same second are all connected', async (t) => {
  const people = await here.visitors(t, 4);
  const since = Date.now();
  await Promise.all(people.map((one) => one.join()));
  const tookMs = Date.now() - since;
  await everybodyConnected(people);
  await Promise.all(pairs(people).map(([a, b]) => a.seesMoving(b)));
  t.diagnostic(`joined within ${tookMs} ms`);
});

test('who hung up can come back', async (t) => {
  const people = await here.people(t, 2);
  const [one, other] = people;
  await one.hangUp();
  await other.gridShows([]);
  await one.page.getByRole('button', { name: 'Join again' }).click();
  await one.inCall();
  await everybodyConnected(people);
  await until('both are seen', async () => {
    await one.seesMoving(other);
    return other.seesMoving(one);
  });
});

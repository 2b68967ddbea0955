/* A camera that stands still although nobody turned it off. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { FirefoxParticipant } from '../browser/lib/firefox.mjs';
import { gathering } from '../browser/lib/gathering.mjs';
import { until } from '../browser/lib/until.mjs';

const here = gathering();
const STANDS = 'The picture stands still';

/** How the others' tiles are named at somebody's. */
const labels = async (one) => (await one.page.getByRole('group')
  .evaluateAll((groups) => groups.map((group) => group.getAttribute('aria-label') ?? '')))
  .filter((label) => /^Person \d,/.test(label)).sort();

/** From now on what is drawn there changes no picture, or does again. */
const stop = (one, stopped) => one.ask((still) => {
  const { prototype } = CanvasRenderingContext2D;
  globalThis.drawing ??= prototype.fillRect;
  prototype.fillRect = still ? () => {} : globalThis.drawing;
}, stopped);

test('a picture that has stopped is reported by all who get it, and no other is', { timeout: 120_000 }, async (t) => {
  const [one, other, third] = await here.people(t, 3);
  await Promise.all([one, third].map((who) => who.seesMoving(other)));
  await stop(other, true);
  const since = Date.now();
  for (const [who, whole] of [[one, third], [third, one]]) {
    await until(`${who.name} is told`, async () => {
      const now = await labels(who);
      const wanted = [`${other.name}, connected, ${STANDS}`, `${whole.name}, connected`].sort();
      if (String(now) !== String(wanted)) throw new Error(now.join('; '));
      return true;
    }, 30_000);
    await assert.rejects(who.seesMoving(other, 100));
    await who.hears(other);
    await who.seesMoving(whole);
  }
  t.diagnostic(`told within ${Date.now() - since} ms`);
  assert.deepEqual(await labels(other), [`${one.name}, connected`, `${third.name}, connected`].sort());

  await stop(other, false);
  await until('it is told that it moves', async () => !(await labels(one)).some((label) => label.includes(STANDS)));
  await one.seesMoving(other);
  await other.toggleCamera();
  await until('a camera that is off is said to be off', async () => (await labels(one)).includes(`${other.name}, connected, camera off`));
  // Longer than it takes to report one that stands still.
  await new Promise((resolve) => {
    setTimeout(resolve, 10_000);
  });
  assert.ok((await labels(one)).includes(`${other.name}, connected, camera off`));
});

test('at Firefox a picture from Chromium that has stopped is reported, and the one that moves the other way is not', {
  timeout: 180_000,
}, async (t) => {
  const [ann] = await here.visitors(t, 1);
  const bo = await FirefoxParticipant.open(here.server.origin, ann.room, 1);
  t.after(() => bo.close());
  await ann.join();
  await bo.join();
  await Promise.all([ann.connectedTo([bo]), bo.connectedTo([ann])]);
  await bo.seesMoving(ann);
  const frozen = (one, other) => one.ask((name) => globalThis.klatchTest.person(name).frozen, other.name);
  await stop(ann, true);
  await until('it is told', () => frozen(bo, ann), 30_000);
  await ann.seesMoving(bo);
  assert.equal(await frozen(ann, bo), false);
  await stop(ann, false);
  await until('it moves again', async () => !await frozen(bo, ann));
  assert.deepEqual(bo.errors, []);
});

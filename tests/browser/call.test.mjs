/* What people see, hear and write, through the page, the web server and the backend. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { gathering } from './lib/gathering.mjs';
import { pairs } from './lib/participant.mjs';
import { until } from './lib/until.mjs';

const here = gathering();

for (const count of [2, 3, 4]) {
  test(`${count} people see, hear and read each other, and nobody is taken for another`, async (t) => {
    const people = await here.people(t, count);

    await t.test('each picture moves and is its sender\'s', async () => {
      await Promise.all(pairs(people).map(([one, other]) => one.seesMoving(other)));
    });

    await t.test('from each person their own tone is heard and nobody else\'s', async () => {
      await Promise.all(pairs(people).map(([one, other]) => one.hears(other)));
    });

    await t.test('a line from each arrives once', async () => {
      await Promise.all(people.map((one) => one.openChat()));
      for (const one of people) await one.write(`this is ${one.name}`);
      const wanted = people.map(({ name }) => `this is ${name}`).sort();
      for (const one of people) await until('all is read', async () => (await one.lines()).length >= count);
      for (const one of people) assert.deepEqual((await one.lines()).sort(), wanted);
    });

    await t.test('who mutes is heard by nobody, and again when they unmute', async () => {
      const [one, ...rest] = people;
      await one.toggleMicrophone();
      await Promise.all(rest.map((other) => other.hearsNothingFrom(one)));
      for (const other of rest) {
        assert.equal(await other.ask((name) => globalThis.klatchTest.person(name).mic, one.name), false);
      }
      for (const [a, b] of pairs(rest)) await a.hears(b);
      await one.toggleMicrophone();
      await Promise.all(rest.map((other) => other.hears(one)));
    });
  });
}

test('a camera that is turned off and on again shows the same person, on the same connection', async (t) => {
  const [one, other] = await here.people(t, 2);
  await one.seesMoving(other);
  await other.toggleCamera();
  await until('it is told', () => one.ask((name) => globalThis.klatchTest.person(name).cam === false, other.name));
  await assert.rejects(one.seesMoving(other, 100));
  await other.toggleCamera();
  await one.seesMoving(other);
  await one.hears(other);
});

test('who joins without camera and microphone sees, hears and writes', async (t) => {
  const [one, other] = await here.visitors(t, 2);
  await other.page.getByRole('button', { name: 'Camera', exact: true }).click();
  await other.page.getByRole('button', { name: 'Microphone', exact: true }).click();
  await one.join();
  await other.join();
  await one.connectedTo([other]);
  await other.seesMoving(one);
  await other.hears(one);
  await one.hearsNothingFrom(other);
  await other.toggleCamera();
  await other.toggleMicrophone();
  await one.seesMoving(other);
  await one.hears(other);
});

// Runs alone: six browsers' work on one machine.
/* Six people with small pictures. */

import test from 'node:test';
import { gathering, others } from '../browser/lib/gathering.mjs';

const here = gathering();
const LIMIT_MS = 60_000;

test('6 people with small pictures see and hear each other, and nobody is taken for another', { timeout: 600_000 }, async (t) => {
  const since = Date.now();
  const people = await here.people(t, 6);
  t.diagnostic(`all connected ${Date.now() - since} ms after the first opened the page`);
  // One after another looks at all: reading pictures takes a processor's time too.
  await t.test('each picture moves and is its sender\'s', async () => {
    for (const one of people) await Promise.all(others(people, one).map((other) => one.seesMoving(other, LIMIT_MS)));
  });
  await t.test('from each person their own tone is heard and nobody else\'s', async () => {
    for (const one of people) for (const other of others(people, one)) await one.hears(other);
  });
});

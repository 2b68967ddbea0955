/* The web host goes away in the middle of a call. */

import test from 'node:test';
import { everybodyConnected, gathering } from './lib/gathering.mjs';
import { pairs } from './lib/participant.mjs';
import { until } from './lib/until.mjs';

const OUTAGE_MS = 20_000;
const here = gathering();

/** For a time everybody sees and hears everybody, again and again. */
async function goesOn(people, ms) {
  const end = Date.now() + ms;
  while (Date.now() < end) {
    await Promise.all(pairs(people).map(([one, other]) => one.seesMoving(other, 4000)));
    await Promise.all(pairs(people).map(([one, other]) => one.hears(other)));
  }
}

test('a backend that stands still for 20 s costs no picture, no tone and no newcomer after it', async (t) => {
  const people = await here.people(t, 2);
  const thaw = here.server.freeze();
  t.after(thaw);
  await goesOn(people, OUTAGE_MS);
  thaw();
  const late = await here.newcomer(t, people[0].room, 2);
  await late.join();
  await everybodyConnected([...people, late]);
  await Promise.all(pairs([...people, late]).map(([one, other]) => one.seesMoving(other)));
});

test('a web server that is gone for 20 s costs no picture, no tone and no newcomer after it', async (t) => {
  const people = await here.people(t, 2);
  await here.server.stop();
  await goesOn(people, OUTAGE_MS);
  await until('it is said', () => people[0].ask(() => globalThis.klatchTest.call().room.server === 'away'));
  await here.server.start();
  const late = await here.newcomer(t, people[0].room, 2);
  await late.join();
  await everybodyConnected([...people, late]);
  await Promise.all(pairs([...people, late]).map(([one, other]) => one.seesMoving(other)));
  await until('it is said', () => people[0].ask(() => globalThis.klatchTest.call().room.server === 'online'));
});

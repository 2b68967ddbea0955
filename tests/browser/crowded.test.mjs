/* A host on which polls cost processes, and has hardly any. */

import test from 'node:test';
import { everybodyConnected, gathering } from './lib/gathering.mjs';
import { until } from './lib/until.mjs';

const here = gathering({ settings: 'mode = process\npolls_max = 2\n', counted: true });

test('where two polls can be held four people still meet, and then need one of them', async (t) => {
  const people = await here.visitors(t, 4);
  for (const one of people) {
    await one.page.getByRole('button', { name: 'Camera', exact: true }).click();
    await one.join();
  }
  const since = Date.now();
  await everybodyConnected(people);
  t.diagnostic(`connected ${Date.now() - since} ms after the last one joined`);
  const { room } = people[0];
  // Who waits for a place asks again every few seconds.
  await until('one polls and nobody waits for a place', () => {
    const from = Date.now() - 7000;
    const asked = here.tally.requests.filter((one) => one.room === room && one.waitMs > 0 && one.ms > from);
    const holders = here.tally.holders(room);
    return holders.length === 1 && asked.every(({ key }) => key === holders[0]);
  }, 60_000);
  const late = await here.newcomer(t, room, 4);
  await late.join();
  await everybodyConnected([...people, late]);
});

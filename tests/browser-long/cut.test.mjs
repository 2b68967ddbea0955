// Runs alone: browsers on three machines.
/* Two of three who lose the way to each other, and to nobody else. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { cut, mend, peopleApart } from '../browser/lib/apart.mjs';
import { everybodyConnected, others } from '../browser/lib/gathering.mjs';
import { namespacesPossible } from '../browser/lib/namespaces.mjs';
import { until } from '../browser/lib/until.mjs';

const skip = namespacesPossible() ? false : 'network namespaces need CAP_NET_ADMIN';

async function openPanel(one) {
  await one.page.getByRole('button', { name: 'Settings', exact: true }).click();
  await one.page.getByRole('button', { name: 'How the connections do' }).click();
  await one.page.getByRole('dialog', { name: 'Connections' }).waitFor();
}

/** What the panel shows: the verdict, how many lines of the picture are of no connection, the pairs that have none. */
const mesh = (one) => one.page.getByRole('dialog', { name: 'Connections' }).evaluate((dialog) => ({
  verdict: dialog.querySelector('.verdict').textContent.trim(),
  lines: dialog.querySelectorAll('svg line').length,
  none: dialog.querySelectorAll('svg line.none').length,
  pairs: [...dialog.querySelectorAll('tr:has(th[scope=row])')].filter((row) => row.cells[1].textContent === 'none')
    .map((row) => row.cells[0].textContent),
}));

/** Wait until the panel of somebody shows this pair as the only one without a connection. */
const shows = (one, names, verdict) => until(`${one.name}'s panel shows ${names.join(' – ')}`, async () => {
  const now = await mesh(one);
  // In which order a pair is named is left to the page.
  const right = now.lines === 3 && now.none === 1 && now.pairs.length === 1
    && String(now.pairs[0].split(' – ').sort()) === String(names)
    && [names, [...names].reverse()].some(([a, b]) => now.verdict === verdict(a, b));
  if (!right) throw new Error(JSON.stringify(now));
  return true;
}, 60_000, 500);

/** How a person's tile is named at somebody's. */
const tile = async (one, other) => (await one.page.getByRole('group')
  .evaluateAll((groups) => groups.map((group) => group.getAttribute('aria-label') ?? '')))
  .find((label) => label.startsWith(`${other.name},`)) ?? 'none';

test('a pair that is cut is shown as that pair, in everybody\'s picture of the mesh and at both tiles, and nobody else is', {
  skip, timeout: 300_000,
}, async (t) => {
  const { net, people } = await peopleApart(t, 3);
  const [one, other, third] = people;
  for (const who of people) await who.join();
  await everybodyConnected(people);
  for (const who of people) await openPanel(who);
  for (const who of people) {
    await until('all three are drawn as connected', async () => {
      const now = await mesh(who);
      return now.lines === 3 && now.none === 0 && now.pairs.length === 0;
    });
  }

  const since = Date.now();
  cut(net, 0, 1);
  await until('both tiles say so', async () => (await Promise.all([tile(one, other), tile(other, one)]))
    .every((label) => label.includes('Reconnecting…')), 30_000);
  const noticedMs = Date.now() - since;
  await Promise.all([
    shows(one, ['Person 1', 'You'], () => 'Only the connection between you and Person 1 is weak.'),
    shows(other, ['Person 0', 'You'], () => 'Only the connection between you and Person 0 is weak.'),
    shows(third, ['Person 0', 'Person 1'], (a, b) => `The connection between ${a} and ${b} is weak. Yours are good.`),
  ]);
  const shownMs = Date.now() - since;
  await until('both are told that there is no way', async () => (await Promise.all([tile(one, other), tile(other, one)]))
    .every((label) => label.includes('No connection')), 120_000);
  t.diagnostic(`at both tiles after ${noticedMs} ms, in all pictures of the mesh after ${shownMs} ms, "no connection" after`
    + ` ${Date.now() - since} ms`);
  for (const [who, whom] of [[one, third], [other, third], [third, one], [third, other]]) {
    assert.match(await tile(who, whom), /connected/, `${whom.name} at ${who.name}`);
    await who.seesMoving(whom);
    await who.hears(whom);
  }
  assert.deepEqual(await Promise.all(people.map(async (who) => (await who.grid()).length)), [3, 3, 3]);

  for (const machine of [0, 1]) mend(net, machine);
  await until('all are connected again', async () => (await Promise.all(people.map((who) => who.others())))
    .every((list, at) => list.length === others(people, people[at]).length && list.every((text) => text.endsWith(' connected'))), 60_000);
  for (const who of people) await until('the picture is whole again', async () => (await mesh(who)).none === 0, 30_000);
  await one.seesMoving(other);
  await other.hears(one);
  assert.deepEqual(people.flatMap(({ errors }) => errors), []);
});

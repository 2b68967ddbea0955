/* Two people whose machines reach a relay and not each other. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { RELAY_LINE, cut, openRelay, peopleApart } from '../browser/lib/apart.mjs';
import { choose, newFile, savedHash, says, take } from '../browser/lib/sending.mjs';
import { namespacesPossible } from '../browser/lib/namespaces.mjs';
import { until } from '../browser/lib/until.mjs';

const skip = namespacesPossible() ? false : 'network namespaces need CAP_NET_ADMIN';

/** What the panel of connections says of a kind of fact, for each person. */
async function facts(one, label) {
  await one.page.getByRole('button', { name: 'Settings', exact: true }).click();
  await one.page.getByRole('button', { name: 'How the connections do' }).click();
  const dialog = one.page.getByRole('dialog', { name: 'Connections' });
  const found = await until(`${label} is told`, async () => {
    const texts = await dialog.locator('dl > div').filter({ has: one.page.getByText(label, { exact: true }) }).locator('dd')
      .allTextContents();
    return texts.length > 0 && texts.every((text) => text !== '–') ? texts : null;
  });
  await dialog.getByRole('button', { name: 'Close' }).click();
  return found;
}

/** Of which kinds the two ends of the path in use are. */
const ends = (one) => one.ask(async () => {
  const reports = await globalThis.klatchRtc.reports();
  return reports.flatMap((report) => {
    const all = [...report.values()];
    const { selectedCandidatePairId } = all.find(({ type }) => type === 'transport');
    const pair = report.get(selectedCandidatePairId);
    return [report.get(pair.localCandidateId).candidateType, report.get(pair.remoteCandidateId).candidateType];
  });
});

test('through a relay alone, pictures, sound, lines and files go both ways, and the panel says that they are relayed', {
  skip, timeout: 180_000,
}, async (t) => {
  const { people } = await peopleApart(t, 2, {
    settings: RELAY_LINE,
    scripts: ['counted-rtc.js', 'no-picker.js'],
    prepare: async (net) => {
      cut(net, 0, 1);
      await openRelay(t, net);
    },
  });
  const [one, other] = people;
  await one.join();
  await other.join();
  const since = Date.now();
  await Promise.all([one.connectedTo([other]), other.connectedTo([one])]);
  t.diagnostic(`connected ${Date.now() - since} ms after the second one joined`);
  await Promise.all([one.seesMoving(other), other.seesMoving(one), one.hears(other), other.hears(one)]);
  for (const who of people) assert.ok((await ends(who)).includes('relay'), `the path of ${who.name}: ${await ends(who)}`);
  for (const who of people) assert.deepEqual(await facts(who, 'Path'), ['through a relay']);

  await Promise.all(people.map((who) => who.openChat()));
  for (const who of people) await who.write(`this is ${who.name}`);
  for (const who of people) {
    await until('both lines are read', async () => String((await who.lines()).sort()) === 'this is Person 0,this is Person 1');
  }
  const file = newFile(t, 2);
  await choose(one, file);
  await take(other, file);
  await says(other, /^Complete/);
  assert.equal((await savedHash(other, file)).hash, file.hash);
  assert.deepEqual(people.flatMap(({ errors }) => errors), []);
});

/* A relay whose passwords expire, in a call that lasts longer than they do. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { cut, expiringRelay, openRelay, peopleApart } from '../browser/lib/apart.mjs';
import { namespacesPossible } from '../browser/lib/namespaces.mjs';
import { until } from '../browser/lib/until.mjs';

const skip = namespacesPossible() ? false : 'network namespaces need CAP_NET_ADMIN';
const LIFETIME_MS = 60_000;

/** The relay's address of the path in use, here, and the user name that got it. */
const path = (one) => one.ask(async () => {
  const [report] = await globalThis.klatchRtc.reports();
  const transport = [...report.values()].find(({ type }) => type === 'transport');
  const pair = report.get(transport?.selectedCandidatePairId);
  const local = report.get(pair?.localCandidateId);
  return local ? { type: local.candidateType, address: `${local.address}:${local.port}`, fragment: local.usernameFragment } : null;
});

test('passwords that expire carry a call, and one that lasts longer finds its path anew with later ones', {
  skip, timeout: 240_000,
}, async (t) => {
  const { people } = await peopleApart(t, 2, {
    settings: expiringRelay(LIFETIME_MS),
    scripts: ['counted-rtc.js'],
    prepare: async (net) => {
      cut(net, 0, 1);
      await openRelay(t, net, { expiring: true });
    },
  });
  const [one, other] = people;
  const since = Date.now();
  await one.join();
  await other.join();
  await Promise.all([one.connectedTo([other]), other.connectedTo([one])]);
  await one.seesMoving(other);
  const before = await path(one);
  assert.ok(before, 'there is a path');
  await until('the first passwords have expired', () => Date.now() - since > LIFETIME_MS + 15_000, LIFETIME_MS + 60_000, 1_000);
  for (const who of people) await who.ask(() => { globalThis.dispatchEvent(new Event('online')); });
  await until('there is another path', async () => {
    const now = await path(one);
    return now !== null && now.fragment !== before.fragment;
  }, 40_000, 500);
  await Promise.all([one.connectedTo([other]), one.seesMoving(other), other.seesMoving(one)]);
  assert.deepEqual(people.flatMap(({ errors }) => errors), []);
});

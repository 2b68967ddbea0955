// Runs alone: it measures how long things take.
/* What networks do to a call, each person on a machine of their own: packets are lost, the
 * interface goes and comes, the address changes. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { machines, over, sees, skip, wait } from '../browser/lib/machines.mjs';
import { everybodyConnected, others } from '../browser/lib/gathering.mjs';
import { until } from '../browser/lib/until.mjs';

const PEOPLE = 3;
const LOSS_MS = 10_000;
const DOWN_MS = 15_000;
/** From when the network is well again. */
const BACK_MS = 30_000;
/** The budget grows 8% in 5 s from what it fell to in LOSS_MS. */
const SIZE_BACK_MS = 120_000;

/** People with the chat open, the first one seen by all. */
async function talking(t) {
  const { net, people } = await machines(t, PEOPLE);
  const [one] = people;
  await Promise.all(others(people, one).map((other) => sees(other, one, 40_000, 240)));
  await Promise.all(people.map((person) => person.openChat()));
  return { net, people, one, rest: others(people, one) };
}

/** Note who is no longer there in somebody's call, until it is ended. */
function watchPeople(people) {
  const missed = new Set();
  const stop = new AbortController();
  const watching = (async () => {
    while (!stop.signal.aborted) {
      for (const one of people) {
        const there = String(await one.others());
        for (const { name } of others(people, one)) {
          if (there.split(name).length !== 2) missed.add(`${one.name} has: ${there}`);
        }
      }
      await wait(300);
    }
  })();
  return async () => {
    stop.abort();
    await watching;
    return [...missed];
  };
}

/** Everybody says something now. */
async function everybodyWrites(people, what) {
  for (const one of people) await one.write(`${what} ${one.name}`);
  return people.map(({ name }) => `${what} ${name}`);
}

/** Wait until these lines are with everybody; later none is there twice. */
async function arrive(people, lines, limitMs) {
  await Promise.all(people.map((one) => until(`${one.name} has all lines`, async () => {
    const shown = await one.lines();
    const missing = lines.filter((line) => !shown.includes(line));
    if (missing.length > 0) throw new Error(`without ${missing}`);
    return true;
  }, limitMs)));
}

async function onceEach(people, lines) {
  for (const one of people) assert.deepEqual((await one.lines()).sort(), [...lines].sort(), one.name);
}

/** The addresses that somebody's connections lead to. */
const leadTo = (one) => one.ask(async () => (await globalThis.klatchRtc.reports()).map((report) => {
  const { selectedCandidatePairId } = [...report.values()].find(({ type }) => type === 'transport');
  return report.get(report.get(selectedCandidatePairId)?.remoteCandidateId)?.address;
}));

/** How long it takes until all are connected, and see and hear the first. */
async function comesBack(t, { people, one, rest }) {
  const since = Date.now();
  const took = () => ((Date.now() - since) / 1000).toFixed(1);
  await until('all are connected', async () => {
    const all = (await Promise.all(people.map((person) => person.others()))).flat();
    if (all.some((text) => !text.endsWith(' connected'))) throw new Error(all.join(', '));
    return true;
  }, BACK_MS, 100);
  t.diagnostic(`all connected after ${took()} s`);
  await everybodyConnected(people);
  await Promise.all(rest.flatMap((other) => [sees(other, one, BACK_MS), sees(one, other, BACK_MS)]));
  t.diagnostic(`pictures after ${took()} s`);
  await Promise.all(rest.map((other) => other.hears(one)));
}

test('through ten seconds of 30% loss the call and its lines go on, nobody is gone, and the picture is as large again', { skip, timeout: 300_000 }, async (t) => {
  const call = await talking(t);
  const { net, people, one, rest } = call;
  const before = await Promise.all(rest.map((other) => over(other, one, 3_000)));
  const endWatch = watchPeople(people);
  net.lose(0, 30);
  const [during, lines] = await Promise.all([
    Promise.all(rest.map((other) => over(other, one, LOSS_MS))),
    everybodyWrites(people, 'Through loss'),
  ]);
  t.diagnostic(`budget ${await one.ask(() => globalThis.klatchTest.call().room.budget.bits)}`);
  net.lose(0, 0);
  const since = Date.now();
  await arrive(people, lines, BACK_MS);
  t.diagnostic(`lines by ${((Date.now() - since) / 1000).toFixed(1)} s after the loss`);
  await comesBack(t, call);
  await Promise.all(rest.map((other, at) => sees(other, one, SIZE_BACK_MS, before[at].height)));
  t.diagnostic(`as large as before after ${((Date.now() - since) / 1000).toFixed(1)} s`);
  t.diagnostic(`before ${JSON.stringify(before)}`);
  t.diagnostic(`during ${JSON.stringify(during)}`);
  for (const { lost } of during) assert.ok(lost > 0.15, `${lost} of the sound was lost`);
  assert.deepEqual(await endWatch(), []);
  await onceEach(people, lines);
});

test('an interface that goes for 15 s and comes back brings the call back, with each line once', { skip, timeout: 300_000 }, async (t) => {
  const call = await talking(t);
  const { net, people, rest } = call;
  const endWatch = watchPeople(people);
  net.down(0);
  const since = Date.now();
  await Promise.all(people.map((person) => until(`${person.name} is told`, async () => String(await person.others()).includes('reconnecting'), DOWN_MS)));
  const lines = await everybodyWrites(people, 'While it was down');
  await arrive(rest, lines.slice(1), DOWN_MS);
  await wait(Math.max(0, since + DOWN_MS - Date.now()));
  net.up(0);
  await comesBack(t, call);
  await arrive(people, lines, BACK_MS);
  assert.deepEqual(await endWatch(), []);
  await onceEach(people, lines);
  t.diagnostic(`connections made: ${await Promise.all(people.map((person) => person.ask(() => globalThis.klatchRtc.made)))}`);
});

test('a changed address finds another path, with each line once', { skip, timeout: 300_000 }, async (t) => {
  const call = await talking(t);
  const { net, people, rest } = call;
  const endWatch = watchPeople(people);
  const address = net.readdress(0);
  const since = Date.now();
  const lines = await everybodyWrites(people, 'While it changed');
  await Promise.all(rest.map((other) => until(`${other.name} goes by the new address`, async () => {
    const now = await leadTo(other);
    if (!now.includes(address)) throw new Error(`${now}`);
    return true;
  }, BACK_MS)));
  t.diagnostic(`the new address is used after ${((Date.now() - since) / 1000).toFixed(1)} s`);
  await comesBack(t, call);
  await arrive(people, lines, BACK_MS);
  assert.deepEqual(await endWatch(), []);
  await onceEach(people, lines);
  t.diagnostic(`connections made: ${await Promise.all(people.map((person) => person.ask(() => globalThis.klatchRtc.made)))}`);
});

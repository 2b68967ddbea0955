/* In which codecs the pictures go, as the browsers at both ends measure it. */

import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import test from 'node:test';
import { gathering } from './lib/gathering.mjs';
import { pairs } from './lib/participant.mjs';
import { until } from './lib/until.mjs';

const script = (name) => fileURLToPath(new URL(`./lib/${name}`, import.meta.url));
const here = gathering({ scripts: [script('counted-rtc.js')] });
const inHardware = gathering({ scripts: [script('counted-rtc.js'), script('efficient-h264.js')] });

/** The codecs of all pictures that go out and come in at somebody's. */
const codecs = (one) => one.ask(async () => (await globalThis.klatchRtc.reports()).flatMap((report) => [...report.values()]
  .filter(({ type, kind }) => (type === 'outbound-rtp' || type === 'inbound-rtp') && kind === 'video')
  .map(({ type, codecId }) => `${type.split('-')[0]} ${report.get(codecId)?.mimeType}`)));

/** Wait until each person's pictures go out and come in by this codec, once for each of the others. */
const goBy = (people, type) => Promise.all(people.map((one) => until(`${one.name}'s pictures go by ${type}`, async () => {
  const now = (await codecs(one)).sort();
  const wanted = ['inbound', 'outbound'].flatMap((way) => people.slice(1).map(() => `${way} ${type}`));
  if (String(now) !== String(wanted)) throw new Error(now.join(', '));
  return true;
}, 30_000)));

test('two have AV1 both ways, three VP8, and the first two negotiate nothing for it', async (t) => {
  const [one, other] = await here.people(t, 2);
  await goBy([one, other], 'video/AV1');
  await Promise.all([one.seesMoving(other), other.seesMoving(one)]);
  const described = () => Promise.all([one, other].map((person) => person.ask(() => globalThis.klatchRtc.descriptions)));
  const before = await described();
  const third = await here.newcomer(t, one.room, 2);
  await third.join();
  const all = [one, other, third];
  await goBy(all, 'video/VP8');
  await Promise.all(pairs(all).map(([a, b]) => a.seesMoving(b)));
  assert.deepEqual(await described(), before.map((count) => count + 1), 'one offer to the third each');
});

test('two whose browsers have H.264 in hardware use it both ways', async (t) => {
  const people = await inHardware.people(t, 2);
  await goBy(people, 'video/H264');
  await Promise.all(pairs(people).map(([a, b]) => a.seesMoving(b)));
});

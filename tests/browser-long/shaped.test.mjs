// Runs alone: it measures what goes through.
/* A slow upload, each person on a machine of their own. */

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { Namespaces, namespacesPossible } from '../browser/lib/namespaces.mjs';
import { Participant } from '../browser/lib/participant.mjs';
import { Server } from '../browser/lib/server.mjs';
import { until } from '../browser/lib/until.mjs';
import { everybodyConnected, others } from '../browser/lib/gathering.mjs';

const lib = (name) => fileURLToPath(new URL(`../browser/lib/${name}`, import.meta.url));
const PEOPLE = Number(process.env.PEOPLE ?? 3);
const UPLOAD = '500kbit';
const skip = namespacesPossible() ? false : 'network namespaces need CAP_NET_ADMIN';
/** Of the sound, made up for what didn't come: so much more than before. A busy machine makes up some by itself. */
const CONCEALED_MORE_MAX = 0.03;

/** What has come in from somebody since their connection began. */
const received = (one, other) => one.ask(async (name) => {
  const { stream } = globalThis.klatchTest.call().room.people.find((person) => person.name === name);
  const tracks = stream.getTracks().map(({ id }) => id);
  const all = (await globalThis.klatchRtc.reports()).flatMap((report) => [...report.values()])
    .filter(({ type, trackIdentifier }) => type === 'inbound-rtp' && tracks.includes(trackIdentifier));
  const sound = all.find(({ kind }) => kind === 'audio');
  const picture = all.find(({ kind }) => kind === 'video');
  return { samples: sound.totalSamplesReceived, concealed: sound.concealedSamples - (sound.silentConcealedSamples ?? 0),
    frames: picture.framesDecoded ?? 0, freezes: picture.freezeCount ?? 0, bytes: (picture.bytesReceived ?? 0) + sound.bytesReceived };
}, other.name);

const wait = (ms) => new Promise((resolve) => {
  setTimeout(resolve, ms);
});

/** What came in over a time. */
async function over(one, other, ms) {
  const from = await received(one, other);
  await wait(ms);
  const to = await received(one, other);
  const grown = Object.fromEntries(Object.entries(to).map(([what, value]) => [what, value - from[what]]));
  return { concealed: grown.concealed / grown.samples, frames: grown.frames, freezes: grown.freezes, bits: (grown.bytes * 8000) / ms };
}

test(`with ${UPLOAD} of upload to ${PEOPLE - 1}, sound has no gaps and pictures go on while the budget shrinks`, { skip, timeout: 300_000 }, async (t) => {
  const server = new Server();
  t.after(() => server.close());
  await server.start();
  const net = new Namespaces(server.folder);
  t.after(() => net.close());
  await net.open(PEOPLE, server.port);
  const room = `test-${randomBytes(6).toString('hex')}`;
  const people = await Promise.all(Array.from({ length: PEOPLE }, async (_, number) => {
    const browser = await net.launch(number);
    t.after(() => browser.close());
    return Participant.open(browser, server.origin, room, number, [lib('noisy-media.js'), lib('counted-rtc.js')]);
  }));
  const [slow] = people;
  const rest = others(people, slow);
  await Promise.all(people.map((one) => one.join()));
  await everybodyConnected(people);
  await until('all get pictures', async () => {
    const all = await Promise.all(rest.map((one) => over(one, slow, 1_000)));
    return all.every(({ frames }) => frames > 0);
  }, 40_000, 0);
  const before = await Promise.all(rest.map((one) => over(one, slow, 5_000)));
  const budget = () => slow.ask(() => globalThis.klatchTest.call().room.budget.bits);
  const bitsBefore = await budget();

  net.shape(0, UPLOAD);
  await until('the budget has shrunk', async () => {
    const bits = await budget();
    if (bits > 1_000_000) throw new Error(`it is ${bits}`);
    return true;
  }, 90_000, 500);
  await wait(10_000);
  const after = await Promise.all(rest.map((one) => over(one, slow, 20_000)));
  const back = await Promise.all(rest.map((one) => over(slow, one, 3_000)));
  t.diagnostic(`before: ${JSON.stringify({ bits: bitsBefore, before })}`);
  t.diagnostic(`after: ${JSON.stringify({ bits: await budget(), after, back })}`);
  for (const [at, { concealed, frames, bits }] of after.entries()) {
    assert.ok(concealed < before[at].concealed + CONCEALED_MORE_MAX, `${(concealed * 100).toFixed(1)}% of the sound was made up`);
    assert.ok(frames >= 20 * 5, `${frames} pictures in 20 s`);
    assert.ok(bits > 30_000, `${bits} bits a second`);
  }
  assert.ok(after.reduce((sum, { bits }) => sum + bits, 0) < 500_000);
  for (const { frames } of back) assert.ok(frames > 10, 'whose line is well is seen as before');
  for (const one of rest) await one.hears(slow);
});

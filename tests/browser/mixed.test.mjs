/* A Chromium and Debian's Firefox in one sealed room, through the web server and the backend. */

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import test, { after, before } from 'node:test';
import { fileURLToPath } from 'node:url';
import { FirefoxParticipant } from './lib/firefox.mjs';
import { Participant, launch } from './lib/participant.mjs';
import { Server } from './lib/server.mjs';
import { until } from './lib/until.mjs';

const COUNTING = fileURLToPath(new URL('./lib/counted-rtc.js', import.meta.url));
const server = new Server();
let chromium;

before(async () => {
  await server.start();
  chromium = await launch();
});

after(async () => {
  await chromium?.close();
  await server.close();
});

/** What has come in of others' sound, as the browser itself measures it: 0 is silence. */
const energy = (one) => one.ask(async () => {
  const all = (await globalThis.klatchRtc.reports()).flatMap((report) => [...report.values()]);
  return all.filter(({ type, kind }) => type === 'inbound-rtp' && kind === 'audio')
    .reduce((sum, { totalAudioEnergy = 0 }) => sum + totalAudioEnergy, 0);
});

/** Wait until sound comes in: the energy grows well above noise. */
async function soundComesTo(one) {
  const from = await energy(one);
  await until(`sound comes to ${one.name}`, async () => await energy(one) > from + 0.001);
}

test('somebody at Chromium and somebody at Firefox see, hear and read each other in a sealed room', async (t) => {
  const room = `mixed-${randomBytes(6).toString('hex')}.${randomBytes(16).toString('base64url')}`;
  const [ann, bo] = await Promise.all([
    Participant.open(chromium, server.origin, room, 0, [COUNTING]),
    FirefoxParticipant.open(server.origin, room, 1, [COUNTING]),
  ]);
  t.after(() => Promise.all([ann.close(), bo.close()]));
  await ann.join();
  await bo.join();
  await Promise.all([ann.connectedTo([bo]), bo.connectedTo([ann])]);
  for (const one of [ann, bo]) assert.equal(await one.ask(() => globalThis.klatchTest.call().room.sealed), true);

  await t.test('each picture moves and is its sender\'s', () => Promise.all([ann.seesMoving(bo), bo.seesMoving(ann)]));

  await t.test('sound goes both ways, and stops when it is muted', async () => {
    await Promise.all([soundComesTo(ann), soundComesTo(bo)]);
    await ann.toggleMicrophone();
    await until('it is told', () => bo.ask((name) => globalThis.klatchTest.person(name).mic === false, ann.name));
    await until('Firefox gets silence', async () => {
      const from = await energy(bo);
      await new Promise((resolve) => {
        setTimeout(resolve, 1000);
      });
      return await energy(bo) - from < 0.0001;
    });
    await ann.toggleMicrophone();
    await soundComesTo(bo);
  });

  await t.test('a line from each arrives once', async () => {
    await Promise.all([ann.openChat(), bo.openChat()]);
    await ann.write('this is Chromium');
    await bo.write('this is Firefox');
    for (const one of [ann, bo]) {
      await until('both are read', async () => (await one.lines()).length >= 2);
      assert.deepEqual((await one.lines()).sort(), ['this is Chromium', 'this is Firefox']);
    }
  });

  assert.deepEqual([...ann.errors, ...bo.errors], []);
});

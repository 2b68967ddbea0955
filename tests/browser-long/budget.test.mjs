// Runs alone: it measures what comes in.
/* Who gets how many bits, as it arrives at the other end. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { gathering } from '../browser/lib/gathering.mjs';
import { until } from '../browser/lib/until.mjs';

const NOISY = fileURLToPath(new URL('../browser/lib/noisy-media.js', import.meta.url));
const COUNTING = fileURLToPath(new URL('../browser/lib/counted-rtc.js', import.meta.url));
const here = gathering({ scripts: [NOISY, COUNTING] });

/** What comes in from somebody over a time: bits a second, frames, the picture's height, sound. */
function arrives(one, other, ms = 3_000) {
  return one.ask(async ({ name, time }) => {
    const read = async () => {
      const { room } = globalThis.klatchTest.call();
      const person = room.people.find((its) => its.name === name);
      const [track] = person.stream.getVideoTracks();
      const [sound] = person.stream.getAudioTracks();
      let found = null;
      for (const report of await globalThis.klatchRtc.reports()) {
        for (const its of report.values()) {
          if (its.type !== 'inbound-rtp') continue;
          if (its.trackIdentifier === track.id) found = { ...found, bytes: its.bytesReceived, frames: its.framesDecoded, height: its.frameHeight };
          if (its.trackIdentifier === sound.id) found = { ...found, sound: its.bytesReceived };
        }
      }
      return found;
    };
    const before = await read();
    await new Promise((resolve) => {
      setTimeout(resolve, time);
    });
    const after = await read();
    return { bits: ((after.bytes - before.bytes) * 8000) / time, frames: after.frames - before.frames, height: after.height,
      sound: ((after.sound - before.sound) * 8000) / time };
  }, { name: other.name, time: ms });
}

const chooseQuality = async (one, quality) => {
  await one.page.getByRole('button', { name: 'Settings', exact: true }).click();
  await one.page.getByRole('dialog').getByLabel('Data use').selectOption(quality);
  await one.page.getByRole('button', { name: 'Done', exact: true }).click();
};

/** Wait until what arrives is so. */
function until3s(what, one, other, condition) {
  return until(what, async () => {
    const now = await arrives(one, other, 2_000);
    if (!condition(now)) throw new Error(JSON.stringify(now));
    return now;
  }, 30_000, 0);
}

/** What a browser does when another tab is in front. */
const hide = (one, hidden) => one.ask((value) => {
  Object.defineProperty(document, 'hidden', { value, configurable: true });
  document.dispatchEvent(new Event('visibilitychange'));
}, hidden);

test('a large picture gets more bits than a small one, and a hidden one none, without a negotiation', { timeout: 120_000 }, async (t) => {
  const [sender, large, small] = await here.people(t, 3);
  await small.page.setViewportSize({ width: 360, height: 420 });
  const described = await sender.ask(() => globalThis.klatchRtc.descriptions);
  const few = await until3s('the small picture is small', small, sender, ({ height, frames, bits }) => frames > 5 && height <= 120 && bits < 150_000);
  const much = await until3s('the large picture is large', large, sender, ({ height, bits }) => height > 120 && bits > 250_000);
  assert.ok(much.bits > 2 * few.bits, JSON.stringify([much, few]));

  await hide(small, true);
  await until3s('nothing arrives where it is hidden', small, sender, ({ frames, bits }) => frames === 0 && bits < 2_000);
  const [still, going] = await Promise.all([arrives(small, sender), arrives(large, sender)]);
  assert.equal(still.frames, 0);
  assert.ok(still.sound > 10_000, 'the sound goes on');
  assert.ok(going.frames > 10, 'the others still see it');

  await hide(small, false);
  await until3s('it is back', small, sender, ({ frames }) => frames > 10);
  assert.equal(await sender.ask(() => globalThis.klatchRtc.descriptions), described);
});

test('who saves sends less than half, who chose sound only sends and gets no picture', { timeout: 120_000 }, async (t) => {
  const [one, other] = await here.people(t, 2);
  const normal = await until3s('the picture has come up', other, one, ({ bits }) => bits > 400_000);
  await chooseQuality(one, 'saving');
  const saving = await until3s('less arrives', other, one, ({ bits, frames }) => bits < 230_000 && frames > 5);
  assert.ok(saving.bits * 2 < normal.bits);
  await until3s('less is asked for', one, other, ({ height }) => height <= 240);

  await chooseQuality(one, 'sound');
  await until3s('no picture arrives', other, one, ({ frames }) => frames === 0);
  await until3s('and none comes back', one, other, ({ frames }) => frames === 0);
  await other.page.getByRole('group', { name: `${one.name}, connected, Sends sound only`, exact: true }).waitFor();
  await one.page.getByRole('group', { name: `${other.name}, connected, You chose sound only`, exact: true }).waitFor();
  await Promise.all([one.hears(other), other.hears(one)]);

  await chooseQuality(one, 'normal');
  await until3s('the picture is back', other, one, ({ frames }) => frames > 10);
  await until3s('both ways', one, other, ({ frames }) => frames > 10);
});

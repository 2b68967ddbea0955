// Runs alone: it measures what comes in.
/* A pinned picture, as it arrives at the other end. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { everybodyConnected, gathering } from '../browser/lib/gathering.mjs';
import { until } from '../browser/lib/until.mjs';

const script = (name) => fileURLToPath(new URL(`../browser/lib/${name}`, import.meta.url));
const here = gathering({ scripts: ['small-noise.js', 'noisy-media.js', 'counted-rtc.js'].map(script) });
const MEASURE_MS = 3_000;
/** What stands beside a pinned picture is small in it. */
const VIEWPORT = { width: 480, height: 640 };

/** What comes in of somebody's picture over a time: bits a second, its height, frames. */
function arrives(one, other) {
  return one.ask(async ([name, ms]) => {
    const read = async () => {
      const { id } = globalThis.klatchTest.person(name).stream.getVideoTracks()[0];
      return (await globalThis.klatchRtc.reports()).flatMap((report) => [...report.values()])
        .find(({ type, trackIdentifier }) => type === 'inbound-rtp' && trackIdentifier === id);
    };
    const before = await read();
    await new Promise((resolve) => {
      setTimeout(resolve, ms);
    });
    const after = await read();
    return { bits: ((after.bytesReceived - before.bytesReceived) * 8000) / ms, height: after.frameHeight,
      frames: after.framesDecoded - before.framesDecoded };
  }, [other.name, MEASURE_MS]);
}

async function pin(one, other) {
  await one.page.getByRole('button', { name: `Options for ${other.name}`, exact: true }).click();
  await one.page.getByRole('dialog', { name: other.name }).getByRole('button', { name: 'Pin' }).click();
}

/** Wait until at one of them so much more comes of the sender's picture than at the other. */
function getsMore(more, less, sender, factor) {
  const given = () => sender.ask(() => {
    const { budget } = globalThis.klatchTest.call().room;
    return [budget.bits, ...[...budget.shares].map(([{ name }, { camera }]) => ({ name, ...camera }))];
  });
  return until(`${more.name} gets more of ${sender.name} than ${less.name}`, async () => {
    const [much, few] = await Promise.all([arrives(more, sender), arrives(less, sender)]);
    const right = much.bits > factor * few.bits && much.height > few.height && few.frames > 3 && much.frames > 3;
    if (!right) throw new Error(JSON.stringify([much, few, await given()]));
    return [much, few];
  }, 60_000, 0);
}

test('a pinned picture gets more bits than the same one beside another that is pinned', { timeout: 240_000 }, async (t) => {
  const people = await here.visitors(t, 3);
  const [sender, one, other] = people;
  for (const who of [one, other]) {
    await who.page.setViewportSize(VIEWPORT);
    await who.page.getByRole('button', { name: 'Camera', exact: true }).click();
  }
  for (const who of people) await who.join();
  await everybodyConnected(people);
  const described = await sender.ask(() => globalThis.klatchRtc.descriptions);
  await pin(one, sender);
  await pin(other, one);
  const first = await getsMore(one, other, sender, 1.7);
  await pin(one, other);
  await pin(other, sender);
  const then = await getsMore(other, one, sender, 1.7);
  for (const [much, few] of [first, then]) {
    t.diagnostic(`pinned ${Math.round(much.bits / 1000)} kbit/s at ${much.height}, beside ${Math.round(few.bits / 1000)} at ${few.height}`);
  }
  assert.equal(await sender.ask(() => globalThis.klatchRtc.descriptions), described);
});

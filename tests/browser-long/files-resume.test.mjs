/* Files whose connection breaks on the way. */

import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import test from 'node:test';
import { gathering } from '../browser/lib/gathering.mjs';
import { choose, newFile, savedHash, says, states, take } from '../browser/lib/sending.mjs';
import { until } from '../browser/lib/until.mjs';

const script = (name) => fileURLToPath(new URL(`../browser/lib/${name}`, import.meta.url));
const here = gathering({ scripts: [script('no-picker.js'), script('counted-rtc.js')] });

test('a file goes on when the connection has broken and is there again', { timeout: 180_000 }, async (t) => {
  const [one, other] = await here.people(t, 2);
  await Promise.all([one, other].map((who) => who.openChat()));
  const file = newFile(t, 60);
  await choose(one, file);
  await take(other, file);
  const done = () => other.page.locator('klatch-file progress').evaluate((bar) => bar.value);
  await until('a part is there', async () => await done() > 0.05);
  await other.ask(() => globalThis.klatchRtc.destroy());
  const before = await done();
  assert.ok(before < 1);
  await says(one, /waiting for the connection/);
  let least = 1;
  await until('it is complete', async () => {
    const now = await states(other);
    if (now.some((text) => /%/.test(text))) least = Math.min(least, await done().catch(() => 1));
    return now.some((text) => /^Complete/.test(text));
  }, 120_000);
  assert.ok(least >= before, `it began again at ${least}, from ${before}`);
  assert.equal((await savedHash(other, file)).hash, file.hash);
  await says(one, /has it, complete/);
});

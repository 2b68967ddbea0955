/* A large file during a call of two. */

import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import test from 'node:test';
import { gathering } from '../browser/lib/gathering.mjs';
import { choose, linesWhile, median, newFile, quantile, savedHash, says, states, take } from '../browser/lib/sending.mjs';

const here = gathering({ scripts: [fileURLToPath(new URL('../browser/lib/no-picker.js', import.meta.url))] });
const MEGABYTES = 200;

test('a file of 200 MB comes whole during a call, and lines get through meanwhile', { timeout: 600_000 }, async (t) => {
  const [one, other] = await here.people(t, 2);
  await Promise.all([one, other].map((who) => who.openChat()));
  const file = newFile(t, MEGABYTES);
  await choose(one, file);
  await take(other, file);
  await says(other, /%/);
  const since = Date.now();
  const after = await linesWhile(other, one, async () => !(await states(one)).some((text) => /complete|Failed/.test(text)));
  const seconds = (Date.now() - since) / 1000;
  t.diagnostic(`${(MEGABYTES / seconds).toFixed(1)} MB a second; ${after.length} lines, p50 ${median(after)} ms, p95 ${quantile(after, 0.95)} ms,`
    + ` at most ${Math.max(...after)} ms`);
  assert.ok(quantile(after, 0.95) < 500, `${quantile(after, 0.95)} ms`);
  assert.equal((await savedHash(other, file)).hash, file.hash);
  await other.seesMoving(one);
  await one.seesMoving(other);
});

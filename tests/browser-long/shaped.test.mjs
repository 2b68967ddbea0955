// Runs alone: it measures what goes through.
/* A slow upload, each person on a machine of their own. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { machines, over, sees, skip, wait } from '../browser/lib/machines.mjs';
import { others } from '../browser/lib/gathering.mjs';
import { until } from '../browser/lib/until.mjs';

const PEOPLE = 4;
const UPLOAD = '1mbit';
const UPLOAD_BITS = 1_000_000;
/** Of 15. */
const FPS_MIN = 6;
/** Of the time, with pictures that stand still. */
const FROZEN_MAX = 0.25;
/**
 * The line becomes slow at the beginning of the first. What the line's own queue keeps back then, 0.4 s, is made
 * up for. concealedMore is how much more of the sound may be made up than before: a busy machine makes up some by itself.
 */
const TIMES = [{ ms: 10_000, concealedMore: 0.1 }, { ms: 30_000, concealedMore: 0.03 }];

const budgetOf = (one) => one.ask(() => globalThis.klatchTest.call().room.budget.bits);
const longestTripMs = (one) => one.ask(async () => {
  const all = (await globalThis.klatchRtc.reports()).flatMap((report) => [...report.values()]);
  return Math.max(...all.map(({ type, currentRoundTripTime = 0 }) => (type === 'candidate-pair' ? currentRoundTripTime * 1000 : 0)));
});

/** Four people, then the first one's upload becomes slow. What the others get of them, before and then. */
async function slowUpload(t, scripts = []) {
  const { net, people } = await machines(t, PEOPLE, { noise: 'much-noise.js', scripts });
  const [slow] = people;
  const rest = others(people, slow);
  await Promise.all(rest.map((one) => sees(one, slow, 40_000)));
  await wait(5_000);
  const before = await Promise.all(rest.map((one) => over(one, slow, 5_000)));
  for (const { fps } of before) assert.ok(fps >= FPS_MIN, `${fps} pictures a second before the line is slow`);
  const budgetBefore = await budgetOf(slow);
  net.shape(0, UPLOAD);
  const after = [];
  for (const { ms } of TIMES) after.push(await Promise.all(rest.map((one) => over(one, slow, ms))));
  const tripMs = await longestTripMs(slow);
  const back = await Promise.all(rest.map((one) => over(slow, one, 3_000)));
  const found = { budgetBefore, budget: await budgetOf(slow), tripMs, before, after, back };
  for (const [what, value] of Object.entries(found)) t.diagnostic(`${what}: ${JSON.stringify(value)}`);
  return { ...found, slow, rest };
}

/** Which of what is promised doesn't hold. */
function broken({ before, after }) {
  return after.flatMap((time, which) => time.flatMap(({ concealed, fps, frozen }, at) => [
    concealed < before[at].concealed + TIMES[which].concealedMore ? [] : [`sound: ${(concealed * 100).toFixed(1)}% made up`],
    fps >= FPS_MIN ? [] : [`picture: ${fps} a second`],
    frozen * 1000 < FROZEN_MAX * TIMES[which].ms ? [] : [`picture: frozen for ${frozen} s of ${TIMES[which].ms / 1000}`],
  ].flat()));
}

test(`with ${UPLOAD} of upload to three, sound has no gaps and pictures go on while the budget shrinks`, { skip, timeout: 300_000 }, async (t) => {
  const found = await slowUpload(t);
  assert.deepEqual(broken(found), []);
  assert.ok(found.after.at(-1).reduce((sum, { bits }) => sum + bits, 0) < UPLOAD_BITS);
  for (const { fps } of found.back) assert.ok(fps > FPS_MIN, 'whose line is well is seen as before');
  await until('the budget is within the line', async () => await budgetOf(found.slow) < UPLOAD_BITS * 1.2, 30_000);
  for (const one of found.rest) await one.hears(found.slow);
});

test(`without the budget ${UPLOAD} of upload isn't enough for the same`, { skip, timeout: 300_000 }, async (t) => {
  const found = await slowUpload(t, ['no-limits.js']);
  const what = broken(found);
  t.diagnostic(`doesn't hold: ${what.join('; ')}`);
  assert.notDeepEqual(what, []);
});

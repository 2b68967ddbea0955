/* Files between real pages, during a call. */

import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import test from 'node:test';
import { gathering } from './lib/gathering.mjs';
import { choose, linesWhile, median, newFile, savedHash, says, states, take } from './lib/sending.mjs';
import { until } from './lib/until.mjs';

const script = (name) => fileURLToPath(new URL(`./lib/${name}`, import.meta.url));
const here = gathering({ scripts: [script('no-picker.js')] });

async function chatting(t, count) {
  const people = await here.people(t, count);
  await Promise.all(people.map((one) => one.openChat()));
  return people;
}

test('a file of 20 MB comes whole during a call, and lines get through meanwhile', { timeout: 180_000 }, async (t) => {
  const [one, other] = await chatting(t, 2);
  const file = newFile(t, 20);
  await choose(one, file);
  await take(other, file);
  await says(other, /%/);
  const since = Date.now();
  const after = await linesWhile(other, one, async () => !(await states(one)).some((text) => /complete|Failed/.test(text)));
  t.diagnostic(`${after.length} lines, median ${median(after)} ms, at most ${Math.max(...after)} ms`);
  assert.ok(after.length >= 3, `only ${after.length} lines in that time`);
  // Behind the file's bytes a line would take as long as they do.
  const tookMs = Date.now() - since;
  assert.ok(median(after) < Math.max(500, tookMs / 5), `${median(after)} ms, the file took ${tookMs} ms`);
  assert.deepEqual(await savedHash(other, file), { hash: file.hash, name: file.name });
  await other.seesMoving(one);
});

test('a file is cancelled by who gets it and by who sends it, and both are told', { timeout: 120_000 }, async (t) => {
  const [one, other] = await chatting(t, 2);
  const cancel = (who, name) => who.page.getByRole('button', { name: `Cancel ${name}` }).click();
  for (const [who, name] of [[other, 'first.bin'], [one, 'second.bin']]) {
    const file = newFile(t, 40, name);
    await choose(one, file);
    await take(other, file);
    await until('it is on its way', async () => (await states(other)).some((text) => /^[1-9]\d*%/.test(text)));
    await cancel(who, name);
    await Promise.all([says(one, /: Cancelled/), says(other, /^Cancelled/)]);
    assert.equal(await other.page.getByRole('link', { name: `Save ${name}` }).count(), 0);
  }
  const left = await other.ask(async () => {
    const names = [];
    for await (const name of (await navigator.storage.getDirectory()).keys()) names.push(name);
    return names;
  });
  assert.deepEqual(left, [], 'nothing of it stays on the disk');
});

test('a file to one person is not offered to the third', { timeout: 90_000 }, async (t) => {
  const [one, other, third] = await chatting(t, 3);
  const file = newFile(t, 1, 'letter.txt');
  await one.page.getByRole('combobox', { name: 'To' }).selectOption({ label: other.name });
  await choose(one, file);
  await take(other, file);
  await says(other, /^Complete/);
  assert.equal((await savedHash(other, file)).hash, file.hash);
  await third.write('anything?');
  await until('that is read', async () => (await one.lines()).includes('anything?'));
  assert.equal(await third.page.locator('klatch-file').count(), 0);
});

test('a small picture shows by itself, and what only says that it is one does not', { timeout: 90_000 }, async (t) => {
  const [one, other] = await chatting(t, 2);
  await one.ask(async () => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 64, height: 48 });
    canvas.getContext('2d').fillRect(0, 0, 20, 20);
    const blob = await new Promise((resolve) => {
      canvas.toBlob(resolve);
    });
    const desk = await globalThis.klatchTest.call().room.files();
    desk.offer(new File([blob], 'drawing.png', { type: 'image/png' }));
    desk.offer(new File(['<svg onload="alert(1)">'.repeat(9)], 'sly.png', { type: 'image/png' }));
  });
  const picture = other.page.getByRole('img', { name: 'drawing.png' });
  await picture.waitFor();
  await until('it is drawn', () => picture.evaluate((image) => image.naturalWidth === 64));
  await other.page.getByRole('link', { name: 'Save sly.png' }).waitFor();
  assert.equal(await other.page.locator('klatch-file img').count(), 1);
});

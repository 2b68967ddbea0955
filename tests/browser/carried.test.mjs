/* Two who have no path to each other, and a third who reaches both. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { SCRIPTS, both, generous, threeApart } from './lib/carried.mjs';
import { gathering } from './lib/gathering.mjs';
import { choose, newFile, savedHash, says, take } from './lib/sending.mjs';
import { until } from './lib/until.mjs';

const here = gathering({ scripts: SCRIPTS });
const marked = (one, text, mark) => until(`${one.name} sees of ${text}: ${mark}`, async () => {
  const marks = await one.page.getByRole('article').filter({ hasText: text }).locator('.detour').allTextContents();
  return marks.length === 1 && marks[0] === mark;
});
const reads = (one, text) => until(`${one.name} reads ${text}`, async () => (await one.lines()).includes(text));

test('two with no path write and send a file through a third, who is told, and by mailbox when that one leaves', {
  timeout: 180_000,
}, async (t) => {
  const [one, third, other] = await threeApart(here, t);
  await third.page.getByText('You pass on messages between Person 0 and Person 2, who have no connection.').waitFor();
  await one.page.getByRole('group', { name: 'Person 2, No connection: text and files through Person 1', exact: true }).waitFor();

  await one.write('good morning');
  await reads(other, 'good morning');
  await other.page.getByRole('combobox', { name: 'To' }).selectOption({ label: one.name });
  await other.page.getByRole('textbox', { name: 'Write to Person 0 alone' }).fill('between us');
  await other.page.keyboard.press('Enter');
  await reads(one, 'between us');
  assert.deepEqual(await third.lines(), ['good morning']);
  await marked(one, 'good morning', 'Person 2 gets it through Person 1');
  await marked(one, 'between us', 'through Person 1');
  await marked(other, 'good morning', 'through Person 1');

  await generous(third, 100_000_000);
  const file = newFile(t, 3);
  await choose(other, file);
  await take(one, file);
  await says(one, /^Complete/);
  assert.equal((await savedHash(one, file)).hash, file.hash);
  await says(other, /complete/);

  await third.hangUp();
  await both(one, other, ['no-path', null]);
  await one.page.getByRole('group', { name: 'Person 2, No connection, only text', exact: true }).waitFor();
  await one.write('still here');
  await reads(other, 'still here');
  await marked(other, 'still here', 'by the server’s mailbox');
});

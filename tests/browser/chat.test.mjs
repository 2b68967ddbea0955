/* What people write to each other: to all, to one, before others came. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { everybodyConnected, gathering } from './lib/gathering.mjs';
import { until } from './lib/until.mjs';

const here = gathering();
const writers = (one) => one.page.locator('klatch-chat .writers').textContent();
const reads = (one, text) => until(`${one.name} reads ${text}`, async () => (await one.lines()).includes(text));

test('a line to one person is read by that person alone, and a newcomer is told what was said to all', {
  timeout: 120_000,
}, async (t) => {
  const [one, other, third] = await here.people(t, 3);
  await Promise.all([one, other, third].map((who) => who.openChat()));
  await one.write('good morning');
  await one.page.getByRole('combobox', { name: 'To' }).selectOption({ label: other.name });
  const field = one.page.getByRole('textbox', { name: `Write to ${other.name} alone` });
  await field.pressSequentially('between');
  await until('it is told who writes', async () => await writers(other) === `${one.name} is writing to you alone…`);
  assert.equal(await writers(third), '');
  await field.fill('between us');
  await field.press('Enter');
  await reads(other, 'between us');
  await until('nobody writes any more', async () => await writers(other) === '');
  for (const [who, mark] of [[other, 'to you alone'], [one, `to ${other.name} alone`]]) {
    await who.page.locator('article[data-alone]').getByText(mark).waitFor();
  }
  await other.write('for all');
  await reads(third, 'for all');
  assert.deepEqual(await third.lines(), ['good morning', 'for all']);

  const fourth = await here.newcomer(t, one.room, 3);
  await fourth.join();
  await everybodyConnected([one, other, third, fourth]);
  await fourth.openChat();
  await reads(fourth, 'for all');
  assert.deepEqual(await fourth.lines(), ['good morning', 'for all']);
  await fourth.page.getByText(/^Said before you came, as Person \d tells it$/).waitFor();
});

test('unread lines are counted in the title of the page, until they are read', async (t) => {
  const [one, other] = await here.people(t, 2);
  const title = await other.page.title();
  await one.openChat();
  await one.write('hello');
  await one.write('are you there?');
  await until('two are counted', async () => await other.page.title() === `(2) ${title}`);
  await other.openChat();
  await until('none is', async () => await other.page.title() === title);
});

test('an address is a link that tells nobody where it was followed from', async (t) => {
  const [one, other] = await here.people(t, 2);
  await Promise.all([one, other].map((who) => who.openChat()));
  await one.write('see https://example.org/a?b=c, not javascript:alert(1) or https://bank.example@evil.example/');
  const link = other.page.getByRole('log').getByRole('link');
  await link.waitFor();
  assert.equal(await link.count(), 1);
  assert.deepEqual(await link.evaluate((a) => [a.href, a.textContent, a.rel, a.target]),
    ['https://example.org/a?b=c', 'https://example.org/a?b=c', 'noopener noreferrer', '_blank']);
});

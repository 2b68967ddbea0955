// People without a connection, who are reached through somebody else or by text alone.
import assert from 'node:assert/strict';
import test from 'node:test';
import { gallery } from './browser.mjs';

const within = gallery();

test('who is reached through somebody else is shown as that, on the tile and in its menu, with what would help', () => within('call-carried', {
  size: 'desk' }, async (page) => {
  await page.getByRole('group', { name: /^Maya, No connection: text and files through Amina,/ }).waitFor();
  await page.getByRole('group', { name: /^Jonas Lindqvist, No connection, only text,/ }).waitFor();
  const menu = async (name) => {
    await page.getByRole('button', { name: `Options for ${name}`, exact: true }).click();
    const text = await page.getByRole('dialog', { name, exact: true }).innerText();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog', { name, exact: true }).waitFor({ state: 'hidden' });
    return text;
  };
  assert.match(await menu('Maya'), /Amina passes on text and files of up to 50 MB, and can’t read them\. Another network.*relay \(TURN\)/);
  assert.match(await menu('Jonas Lindqvist'), /Text of up to 4 kB gets through, by the server\. Another network.*relay \(TURN\)/);
  assert.doesNotMatch(await menu('Amina'), /TURN/);
}));

test('lines that went or came by a detour say which, and others say nothing', () => within('call-carried', { size: 'desk' }, async (page) => {
  const marks = async (text) => page.getByRole('article').filter({ hasText: text }).locator('.detour').allTextContents();
  assert.deepEqual(await marks('Can you read this?'), ['through Amina']);
  assert.deepEqual(await marks('And this?'), ['by the server’s mailbox']);
  assert.deepEqual(await marks('Both, thank you'), ['Maya gets it through Amina', 'Jonas Lindqvist gets it by the server’s mailbox']);
  await page.evaluate(() => window.gallery.room.hear(window.gallery.room.people[2], 'directly'));
  await page.getByText('directly', { exact: true }).waitFor();
  assert.deepEqual(await marks('directly'), []);
}));

test('files can be offered to who is reached through somebody else', () => within('call-carried', { size: 'desk' }, async (page) => {
  await page.getByRole('combobox', { name: 'To' }).selectOption('Maya');
  await page.locator('klatch-chat input[type="file"]').setInputFiles({ name: 'plan.txt', mimeType: 'text/plain', buffer: Buffer.from('x') });
  await page.getByText('plan.txt').waitFor();
  assert.deepEqual(await page.evaluate(() => window.gallery.room.desk), [['offer', 'plan.txt', 'Maya']]);
}));

test('who passes on is told for whom, for as long as that lasts', () => within('call-carrying', { size: 'small' }, async (page) => {
  const told = page.getByRole('status').filter({ hasText: 'You pass on messages' });
  await told.getByText('between Maya and Jonas Lindqvist, who have no connection. You can’t read them.').waitFor();
  await told.getByText('between Jonas Lindqvist and Amina').waitFor();
  await page.evaluate(() => {
    const { room } = window.gallery;
    room.carrying = [];
    room.emit('carrying', { pairs: [] });
  });
  await told.waitFor({ state: 'detached' });
}));

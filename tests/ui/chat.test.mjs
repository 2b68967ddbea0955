import assert from 'node:assert/strict';
import test from 'node:test';
import { gallery } from './browser.mjs';

const within = gallery();

const articles = (page) => page.getByRole('log').getByRole('article');
const write = async (page, text) => {
  await page.getByRole('textbox').fill(text);
  await page.getByRole('textbox').press('Enter');
};
const asked = (page, what) => page.evaluate((key) => window.gallery.room[key], what);

test('who reads the next line is chosen by keyboard, and a private one is marked', () => within('call-chat-alone', {}, async (page) => {
  await page.getByRole('combobox', { name: 'To' }).selectOption('Amina');
  await page.getByRole('textbox', { name: 'Write to Amina alone' }).waitFor();
  await write(page, 'only for you');
  await articles(page).filter({ hasText: 'only for you' }).getByText('to Amina alone').waitFor();
  await page.getByRole('combobox', { name: 'To' }).selectOption('Everybody');
  await write(page, 'for all');
  assert.deepEqual((await asked(page, 'said')).map(({ text, to }) => [text, to]), [['only for you', 'Amina'], ['for all', null]]);
  assert.equal(await articles(page).filter({ hasText: 'for all' }).getByText('alone').count(), 0);
}));

test('a draft for one person who leaves is sent to nobody', () => within('call-chat-alone', { size: 'desk' }, async (page) => {
  await page.getByRole('combobox', { name: 'To' }).selectOption('Amina');
  await page.getByRole('textbox').fill('a secret');
  await page.evaluate(() => {
    const { room } = window.gallery;
    room.part(room.people.find(({ name }) => name === 'Amina'), 'left');
  });
  await page.getByRole('option', { name: 'Amina (gone)' }).waitFor({ state: 'attached' });
  await page.getByRole('textbox').press('Enter');
  await page.getByRole('alert').filter({ hasText: 'Amina is gone' }).waitFor();
  assert.deepEqual(await asked(page, 'said'), []);
  assert.equal(await page.getByRole('textbox').inputValue(), 'a secret');
}));

test('who types is told of, and of an empty field that nobody writes', () => within('call-chat-alone', {}, async (page) => {
  await page.getByRole('textbox').fill('h');
  await page.getByRole('textbox').fill('');
  assert.deepEqual(await asked(page, 'wrote'), [{ on: true, to: null }, { on: false, to: null }]);
}));

test('what was said before stands apart, with who tells it', () => within('call-chat-alone', {}, async (page) => {
  await page.getByText('Said before you came, as Maya tells it').waitFor();
  await page.getByText('You came in').waitFor();
  const order = await page.getByRole('log').evaluate((log) => [...log.querySelectorAll('.divider, .text')]
    .slice(0, 5).map((line) => line.textContent.slice(0, 12)));
  assert.deepEqual(order, ['Said before ', 'Shall we mee', 'Yes. The age', 'You came in', 'Good morning']);
}));

test('the chat follows new lines, but not away from what is being read', () => within('call-chat-alone', { size: 'small' }, async (page) => {
  const log = page.getByRole('log');
  const fromEnd = () => log.evaluate((one) => Math.round(one.scrollHeight - one.scrollTop - one.clientHeight));
  const hear = (text) => page.evaluate((line) => window.gallery.room.hear(window.gallery.room.people[0], line), text);
  await hear('at the end');
  await page.getByText('at the end', { exact: true }).waitFor();
  await page.waitForFunction(() => {
    const [one] = window.deep('.log');
    return one.scrollHeight - one.scrollTop - one.clientHeight < 2;
  });
  await log.evaluate((one) => one.scrollTo(0, 0));
  await page.waitForFunction(() => window.deep('.log')[0].scrollTop === 0);
  await hear('unseen');
  await page.getByText('unseen', { exact: true }).waitFor();
  assert.ok(await fromEnd() > 60);
}));

test('a file can be taken, refused and cancelled by its name', () => within('call-files', { size: 'desk' }, async (page) => {
  const minutes = /^Save Minutes of the meeting/;
  await page.getByRole('button', { name: minutes }).click();
  await page.getByRole('button', { name: /^Refuse Minutes/ }).click();
  await page.getByRole('button', { name: 'Cancel holiday.mp4' }).click();
  await page.getByRole('button', { name: 'Cancel plan.pdf' }).click();
  assert.deepEqual((await asked(page, 'desk')).map(([what, name]) => `${what} ${name.slice(0, 7)}`),
    ['save Minutes', 'stop Minutes', 'stop holiday', 'stop plan.pd']);
  const bars = await page.getByRole('progressbar').evaluateAll((all) => all.map((bar) => [bar.getAttribute('aria-label'),
    Math.round(bar.value * 100)]));
  assert.deepEqual(bars, [['How much of holiday.mp4 is there', 33], ['How much of plan.pdf is there', 38],
    ['How much of plan.pdf is there', 13]]);
}));

test('files are offered by the button, dropped on the call, and pasted', () => within('call-2', { size: 'desk' }, async (page) => {
  await page.evaluate(() => {
    const give = (type, name, target, key) => {
      const data = new DataTransfer();
      data.items.add(new File(['text'], name, { type: 'text/plain' }));
      target.dispatchEvent(new (type === 'paste' ? ClipboardEvent : DragEvent)(type,
        { [key]: data, bubbles: true, cancelable: true, composed: true }));
    };
    const [call] = window.deep('klatch-call');
    give('dragenter', 'dropped.txt', call, 'dataTransfer');
    window.give = give;
  });
  await page.getByText('Let go to send to everybody').waitFor();
  await page.evaluate(() => window.give('drop', 'dropped.txt', window.deep('klatch-call')[0], 'dataTransfer'));
  await page.getByRole('log').getByText('dropped.txt').waitFor();
  assert.equal(await page.getByText('Let go to send to everybody').count(), 0);
  await page.evaluate(() => window.give('paste', 'pasted.txt', document.body, 'clipboardData'));
  await page.getByRole('log').getByText('pasted.txt').waitFor();
  await page.locator('input[type="file"]').setInputFiles({ name: 'chosen.txt', mimeType: 'text/plain', buffer: Buffer.from('x') });
  await page.getByRole('log').getByText('chosen.txt').waitFor();
  assert.deepEqual((await asked(page, 'desk')).map(([, name]) => name), ['dropped.txt', 'pasted.txt', 'chosen.txt']);
}));

test('text that is pasted into the field stays text, also when it comes with a picture of itself', () => within('call-chat', {}, async (page) => {
  const kept = await page.evaluate(() => {
    const data = new DataTransfer();
    data.items.add(new File(['x'], 'image.png', { type: 'image/png' }));
    data.setData('text/plain', 'cells of a table');
    const [field] = window.deep('textarea');
    return field.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true, composed: true }));
  });
  assert.equal(kept, true);
  assert.deepEqual(await asked(page, 'desk'), []);
}));

test('small pictures are taken unasked, larger ones and other files are not, and not without end', () => within('call-3', {}, async (page) => {
  await page.evaluate(() => {
    const { room } = window.gallery;
    const picture = { name: 'a.png', type: 'image/png', size: 90_000 };
    room.lay(room.people[0], { ...picture, name: 'large.png', size: 3_000_000 });
    room.lay(room.people[0], { ...picture, name: 'b.svg', type: 'image/svg+xml' });
    room.lay(room.people[0], { ...picture, name: 'c.txt', type: 'text/plain' });
    for (let at = 0; at < 30; at += 1) room.lay(room.people[0], picture);
    room.lay(room.people[1], { ...picture, name: 'another.png' });
  });
  await page.getByRole('button', { name: 'Chat, 34 unread messages' }).waitFor();
  const desk = await asked(page, 'desk');
  assert.deepEqual([...new Set(desk.map(([what, name]) => `${what} ${name}`))], ['show a.png', 'show another.png']);
  assert.equal(desk.length, 11);
}));

test('links are whole addresses of http and https alone', () => within('call-1', {}, async (page) => {
  const found = await page.evaluate(async () => {
    const { findLinks } = await import('/fake/ui/links.js');
    const texts = ['see https://a.example/x?y=1&z=(2).', '(http://b.example/)', 'javascript:alert(1) data:text/html,x ftp://c.example',
      'https://bank.example@evil.example/', 'https://', 'xhttps://d.example', 'HTTPS://E.example/Ä "quoted"',
      'https://f.example/\u202Egpj.exe', 'http://g.example, http://h.example!', '<https://i.example>'];
    return texts.map((text) => {
      const pieces = findLinks(text);
      return pieces.map((piece) => piece.text).join('') === text && pieces.filter(({ href }) => href).map(({ href }) => href);
    });
  });
  assert.deepEqual(found, [['https://a.example/x?y=1&z=(2)'], ['http://b.example/'], [], [], [], [], ['https://e.example/%C3%84'],
    ['https://f.example/'], ['http://g.example/', 'http://h.example/'], ['https://i.example/']]);
}));

test('a picture is what its first bytes say, and a huge one is none', () => within('call-1', {}, async (page) => {
  const kinds = await page.evaluate(async () => {
    const { readPicture } = await import('/fake/ui/pictures.js');
    const canvas = Object.assign(document.createElement('canvas'), { width: 40, height: 30 });
    canvas.getContext('2d').fillRect(0, 0, 9, 9);
    const drawn = (type) => new Promise((resolve) => canvas.toBlob(resolve, type));
    const told = [];
    for (const type of ['image/png', 'image/jpeg', 'image/webp']) told.push(await readPicture(await drawn(type)));
    const bomb = new Uint8Array(await (await drawn('image/png')).arrayBuffer());
    new DataView(bomb.buffer).setUint32(16, 60_000);
    new DataView(bomb.buffer).setUint32(20, 60_000);
    told.push(await readPicture(new Blob([bomb])), await readPicture(new Blob(['<svg onload="x">'.repeat(20)])),
      await readPicture(new Blob([])));
    return told.map((one) => one && `${one.type} ${one.width}x${one.height}`);
  });
  assert.deepEqual(kinds, ['image/png 40x30', 'image/jpeg 40x30', 'image/webp 40x30', null, null, null]);
}));

import assert from 'node:assert/strict';
import test from 'node:test';
import { galleryHere } from './browser.mjs';

const here = galleryHere();

/** What has the focus, through shadow roots: its name, and whether one can see it. */
const focused = (page) => page.evaluate(() => {
  let element = document.activeElement;
  while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
  const style = getComputedStyle(element);
  const name = element.getAttribute('aria-label') ?? element.textContent?.trim() ?? '';
  const label = element.closest('label')?.querySelector('span')?.innerText.split('\n')[0];
  const ring = element === document.body || style.outlineStyle === 'none' ? 0 : parseFloat(style.outlineWidth);
  return { name: (label ?? name).trim(), ring };
});

/** Tab through the page: the names of all stops, each checked to show its focus. */
async function walk(page, stops) {
  const names = [];
  for (let i = 0; i < stops; i += 1) {
    await page.keyboard.press('Tab');
    const at = await focused(page);
    assert.ok(at.ring >= 2, `no focus to be seen on "${at.name}"`);
    names.push(at.name);
  }
  return names;
}

test('the lobby is walked through with Tab, and Enter in the name joins', async () => {
  const { page, close } = await here.open('lobby');
  assert.deepEqual(await walk(page, 9), ['Microphone', 'Camera', 'Your name', 'Microphone', 'Camera', 'Join', 'Loudspeaker',
    'Test sound', 'Check connection']);
  await page.getByLabel('Your name').press('Enter');
  await page.getByRole('button', { name: 'Hang up' }).waitFor();
  await close();
});

test('the call is walked through with Tab, top to bottom', async () => {
  const { page, close } = await here.open('call-4');
  assert.deepEqual(await walk(page, 11), ['Copy link', 'Options for Maya', 'Options for Jonas Lindqvist', 'Options for Amina',
    'Options for Ada (You)', 'Microphone', 'Camera', 'Screen', 'Chat', 'Settings', 'Hang up']);
  await close();
});

test('alone, the link and its button are reached too', async () => {
  const { page, close } = await here.open('call-1');
  const names = await walk(page, 8);
  assert.deepEqual(names.slice(0, 4), ['Copy link', 'Options for Ada (You)', 'Link to this room', 'Copy link']);
  await close();
});

test('Alt and a letter turn microphone and camera off and on and open the chat', async () => {
  const { page, close } = await here.open('call-2', { size: 'desk' });
  const state = () => page.evaluate(() => {
    const { mic, cam } = window.gallery.room.self;
    return { mic, cam, chat: window.deep('klatch-chat').length };
  });
  const is = (wanted) => page.waitForFunction(({ mic, cam, chat }) => {
    const { self } = window.gallery.room;
    return self.mic === mic && self.cam === cam && window.deep('klatch-chat').length === chat;
  }, wanted).catch(async () => assert.deepEqual(await state(), wanted));
  await page.keyboard.press('Alt+m');
  await is({ mic: false, cam: true, chat: 0 });
  await page.getByRole('button', { name: 'Microphone', pressed: false }).waitFor();
  await page.keyboard.press('Alt+m');
  await page.keyboard.press('Alt+c');
  await is({ mic: true, cam: false, chat: 0 });
  await page.keyboard.press('Alt+t');
  await is({ mic: true, cam: false, chat: 1 });
  assert.equal((await focused(page)).name, 'Write a message');
  await page.keyboard.press('Escape');
  await is({ mic: true, cam: false, chat: 0 });
  assert.equal((await focused(page)).name, 'Chat');
  await page.keyboard.press('m');
  await is({ mic: true, cam: false, chat: 0 });
  for (const [name, keys] of [['Microphone', 'Alt+M'], ['Camera', 'Alt+C'], ['Chat', 'Alt+T']]) {
    assert.equal(await page.getByRole('button', { name }).first().getAttribute('aria-keyshortcuts'), keys);
  }
  await close();
});

test('what lies under the chat on a phone is out of reach until it closes', async () => {
  const { page, close } = await here.open('call-1');
  await page.getByRole('button', { name: 'Chat' }).press('Enter');
  await page.waitForFunction(() => window.deep('klatch-chat').length === 1);
  assert.equal((await focused(page)).name, 'Close chat');
  assert.deepEqual(await walk(page, 3), ['Messages', 'Write a message', 'Send']);
  await page.getByRole('button', { name: 'Close chat' }).focus();
  await page.keyboard.press('Shift+Tab');
  assert.equal((await focused(page)).name, 'Copy link', 'in the bar above the chat');
  await page.keyboard.press('Shift+Tab');
  assert.notEqual((await focused(page)).name, 'Link to this room', 'in the invitation below the chat');
  await page.getByRole('button', { name: 'Close chat' }).press('Escape');
  await page.getByRole('button', { name: 'Hang up' }).focus();
  assert.equal((await focused(page)).name, 'Hang up');
  await close();
});

test('the settings keep the focus, and give it back when they close', async () => {
  const { page, close } = await here.open('call-2');
  await page.getByRole('button', { name: 'Settings' }).press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Settings' });
  await dialog.waitFor();
  const names = await walk(page, 11);
  assert.deepEqual(names, ['Your name', 'Data use', 'Microphone', 'Camera', 'Loudspeaker', 'Take echoes out', 'Take noise out',
    'Hold the space bar to talk', 'Who speaks is large', 'How the connections do', 'Done']);
  await page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });
  assert.equal((await focused(page)).name, 'Settings');
  await close();
});

/** Tab to what is called so. */
async function reach(page, name) {
  const seen = [];
  for (let stops = 0; stops < 40; stops += 1) {
    const at = await focused(page);
    if (at.name === name && at.ring > 0) return;
    seen.push(at.name);
    await page.keyboard.press('Tab');
  }
  assert.fail(`"${name}" is not among ${seen.join(', ')}`);
}

test('a whole call by keyboard alone: in, a line, a file, the figures, out and in again', async () => {
  const { page, complaints, close } = await here.open('lobby', { size: 'desk' });
  await page.evaluate(() => { window.klatchPlan = { people: [{ name: 'Maya' }, { name: 'Ben' }] }; });
  const press = async (name, key = 'Enter') => {
    await reach(page, name);
    await page.keyboard.press(key);
  };
  await press('Camera', 'Space');
  await page.getByRole('button', { name: 'Camera', pressed: false }).waitFor();
  await reach(page, 'Your name');
  await page.keyboard.type('Grace');
  await press('Join');
  await page.waitForFunction(() => window.gallery.element.call?.self.name.endsWith('Grace'));
  await page.getByRole('button', { name: 'Chat' }).waitFor();

  await press('Chat');
  await reach(page, 'Write a message');
  await page.keyboard.type('Good morning');
  await page.keyboard.press('Enter');
  const room = (what) => page.evaluate((name) => window.gallery.element.call[name], what);
  assert.deepEqual(await room('said'), [{ text: 'Good morning', to: null }]);
  const chooser = page.waitForEvent('filechooser');
  await page.keyboard.press('Shift+Tab');
  assert.equal((await focused(page)).name, 'Send files');
  await page.keyboard.press('Enter');
  await (await chooser).setFiles({ name: 'plan.txt', mimeType: 'text/plain', buffer: Buffer.from('plan') });
  await page.getByRole('button', { name: 'Cancel plan.txt' }).waitFor();
  await press('Cancel plan.txt');
  await page.waitForFunction(() => window.gallery.element.call.desk.length === 2);
  assert.deepEqual(await room('desk'), [['offer', 'plan.txt', null], ['stop', 'plan.txt']]);
  await press('Close chat');

  await press('Settings');
  await press('How the connections do');
  await page.getByRole('heading', { name: 'Connections' }).waitFor();
  await reach(page, 'Copy a report without names and addresses');
  await page.keyboard.press('Escape');
  await page.getByRole('heading', { name: 'Connections' }).waitFor({ state: 'detached' });

  await press('Hang up');
  await page.getByRole('heading', { name: 'You hung up' }).waitFor();
  await press('Join again');
  await page.getByRole('button', { name: 'Hang up' }).waitFor();
  assert.deepEqual(complaints, []);
  await close();
});

import assert from 'node:assert/strict';
import test from 'node:test';
import { gallery } from './browser.mjs';

const within = gallery();

const button = (page, name, more = {}) => page.getByRole('button', { name, exact: true, ...more });

test('each tile says who it is and how the connection is', () => within('call-states', { size: 'desk' }, async (page) => {
  for (const name of ['Maya, connected', 'Jonas Lindqvist, Connecting…', 'Amina, Reconnecting…',
    'Teodor, No connection, only text', 'Ελένη, Away', 'Ada (You)']) {
    await page.getByRole('group', { name, exact: true }).waitFor();
  }
  const shown = await page.evaluate(() => window.deep('.cover').map((cover) => cover.innerText.trim().split('\n')[0]));
  assert.deepEqual(shown, ['Connecting…', 'Reconnecting…', 'No connection, only text', 'Away']);
  await page.getByText('1 of 5 connected').waitFor();
  await page.getByText('plain', { exact: true }).waitFor();
}));

test('a muted microphone and a camera that is off are shown and said', () => within('call-4', {}, async (page) => {
  await page.getByRole('group', { name: 'Jonas Lindqvist, connected, microphone off', exact: true }).waitFor();
  await page.getByRole('group', { name: 'Amina, connected, camera off', exact: true }).waitFor();
  await page.evaluate(() => {
    const { room } = window.gallery;
    room.people[0].mic = false;
    room.emit('peer-updated', { person: room.people[0] });
  });
  await page.getByRole('group', { name: 'Maya, connected, microphone off', exact: true }).waitFor();
}));

test('who comes and goes is told, and counted', () => within('call-2', {}, async (page) => {
  await page.getByText('1 of 1 connected').waitFor();
  await page.evaluate(() => window.gallery.room.enter({ name: 'Noor', state: 'connecting' }));
  await page.getByRole('status').filter({ hasText: 'Noor came in' }).waitFor();
  await page.getByText('1 of 2 connected').waitFor();
  await page.evaluate(() => window.gallery.room.part(window.gallery.room.people[1], 'lapsed'));
  await page.getByRole('status').filter({ hasText: 'Noor lost the connection' }).waitFor();
  await page.evaluate(() => window.gallery.room.part(window.gallery.room.people[0], 'left'));
  await page.getByRole('status').filter({ hasText: 'Maya left' }).waitFor();
  await page.getByText('Only you are here').waitFor();
  await page.getByText('Nobody else is here yet').waitFor();
}));

test('who reloads the page comes back without ado', () => within('call-3', {}, async (page) => {
  await page.evaluate(() => {
    const { room } = window.gallery;
    room.part(room.people[0], 'replaced');
    room.enter({ name: 'Maya' });
    room.enter({ name: 'Noor' });
  });
  const notices = page.getByRole('region', { name: 'Notices' });
  await notices.getByText('Noor came in').waitFor();
  assert.equal((await notices.innerText()).trim(), 'Noor came in');
}));

test('a picture goes on undisturbed when somebody before it leaves', () => within('call-4', {}, async (page) => {
  await page.evaluate(() => {
    const { room, tiles } = window.gallery;
    window.kept = tiles()[1].shadowRoot.querySelector('video');
    window.kept.addEventListener('emptied', () => { window.disturbed = true; });
    room.part(room.people[0], 'left');
  });
  await page.getByText('2 of 2 connected').waitFor();
  assert.ok(await page.evaluate(() => window.gallery.tiles()[0].shadowRoot.querySelector('video') === window.kept
    && !window.disturbed));
}));

test('names and messages stay text whatever is in them', () => within('call-markup', { size: 'desk' }, async (page) => {
  await page.getByText('<script>alert(1)</script> & <i>italics</i>').waitFor();
  await page.getByText('<img src=x onerror=alert(1)>').first().waitFor();
  assert.deepEqual(await page.evaluate(() => window.deep('img, i, main script').map(({ localName }) => localName)), []);
}));

test('chat: Enter sends, unread ones are counted, opening reads them', () => within('call-2', {}, async (page) => {
  await page.evaluate(() => {
    const { room } = window.gallery;
    room.hear(room.people[0], 'one');
    room.hear(room.people[0], 'two');
  });
  await page.getByRole('status').filter({ hasText: 'Maya: two' }).waitFor();
  await button(page, 'Chat, 2 unread messages').click();
  const log = page.getByRole('log');
  assert.match(await log.innerText(), /Maya\s+\d\d:\d\d.*one.*two/s);
  await page.getByLabel('Write a message').fill('three');
  await page.getByLabel('Write a message').press('Shift+Enter');
  await page.keyboard.type('four');
  await page.keyboard.press('Enter');
  await log.getByText('three\nfour').waitFor();
  assert.equal(await page.getByLabel('Write a message').inputValue(), '');
  await button(page, 'Close chat').click();
  await button(page, 'Chat').waitFor();
}));

test('the newest message is in sight, unless one reads further up', () => within('call-chat', {}, async (page) => {
  const fromEnd = () => page.evaluate(() => {
    const [log] = window.deep('.log');
    return Math.round(log.scrollHeight - log.scrollTop - log.clientHeight);
  });
  const say = (text) => page.evaluate((words) => {
    const { room } = window.gallery;
    room.hear(room.people[0], words);
  }, text);
  assert.ok(await fromEnd() <= 1);
  await say('a new line\n'.repeat(9));
  await page.getByText('a new line').waitFor();
  assert.ok(await fromEnd() <= 1);
  await page.evaluate(() => { window.deep('.log')[0].scrollTop = 0; });
  await say('another');
  await page.getByText('another').waitFor();
  assert.ok(await fromEnd() > 100);
}));

test('while the server is away the page says so, and that the call goes on', () => within('call-4', {}, async (page) => {
  await page.evaluate(() => window.gallery.room.setServer('away'));
  await page.getByText('The server is away. Your call goes on').waitFor();
  await page.evaluate(() => window.gallery.room.setServer('online'));
  await page.getByText('The server is away').waitFor({ state: 'detached' });
}));

test('a problem during the call is read out and can be dismissed', () => within('call-notices', {}, async (page) => {
  const alert = page.getByRole('alert').filter({ hasText: 'Your camera was disconnected' });
  await alert.waitFor();
  await button(page, 'Dismiss').click();
  await alert.waitFor({ state: 'detached' });
}));

test('hanging up gives the devices back and offers to join again', () => within('call-2', {}, async (page) => {
  await page.evaluate(() => {
    window.gallery.element.addEventListener('left', (event) => { window.leftBy = event.detail.reason; });
  });
  await button(page, 'Hang up').click();
  await page.getByRole('heading', { name: 'You hung up' }).waitFor();
  const ended = await page.evaluate(() => {
    const { element, media } = window.gallery;
    return { reason: window.leftBy, room: element.call, tracks: media.stream.getTracks().length };
  });
  assert.deepEqual(ended, { reason: 'left', room: null, tracks: 0 });
  await button(page, 'Join again').click();
  await button(page, 'Hang up').waitFor();
  assert.equal(await page.evaluate(() => window.gallery.media.stream.getTracks().length), 2);
}));

for (const [reason, heading] of [['kicked', 'You were sent out'], ['closed', 'The room was closed'],
  ['lost', 'The room no longer knows this browser']]) {
  test(`after the call: "${heading}…"`, () => within(`ended-${reason}`, {}, async (page) => {
    await page.getByRole('heading', { name: heading }).waitFor();
    await button(page, 'Join again').waitFor();
  }));
}

test('where sound needs a tap, one button starts it', () => within('call-4', { soundNeedsTap: true }, async (page) => {
  const sounds = () => page.evaluate(() => window.gallery.tiles()
    .map((tile) => tile.shadowRoot.querySelector('video')).map(({ muted, paused }) => !muted && !paused));
  await button(page, 'Turn the sound on').waitFor();
  assert.deepEqual(await sounds(), [false, false, false, false]);
  await button(page, 'Turn the sound on').click();
  await button(page, 'Turn the sound on').waitFor({ state: 'detached' });
  const playing = await sounds();
  assert.deepEqual([playing[0], playing[1], playing[3]], [true, true, false], 'all but oneself');
}));

test('name and choices are there at the next visit', () => within('lobby', {}, async (page) => {
  await page.getByLabel('Your name').fill('Grace Hopper ');
  await button(page, 'Camera').click();
  await button(page, 'Camera', { pressed: false }).waitFor();
  await page.evaluate(() => {
    const { element } = window.gallery;
    element.remove();
    const next = document.createElement('klatch-room');
    next.setAttribute('room', 'another');
    document.getElementById('page').append(next);
  });
  await button(page, 'Microphone', { pressed: true }).waitFor();
  assert.equal(await button(page, 'Camera', { pressed: false }).count(), 1);
  assert.equal(await page.getByLabel('Your name').inputValue(), 'Grace Hopper');
}));

test('a new name in the settings is the name in the room', () => within('call-2', {}, async (page) => {
  await button(page, 'Settings').click();
  await page.getByRole('dialog').getByLabel('Your name').fill('Countess');
  await button(page, 'Done').click();
  await page.getByRole('group', { name: 'Countess (You)' }).waitFor();
  assert.equal(await page.evaluate(() => window.gallery.room.self.name), 'Countess');
}));

test('the link is copied; where that is refused it is shown', () => within('call-2', {}, async (page) => {
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await button(page, 'Copy link').click();
  await button(page, 'Link copied').waitFor();
  assert.match(await page.evaluate(() => navigator.clipboard.readText()), /#kitchen-table$/);
  await button(page, 'Copy link').waitFor();
  await page.evaluate(() => Object.defineProperty(navigator, 'clipboard', { value: undefined }));
  await button(page, 'Copy link').click();
  assert.match(await page.getByLabel('Link to this room').inputValue(), /^http.*#kitchen-table$/);
}));

test('two rooms on one page keep apart', () => within('call-2', { size: 'desk' }, async (page) => {
  await page.evaluate(async () => {
    const second = document.createElement('klatch-room');
    second.setAttribute('api', '/api/v1');
    second.setAttribute('room', 'garden');
    second.setAttribute('name', 'Bea');
    document.getElementById('page').append(second);
    document.body.style.overflow = 'auto';
    await second.join();
    second.call.hear(second.call.people[0], 'for the garden only');
    window.second = second;
  });
  const second = page.locator('klatch-room').nth(1);
  await second.getByRole('button', { name: 'Chat, 1 unread message' }).waitFor();
  assert.equal(await page.locator('klatch-room').first().getByRole('button', { name: 'Chat', exact: true }).count(), 1);
  await second.getByRole('button', { name: 'Microphone' }).focus();
  await page.keyboard.press('Alt+m');
  await second.getByRole('button', { name: 'Microphone', pressed: false }).waitFor();
  assert.equal(await page.evaluate(() => window.gallery.room.self.mic), true);
  await second.getByRole('button', { name: 'Hang up' }).click();
  await second.getByText('You hung up').waitFor();
  assert.ok(await page.evaluate(() => window.gallery.element.call !== null && window.second.call === null));
}));

test('another room in the attribute leads to its lobby', () => within('call-2', {}, async (page) => {
  await page.evaluate(() => window.gallery.element.setAttribute('room', 'garden'));
  await page.getByText('garden', { exact: true }).waitFor();
  await button(page, 'Join').click();
  await button(page, 'Hang up').waitFor();
  assert.equal(await page.evaluate(() => window.gallery.element.call.name), 'garden');
}));

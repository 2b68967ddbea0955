import assert from 'node:assert/strict';
import test from 'node:test';
import { problemText, textsOf } from '../../public_html/ui/strings.js';
import { galleryHere } from './browser.mjs';
import { english as en } from './strings/check.mjs';

const t = textsOf(en);
/** What a person may meet: the room API's codes, then the browser's own. */
const CODES = ['key-invalid', 'token-invalid', 'token-expired', 'token-early', 'token-missing',
  'token-other-room', 'token-failed', 'not-permitted', 'banned', 'password-wrong', 'room-not-found',
  'room-full', 'session-expired', 'room-closed', 'kicked', 'message-too-large', 'room-locked', 'rate-limited', 'busy',
  'mailbox-full', 'disk-full', 'misconfigured', 'network', 'timeout', 'not-klatch', 'not-found', 'bad-link', 'sealed-insecure', 'seal-broken',
  'seal-other-key', 'seal-other-fingerprint', 'bad-message', 'too-long-to-mail', 'file-too-large-to-carry',
  'no-webrtc', 'permission-denied', 'no-device', 'device-busy', 'device-lost', 'insecure-context'];

const here = galleryHere();

test('each problem has words of its own: what is wrong, and what to do', () => {
  const seen = new Map();
  for (const code of CODES) {
    const { title, more } = problemText(t, { code, kind: 'video' });
    assert.notEqual(title, en['problem.other'], code);
    for (const text of [title, more]) {
      assert.ok(text.length > 5 && !text.includes('{'), `${code}: ${text}`);
      assert.ok(!text.includes(code) || !code.includes('-'), `${code} is shown to people: ${text}`);
    }
    assert.match(more, /\.$/, code);
    seen.set(`${title} ${more}`, code);
  }
  assert.ok(seen.size >= CODES.length - 1, 'two problems in the same words');
});

test('a device problem names the device', () => {
  assert.match(problemText(t, { code: 'no-device', kind: 'audio' }).title, /microphone/);
  assert.match(problemText(t, { code: 'no-device', kind: 'video' }).title, /camera/);
  assert.match(problemText(t, { code: 'device-busy', kind: 'both' }).title, /camera and microphone/);
});

test('a problem that nobody has heard of still says what its author wrote', () => {
  const text = problemText(t, { code: 'brand-new', message: 'The moon is in the way.' });
  assert.deepEqual(text, { title: en['problem.other'], more: 'The moon is in the way.' });
});

for (const [scene, title] of [
  ['lobby-permission-denied-both', 'The browser may not use your camera and microphone'],
  ['lobby-permission-denied-audio', 'The browser may not use your microphone'],
  ['lobby-no-device-video', 'No camera was found'],
  ['lobby-device-busy-video', 'Your camera can’t be started'],
  ['lobby-insecure-context-both', 'This page is not secure (http)'],
]) {
  test(`in the lobby: "${title}", and one can join without`, async () => {
    const { page, complaints, close } = await here.open(scene);
    const alert = page.getByRole('alert').filter({ hasText: title });
    await alert.waitFor();
    assert.match(await alert.innerText(), /also join without/);
    await page.getByRole('button', { name: 'Join', exact: true }).click();
    await page.getByRole('button', { name: 'Hang up' }).waitFor();
    assert.deepEqual(complaints, []);
    await close();
  });
}

for (const [scene, title] of [
  ['lobby-room-full', 'The room is full'], ['lobby-network', 'The server can’t be reached'],
  ['lobby-not-klatch', 'The server is away'], ['lobby-room-locked', 'The room is locked'],
  ['lobby-odd-code', 'Something went wrong'],
]) {
  test(`who can't get in reads "${title}" and may try again`, async () => {
    const { page, close } = await here.open(scene);
    await page.getByRole('alert').filter({ hasText: title }).waitFor();
    await page.evaluate(() => { window.klatchPlan = {}; });
    await page.getByRole('button', { name: 'Join', exact: true }).click();
    await page.getByRole('button', { name: 'Hang up' }).waitFor();
    await close();
  });
}

test('the same problem with microphone and camera is told once, another one apart', async () => {
  const { page, close } = await here.open('lobby-permission-denied-audio');
  const tell = (code, kind) => page.evaluate((problem) => {
    const { media } = window.gallery;
    media.emit('problem', Object.assign(new Error(problem.code), problem));
  }, { code, kind });
  await tell('permission-denied', 'video');
  await page.getByText('may not use your camera and microphone').waitFor();
  await tell('no-device', 'video');
  await page.getByText('No camera was found').waitFor();
  assert.equal(await page.evaluate(() => window.deep('.problem').length), 2);
  await close();
});

test('"Try again" asks for the devices once more', async () => {
  const { page, close } = await here.open('lobby-permission-denied-both');
  await page.evaluate(() => { window.klatchPlan = {}; });
  await page.getByRole('button', { name: 'Try again' }).click();
  await page.getByRole('button', { name: 'Camera', pressed: true }).waitFor();
  assert.equal(await page.getByRole('alert').filter({ hasText: 'may not use' }).count(), 0);
  await close();
});

test('joining that takes long can be cancelled', async () => {
  const { page, close } = await here.open('lobby-joining');
  await page.getByText('Joining…').waitFor();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('button', { name: 'Join', exact: true }).waitFor();
  assert.equal(await page.getByRole('alert').innerText(), '');
  await close();
});

test('where no server answers, the lobby links to the doctor of the page, where there is one', async () => {
  const { page, close } = await here.open('lobby-not-klatch');
  const link = page.getByRole('alert').getByRole('link', { name: 'See what is wrong' });
  await link.waitFor();
  assert.equal(await link.evaluate((a) => a.href), `${here.server.url}fake/doctor.html`);
  await page.evaluate(() => Object.assign(window.gallery.element, { doctor: null }).update());
  await link.waitFor({ state: 'detached' });
  await close();
});

// The checks before a call, and what helps during one.
import assert from 'node:assert/strict';
import test from 'node:test';
import { gallery } from './browser.mjs';

/** No API answers beside the gallery, or one that refuses, and the check says so. */
const show = gallery({ expected: /status of 40[14]/ });
const within = (scene, body, look = {}) => show(scene, look, body);

const button = (page, name, more = {}) => page.getByRole('button', { name, exact: true, ...more });

test('the check shows both pictures, says what works, and hangs up', () => within('lobby', async (page) => {
  await button(page, 'Check connection').click();
  const dialog = page.getByRole('dialog', { name: 'A call with yourself' });
  for (const words of ['The server does not answer', 'Your browser connects', 'Your picture comes back', 'No relay was tried']) {
    await dialog.getByText(words).waitFor({ timeout: 25_000 });
  }
  await page.waitForFunction(() => window.deep('klatch-check')[0].shadowRoot.querySelectorAll('video').length === 2
    && [...window.deep('klatch-check')[0].shadowRoot.querySelectorAll('video')].every((video) => video.videoWidth > 0 && !video.paused));
  await page.evaluate(() => { window.back = window.deep('video.back')[0].srcObject; });
  await button(dialog, 'Hang up').click();
  await dialog.waitFor({ state: 'detached' });
  await page.waitForFunction(() => window.back.getTracks().length === 0);
  assert.equal(await page.evaluate(() => window.gallery.media.cam), true, 'the preview goes on');
}));

test('where joining takes a token the check says that the server answers, and asks nobody for an address', () => (
  within('lobby', async (page) => {
    await page.route('**/rooms/check-*/join', (route) => route.fulfill({
      status: 401, contentType: 'application/problem+json',
      json: { title: 'Unauthorized', status: 401, code: 'token-missing', detail: 'This server lets in who brings a token.' },
    }));
    await button(page, 'Check connection').click();
    const dialog = page.getByRole('dialog', { name: 'A call with yourself' });
    for (const words of ['The server answers', 'told to members alone', 'Your browser connects', 'Your picture comes back']) {
      await dialog.getByText(words).waitFor({ timeout: 25_000 });
    }
    await dialog.getByText('Trying…').waitFor({ state: 'detached' });
    assert.equal(await dialog.locator('.steps li').count(), 3, 'and nothing of what was not tried');
  })));

test('the test sound is played, through the chosen loudspeaker', () => within('lobby', async (page) => {
  await page.evaluate(() => {
    window.played = [];
    HTMLMediaElement.prototype.setSinkId = async function setSinkId(id) { window.played.push(id); };
    HTMLMediaElement.prototype.play = async function play() {
      window.played.push(this.src.slice(0, 5));
      this.dispatchEvent(new Event('ended'));
    };
  });
  await page.getByLabel('Loudspeaker').selectOption('Headset');
  await button(page, 'Test sound').click();
  await page.waitForFunction(() => window.played.length >= 2);
  assert.deepEqual(await page.evaluate(() => window.played), ['speaker-2', 'blob:']);
}));

const tiles = (page) => page.evaluate(() => window.gallery.tiles().map(({ props, offsetWidth }) => [props.name, props.screen,
  props.large, offsetWidth]));

test('a shared screen is large; who is pinned takes its place and gives it back', () => within('call-screen', async (page) => {
  const large = async () => (await tiles(page)).filter((tile) => tile[2]).map(([name, screen]) => [name, screen]);
  assert.deepEqual(await large(), [['Jonas Lindqvist', true]]);
  const widths = (await tiles(page)).map((tile) => tile[3]);
  assert.ok(Math.max(...widths) > 2 * Math.min(...widths), String(widths));
  for (const wanted of [[['Maya', false]], [['Jonas Lindqvist', true]]]) {
    await button(page, 'Options for Maya').click();
    await button(page, 'Pin').click();
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    assert.deepEqual(await large(), wanted);
  }
}, { size: 'desk' }));

test('the screen is offered where the browser can share one, and told while it is', () => within('call-2', async (page) => {
  await button(page, 'Screen').click();
  await page.getByRole('group', { name: 'Screen of Ada (You)', exact: true }).waitFor();
  await page.evaluate(() => window.gallery.media.screen.stop());
  await page.getByText('You no longer share your screen').waitFor();
  await page.evaluate(async () => {
    const { pretend, IOS } = await import('./ui/can.js');
    pretend(IOS);
    window.gallery.media.emit('change', null);
  });
  await button(page, 'Screen').waitFor({ state: 'detached' });
  await button(page, 'Options for Maya').click();
  await button(page, 'Mute for me').waitFor();
  assert.equal(await page.getByRole('slider').count() + await button(page, 'Full screen').count(), 0);
}));

test('holding the space bar talks, and writing a space does not', () => within('call-2', async (page) => {
  await button(page, 'Settings').click();
  await page.getByLabel('Hold the space bar to talk').check();
  await button(page, 'Done').click();
  const mic = (on) => button(page, 'Microphone', { pressed: on }).waitFor();
  await mic(false);
  await button(page, 'Camera').click();
  await page.keyboard.down('Space');
  await mic(true);
  await page.keyboard.up('Space');
  await mic(false);
  await button(page, 'Camera', { pressed: false }).waitFor();
  await page.keyboard.down('Space');
  await mic(true);
  await page.evaluate(() => window.dispatchEvent(new Event('blur')));
  await mic(false);
  await page.keyboard.up('Space');
  await button(page, 'Chat').click();
  await page.getByLabel('Write a message').press('Space');
  assert.equal(await page.getByLabel('Write a message').inputValue(), ' ');
  await mic(false);
}));

test('who speaks while muted is told so', () => within('call-2', async (page) => {
  await page.evaluate(() => {
    const { stream } = window.gallery.media;
    const context = new AudioContext();
    const end = context.createMediaStreamDestination();
    const tone = context.createOscillator();
    tone.connect(end);
    tone.start();
    stream.removeTrack(stream.getAudioTracks()[0]);
    stream.addTrack(end.stream.getAudioTracks()[0]);
  });
  await button(page, 'Microphone').click();
  await page.getByRole('alert').filter({ hasText: 'You are muted' }).waitFor();
}));

test('after sleep the connections are mended and what was stopped plays on', () => within('call-3', async (page) => {
  const paused = () => page.evaluate(() => window.gallery.tiles().map((tile) => tile.shadowRoot.querySelector('video').paused));
  await page.evaluate(() => window.gallery.tiles().forEach((tile) => tile.shadowRoot.querySelector('video').pause()));
  await page.evaluate(() => window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true })));
  await page.waitForFunction(() => window.klatchWoken);
  await page.waitForFunction(() => window.gallery.tiles().every((tile) => !tile.shadowRoot.querySelector('video').paused));
  assert.deepEqual(await paused(), [false, false, false]);
}));

test('the screen is kept on for as long as the call lasts', () => within('lobby', async (page) => {
  await page.evaluate(() => {
    window.locks = { held: 0 };
    Object.defineProperty(navigator, 'wakeLock', { value: { request: async () => {
      window.locks.held += 1;
      return { release: async () => { window.locks.held -= 1; } };
    } } });
  });
  await button(page, 'Join').click();
  await page.waitForFunction(() => window.locks.held === 1);
  await button(page, 'Hang up').click();
  await page.waitForFunction(() => window.locks.held === 0);
}));

test('one person fills the screen, and stands in a window of their own, and comes back', () => within('call-3', async (page) => {
  const act = async (name) => {
    await button(page, 'Options for Maya').click();
    await button(page, name).click();
  };
  const alone = () => page.evaluate(() => window.gallery.tiles().findIndex((tile) => tile.matches(':fullscreen')));
  await act('Full screen');
  await page.waitForFunction(() => document.fullscreenElement !== null);
  assert.equal(await alone(), 0);
  await page.evaluate(() => document.exitFullscreen());
  await page.waitForFunction(() => document.fullscreenElement === null);
  await act('Own window');
  await page.waitForFunction(() => window.gallery.tiles()[0].shadowRoot.pictureInPictureElement?.videoWidth > 0);
  await act('Own window');
  await page.waitForFunction(() => window.gallery.tiles()[0].shadowRoot.pictureInPictureElement === null);
}));

// The page around the element, served from a folder and not from the top of a site.
import assert from 'node:assert/strict';
import test from 'node:test';
import { galleryHere } from './browser.mjs';

const here = galleryHere();

/** A phone's view of the page, which a keyboard makes lower and two fingers zoom. */
function fakeView() {
  const view = Object.assign(new EventTarget(), { height: innerHeight, scale: 1 });
  Object.defineProperty(window, 'visualViewport', { value: view });
  window.keyboard = (height, scale = 1) => {
    Object.assign(view, { height, scale });
    view.dispatchEvent(new Event('resize'));
  };
}

async function open(hash, { insecure = false, keyboard = false, ...more } = {}) {
  const context = await here.browser.newContext({ viewport: { width: 360, height: 740 }, ...more });
  context.setDefaultTimeout(20000);
  const page = await context.newPage();
  const complaints = [];
  // What http pages don't have.
  if (insecure) await page.addInitScript(() => Object.defineProperty(Crypto.prototype, 'subtle', { value: undefined }));
  if (keyboard) await page.addInitScript(fakeView);
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (line) => { if (line.type() === 'error') complaints.push(line.text()); });
  page.on('requestfailed', (request) => complaints.push(`failed: ${request.url()}`));
  await page.goto(`${here.server.url}fake/${hash}`);
  return { page, complaints, close: () => context.close() };
}

test('without a room in the link the page makes one, and the address says which', async () => {
  const { page, complaints, close } = await open('');
  await page.getByRole('button', { name: 'Join', exact: true }).waitFor();
  const room = new URL(page.url()).hash.slice(1);
  assert.match(room, /^[\w-]{11}\.[\w-]{22}$/);
  assert.equal(await page.title(), `${room.split('.')[0]} – Klatch`);
  assert.equal(await page.locator('klatch-room').getAttribute('room'), room);
  await page.getByText('Sealed room:').waitFor();
  assert.deepEqual(complaints, []);
  await close();
});

test('the room of the link is the room of the call, and the other room of a changed link too', async () => {
  const { page, complaints, close } = await open('#tea');
  await page.locator('klatch-room[room="tea"]').waitFor();
  await page.evaluate(() => { location.hash = '#coffee'; });
  await page.locator('klatch-room[room="coffee"]').waitFor();
  assert.equal(await page.locator('klatch-room').count(), 1);
  assert.equal(await page.title(), 'coffee – Klatch');
  assert.deepEqual(complaints, []);
  await close();
});

test('a typed room is open, and becomes a sealed one by a button, in the address too', async () => {
  const { page, complaints, close } = await open('#tea');
  await page.getByText('Open room:').waitFor();
  await page.getByRole('button', { name: 'Make a sealed link' }).click();
  await page.getByText('Sealed room:').waitFor();
  assert.match(new URL(page.url()).hash, /^#tea\.[\w-]{22}$/);
  assert.equal(await page.getByRole('button', { name: 'Make a sealed link' }).count(), 0);
  const link = await page.evaluate(() => document.querySelector('klatch-room').link);
  assert.equal(link, page.url());
  assert.deepEqual(complaints, []);
  await close();
});

test('on a page without https a sealed link is refused in words, and a new room is an open one', async () => {
  const { page, complaints, close } = await open('#tea', { insecure: true });
  await page.evaluate(() => { location.hash = `#tea.${'s'.repeat(22)}`; });
  await page.getByRole('heading', { name: 'A sealed room needs a secure page' }).waitFor();
  await page.getByRole('button', { name: 'New room' }).click();
  await page.getByText('Open room:').waitFor();
  assert.match(new URL(page.url()).hash, /^#[\w-]{11}$/);
  assert.equal(await page.getByRole('button', { name: 'Make a sealed link' }).count(), 0);
  assert.deepEqual(complaints, []);
  await close();
});

for (const [what, hash, words] of [
  ['half a sealed link', '#tea.ssss', 'This link does not name a room'],
  ['a link to nowhere', '#tea/time', 'This link does not name a room'],
]) {
  test(`${what} is refused in a plain sentence, and a new room is offered`, async () => {
    const { page, complaints, close } = await open(hash);
    await page.getByRole('heading', { name: words }).waitFor();
    assert.equal(await page.locator('klatch-room').count(), 0);
    await page.getByRole('button', { name: 'New room' }).click();
    await page.getByRole('button', { name: 'Join', exact: true }).waitFor();
    assert.match(new URL(page.url()).hash, /^#[\w-]{11}\.[\w-]{22}$/);
    assert.deepEqual(complaints, []);
    await close();
  });
}

test('where the keyboard of a phone lies over the page, the page ends above it', async () => {
  const { page, complaints, close } = await open('#tea', { keyboard: true });
  await page.getByRole('button', { name: 'Join', exact: true }).waitFor();
  const bottoms = () => page.evaluate(() => [document.querySelector('main'), document.querySelector('klatch-room').shadowRoot
    .querySelector('klatch-lobby').shadowRoot.querySelector('.join')].map((part) => Math.round(part.getBoundingClientRect().bottom)));
  await page.evaluate(() => window.keyboard(400));
  assert.equal((await bottoms())[0], 400);
  assert.ok((await bottoms())[1] <= 400, `Join ends at ${(await bottoms())[1]}`);
  // Who zooms in sees less of the page, which is no reason to make it smaller.
  await page.evaluate(() => window.keyboard(200, 2));
  assert.equal((await bottoms())[0], 400);
  await page.evaluate(() => window.keyboard(740));
  assert.equal((await bottoms())[0], 740);
  assert.deepEqual(complaints, []);
  await close();
});

test('the page forbids scripts and styles in its markup, and needs none', async () => {
  const { page, complaints, close } = await open('#tea');
  const policy = await page.locator('meta[http-equiv="Content-Security-Policy"]').getAttribute('content');
  for (const part of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "base-uri 'none'", "form-action 'none'"]) {
    assert.ok(policy.includes(part), part);
  }
  assert.ok(!policy.includes('unsafe'));
  await page.evaluate(() => {
    const script = document.createElement('script');
    script.textContent = 'window.slippedIn = true';
    document.body.append(script);
  });
  assert.equal(await page.evaluate(() => window.slippedIn), undefined);
  assert.equal(complaints.length, 1);
  assert.match(complaints[0], /Content Security Policy/);
  await close();
});

test('without JavaScript the page says what it needs', async () => {
  const { page, close } = await open('', { javaScriptEnabled: false });
  assert.match(await page.locator('.note').innerText(), /switch JavaScript on/);
  await close();
});

test('manifest and icons are where the page says', async () => {
  const base = `${here.server.url}fake/`;
  const manifest = await (await fetch(`${base}app/manifest.webmanifest`)).json();
  assert.equal(new URL(manifest.start_url, `${base}app/`).href, base);
  const icons = [...manifest.icons.map(({ src }) => `app/${src}`), 'app/icon.svg', 'app/icon-180.png'];
  for (const icon of icons) {
    const answer = await fetch(base + icon);
    assert.equal(answer.status, 200, icon);
    assert.match(answer.headers.get('content-type'), /^image\//);
  }
});

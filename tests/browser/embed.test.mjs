/* embed.html in a frame of another site: the page around shows it with klatch-frame.js, from an origin of
 * its own. 127.0.0.1 is another origin than localhost, and as secure. */

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import test, { after as atEnd, before as atStart } from 'node:test';
import { Site } from './lib/elsewhere.mjs';
import { launch } from './lib/participant.mjs';
import { Server } from './lib/server.mjs';
import { until } from './lib/until.mjs';

const CONNECT_MS = 30_000;
const shop = new Site({ '/': '<!doctype html><title>A shop</title><main id="here"></main>' });
const stranger = new Site({ '/': '<!doctype html><title>Somebody else</title><main id="here"></main>' });
let server;
let browser;

atStart(async () => {
  await shop.start();
  await stranger.start();
  server = await new Server({ settings: `frame_ancestors = ${shop.origin}\n` }).start();
  browser = await launch();
  // The policies that the guide gives for pages with a frame.
  const leave = ['camera', 'microphone', 'display-capture'].map((what) => `${what}=(self "${server.origin}")`).join(', ');
  shop.headers = { 'Content-Security-Policy': `default-src 'self'; frame-src ${server.origin}`, 'Permissions-Policy': leave };
});

atEnd(async () => {
  await browser?.close();
  await Promise.all([shop.close(), stranger.close()]);
  await server.stop();
  assert.deepEqual(server.complaints(), []);
  await server.close();
});

const newRoom = () => `frame-${randomBytes(6).toString('hex')}`;

/** A page of a site that opens a frame; what the frame told is `told`. */
async function around(t, site, options, before = async () => {}) {
  const context = await browser.newContext({ viewport: { width: 900, height: 700 } });
  t.after(() => context.close());
  const page = await context.newPage();
  const requests = [];
  page.on('request', (request) => requests.push(request.url()));
  page.on('pageerror', (error) => assert.fail(`page: ${error}`));
  await before(page);
  await page.goto(site.origin);
  await page.evaluate(async ([its, klatch]) => {
    const { openFrame } = await import('/klatch-frame.js');
    const { fetched, ...others } = its;
    if (fetched) others.token = async () => { globalThis.asked = (globalThis.asked ?? 0) + 1; return fetched; };
    globalThis.told = [];
    globalThis.frame = openFrame(document.getElementById('here'), { src: `${klatch}/`, ...others });
    for (const type of ['started', 'joined', 'peer-joined', 'peer-left', 'message', 'left', 'problem']) {
      globalThis.frame.addEventListener(type, ({ detail }) => globalThis.told.push([type, detail]));
    }
  }, [options, server.origin]);
  return { page, requests, inside: page.frameLocator('iframe >> nth=0') };
}

/** Wait until the frame has told something of a type; its last detail comes back. */
const heard = (page, type) => until(`the frame tells ${type}`, () => page.evaluate((wanted) => globalThis.told
  .filter(([name]) => name === wanted).at(-1)?.[1] ?? null, type), CONNECT_MS);

/** Somebody on Klatch's own page. */
async function visitor(t, room) {
  const context = await browser.newContext();
  t.after(() => context.close());
  const page = await context.newPage();
  await page.goto(`${server.origin}/#${room}`);
  await page.getByRole('textbox', { name: 'Your name' }).fill('Visitor');
  await page.getByRole('button', { name: 'Join', exact: true }).click();
  return page;
}

test('a shop shows a call in a frame, hears of it and drives it; nothing secret is in an address', { timeout: 90_000 }, async (t) => {
  const room = newRoom();
  const secret = randomBytes(16).toString('base64url');
  const { page, requests, inside } = await around(t, shop, { room, secret, name: 'Agent', open: true, theme: 'dark' });
  const joined = await heard(page, 'joined');
  assert.equal(joined.room, room);
  const other = await visitor(t, `${room}.${secret}`);
  assert.deepEqual((await heard(page, 'peer-joined')).person.name, 'Visitor');
  await other.getByText('1 of 1 connected').waitFor({ timeout: CONNECT_MS });
  // Both ways: a line from the frame's page, and one back.
  await page.evaluate(() => globalThis.frame.say('from the shop'));
  await other.getByRole('button', { name: /^Chat/ }).click();
  await other.getByRole('log').getByText('from the shop').waitFor();
  await other.getByRole('textbox', { name: 'Write a message' }).fill('hello shop');
  await other.keyboard.press('Enter');
  await until('the shop hears it', async () => (await heard(page, 'message')).message.text === 'hello shop');
  await page.evaluate(() => globalThis.frame.mute());
  await inside.getByRole('button', { name: 'Microphone', pressed: false }).waitFor();
  await page.evaluate(() => globalThis.frame.camera(false));
  await inside.getByRole('button', { name: 'Camera', pressed: false }).waitFor();
  await page.evaluate(() => globalThis.frame.set({ hide: 'screen', theme: 'light' }));
  await inside.locator('klatch-room[theme="light"][hide="screen"]').waitFor();
  assert.deepEqual(requests.filter((url) => url.includes(secret)), []);
  // What is sent to others is Klatch's own page.
  assert.equal(await inside.locator('klatch-room').evaluate((element) => element.link), `${server.origin}/#${room}.${secret}`);
  await page.evaluate(() => Promise.all([globalThis.frame.destroy(), globalThis.frame.destroy()]));
  assert.equal(await page.locator('iframe').count(), 0);
  await other.getByText('Only you are here').waitFor({ timeout: CONNECT_MS });
  assert.equal((await heard(page, 'left')).reason, 'left');
  assert.equal(await page.evaluate(() => globalThis.frame.mute().catch(({ code }) => code)), 'aborted');
});

test('a site that is not named is refused in words, and nothing is opened', async (t) => {
  const { page, inside } = await around(t, stranger, { room: newRoom(), name: 'Agent', open: true });
  const { problem } = await heard(page, 'problem');
  assert.equal(problem.code, 'frame-refused');
  assert.match(problem.message, new RegExp(`${stranger.origin}.*frame_ancestors`));
  await inside.getByRole('heading', { name: 'This call can’t be shown here' }).waitFor();
  assert.equal(await inside.locator('klatch-room').count(), 0);
  const code = await page.evaluate(() => Promise.race([globalThis.frame.mute().catch(({ code: word }) => word),
    new Promise((done) => { setTimeout(() => done('waits'), 200); })]));
  assert.equal(code, 'frame-refused');
});

test('a frame that the browser blocks is a problem in words, calls end with it, and one that starts late works', async (t) => {
  const { page } = await around(t, shop, { src: `${stranger.origin}/nothing.html`, patience: 300, room: newRoom(), name: 'Agent' });
  const code = () => page.evaluate(() => globalThis.frame.mute().catch((error) => error.code));
  assert.equal(await code(), 'not-started');
  const { problem } = await heard(page, 'problem');
  assert.equal(problem.code, 'not-started');
  assert.match(problem.message, new RegExp(`${stranger.origin}/nothing.html.*${shop.origin}.*frame_ancestors`));
  assert.equal(await code(), 'not-started');
  await page.evaluate(() => globalThis.frame.destroy());
  assert.equal(await code(), 'aborted');

  // The server comes back, and the frame is loaded again.
  let away = true;
  const late = await around(t, shop, { patience: 300, room: newRoom(), name: 'Agent', open: true }, async (its) => {
    await its.route('**/embed.html', (route) => (away ? route.abort() : route.continue()));
  });
  assert.equal((await heard(late.page, 'problem')).problem.code, 'not-started');
  away = false;
  await late.page.evaluate(() => { globalThis.frame.element.src += ''; });
  await heard(late.page, 'started');
  await heard(late.page, 'joined');
  await late.page.evaluate(() => globalThis.frame.mute());
});

test('a site that is named can\'t be used by one that frames it', async (t) => {
  const context = await browser.newContext();
  t.after(() => context.close());
  const page = await context.newPage();
  await page.goto(stranger.origin);
  await page.evaluate((address) => {
    document.body.append(Object.assign(document.createElement('iframe'), { src: address, allow: 'camera *; microphone *' }));
  }, `${shop.origin}/nested.html`);
  const middle = await until('the shop is framed', () => page.frames().find((frame) => frame.url().startsWith(shop.origin)));
  await middle.evaluate(async (src) => {
    const { openFrame } = await import('/klatch-frame.js');
    openFrame(document.body, { src, room: 'tea', open: true });
  }, `${server.origin}/`);
  await middle.frameLocator('iframe').getByRole('heading', { name: 'This call can’t be shown here' }).waitFor();
});

test('messages of other windows, other origins and other shapes change nothing', async (t) => {
  const { page, inside } = await around(t, shop, { room: newRoom(), name: 'Agent', open: true });
  await heard(page, 'joined');
  const frames = () => page.frames();
  const klatch = frames().find((frame) => frame.url().startsWith(server.origin));
  // Another window of the named origin, and one of another, speak to the frame.
  await page.evaluate(async (address) => {
    for (const src of ['/other.html', address]) {
      const extra = Object.assign(document.createElement('iframe'), { src, className: 'extra' });
      const loaded = new Promise((done) => { extra.onload = done; });
      document.body.append(extra);
      await loaded;
    }
  }, `${stranger.origin}/other.html`);
  const leave = { klatch: 1, type: 'call', id: '1', method: 'leave', args: [] };
  for (const frame of frames().filter((one) => one.url().endsWith('/other.html'))) {
    await frame.evaluate((message) => {
      parent.frames[0].postMessage(message, '*');
      parent.postMessage({ klatch: 1, type: 'event', name: 'left', detail: { reason: 'forged' } }, '*');
    }, leave);
  }
  // The page around itself, in other shapes.
  await page.evaluate((whole) => {
    const { contentWindow } = document.querySelector('iframe');
    const wrong = [null, 1, 'leave', [], {}, { ...whole, klatch: 2 }, { ...whole, type: 'calls' }, { ...whole, id: 7 }, { ...whole, args: null },
      { ...whole, args: [1] }, { ...whole, method: 'destroy' }, { ...whole, method: 'constructor' }, { ...whole, method: '__proto__' },
      { ...whole, method: 'camera', args: ['off'] }, { klatch: 1, type: 'set', options: { room: 7 } }, { klatch: 1, type: 'set', options: null },
      { klatch: 1, type: 'set', options: { room: 'x'.repeat(1000) } }, { klatch: 1, type: 'set', options: { onclick: 'alert(1)', style: 'x' } },
      { klatch: 1, type: 'start', options: { room: 'other' } }, { klatch: 1, type: 'token', id: 'x', token: 'y' }];
    for (const message of wrong) contentWindow.postMessage(message, '*');
  }, leave);
  // Had they counted, they came before this answer.
  await page.evaluate(() => globalThis.frame.mute());
  await inside.getByRole('button', { name: 'Hang up' }).waitFor();
  assert.deepEqual(await klatch.evaluate(() => {
    const element = document.querySelector('klatch-room');
    return [element.getAttribute('onclick'), element.getAttribute('style'), element.media.cam, element.call !== null];
  }), [null, null, true, true]);
  assert.deepEqual(await page.evaluate(() => globalThis.told.filter(([type]) => type === 'left')), []);
  assert.deepEqual(await page.evaluate(() => [globalThis.frame.element.allow, new URL(globalThis.frame.element.src).search]),
    ['camera; microphone; display-capture; autoplay; fullscreen; picture-in-picture; clipboard-write; screen-wake-lock; speaker-selection', '']);
});

test('a token is fetched by the page around and handed over by message', async (t) => {
  const { page, requests } = await around(t, shop, { room: newRoom(), name: 'Agent', open: true, fetched: 'aaa.bbb.ccc' });
  await heard(page, 'joined');
  assert.equal(await page.evaluate(() => globalThis.asked), 1);
  assert.deepEqual(requests.filter((url) => url.includes('aaa.bbb')), []);
});

test('another room, link or token that the page around sets takes the former one\'s place', async (t) => {
  const [first, second] = [newRoom(), newRoom()];
  const { page, inside } = await around(t, shop, { room: first, name: 'Agent', fetched: 'aaa.bbb.ccc' });
  await heard(page, 'started');
  const links = [];
  for (const options of [{ room: second, token: null }, { link: 'https://example.org/x' }, { link: null }]) {
    await page.evaluate((its) => { globalThis.frame.set(its); return globalThis.frame.chat(false); }, options);
    links.push(await inside.locator('klatch-room').evaluate(({ link, token }) => [link, token]));
  }
  const own = `${server.origin}/#${second}`;
  assert.deepEqual(links, [[own, null], ['https://example.org/x', null], [own, null]]);
});

test('the frame\'s page by itself says what it is for', async (t) => {
  const context = await browser.newContext();
  t.after(() => context.close());
  const page = await context.newPage();
  await page.goto(`${server.origin}/embed.html`);
  await page.getByRole('heading', { name: 'This page belongs into another one' }).waitFor();
});

test('in a foreign frame no page shows itself, also where the web server sends no header', async (t) => {
  const context = await browser.newContext();
  t.after(() => context.close());
  const page = await context.newPage();
  await page.route(`${server.origin}/**`, async (route) => {
    const answer = await route.fetch();
    const { 'content-security-policy': policy = '', ...headers } = answer.headers();
    if (route.request().resourceType() === 'document') assert.match(policy, /frame-ancestors 'self'/);
    await route.fulfill({ response: answer, headers });
  });
  await page.goto(shop.origin);
  for (const address of ['#tea', 'admin.html', 'doctor.html']) {
    await page.evaluate((src) => document.body.replaceChildren(Object.assign(document.createElement('iframe'), { src })), `${server.origin}/${address}`);
    await page.frameLocator('iframe').getByText('This page can’t be shown inside another site').waitFor();
  }
});

test('options that there are not are refused to who wrote them', async (t) => {
  const context = await browser.newContext();
  t.after(() => context.close());
  const page = await context.newPage();
  await page.goto(shop.origin);
  const words = await page.evaluate(async () => {
    const { openFrame } = await import('/klatch-frame.js');
    return [{ src: 'javascript:alert(1)', room: 'tea' }, { src: 'http://[', room: 'tea' }, { src: '/', room: 7 }, { src: '/', room: 'tea', colour: 'red' },
      { src: '/', room: 'tea', open: 'yes' }].map((options) => {
      try {
        openFrame(document.body, options);
        return 'taken';
      } catch (error) {
        return error.name;
      }
    });
  });
  assert.deepEqual(words, Array(5).fill('TypeError'));
  assert.equal(await page.locator('iframe').count(), 0);
});

/* The examples of public_html/examples, opened as they stand, with the real backend. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import test, { after as atEnd, before as atStart } from 'node:test';
import { Site } from './lib/elsewhere.mjs';
import { launch } from './lib/participant.mjs';
import { Server } from './lib/server.mjs';
import { until } from './lib/until.mjs';

const CONNECT_MS = 30_000;
const EXAMPLES = new URL('../../public_html/examples/', import.meta.url);
const sites = [new Site(), new Site()];
let server;
let browser;

atStart(async () => {
  await Promise.all(sites.map((site) => site.start()));
  server = await new Server({ settings: `origins = ${sites.map(({ origin }) => origin).join(' ')}\n` }).start();
  browser = await launch();
});

atEnd(async () => {
  await browser?.close();
  await Promise.all(sites.map((site) => site.close()));
  await server.stop();
  assert.deepEqual(server.complaints(), []);
  await server.close();
});

/** A page of an example, by somebody with a browser of their own. */
async function open(t, address) {
  const context = await browser.newContext({ viewport: { width: 1000, height: 760 } });
  const page = await context.newPage();
  const complaints = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (line) => { if (line.type() === 'error' && !line.text().includes('404')) complaints.push(line.text()); });
  t.after(async () => {
    await context.close();
    assert.deepEqual(complaints, [], address);
  });
  await page.goto(address);
  return page;
}

async function join(page, name) {
  await page.getByRole('textbox', { name: 'Your name' }).fill(name);
  await page.getByRole('button', { name: 'Join', exact: true }).click();
  await page.getByRole('button', { name: 'Hang up' }).waitFor({ timeout: CONNECT_MS });
}

/** Wait until somebody is played in the page's element: by time, since on a slow machine pictures give way to sound. */
const sees = (page, name) => until(`${name} is seen`, () => page.evaluate((wanted) => {
  const of = (root) => [...root.querySelectorAll('*')].flatMap((one) => [one, ...(one.shadowRoot ? of(one.shadowRoot) : [])]);
  const person = document.querySelector('klatch-room')?.call?.people.find((one) => one.name === wanted);
  const video = of(document).find((one) => one.localName === 'video' && person && one.srcObject === person.stream);
  return person?.state === 'connected' && (!person.cam || (video && !video.paused && video.currentTime > 0.3));
}, name), CONNECT_MS);

test('the smallest page is a call', async (t) => {
  const [ann, ben] = [await open(t, `${server.origin}/examples/smallest.html`), await open(t, `${server.origin}/examples/smallest.html`)];
  await Promise.all([join(ann, 'Ann'), join(ben, 'Ben')]);
  await Promise.all([sees(ann, 'Ben'), sees(ben, 'Ann')]);
});

test('a shop\'s button rings at the desk, an agent takes the call, and hanging up ends it for both', { timeout: 90_000 }, async (t) => {
  const agent = await open(t, `${server.origin}/examples/support-button/agent.html`);
  await agent.getByText('The desk is open').waitFor({ timeout: CONNECT_MS });
  const shop = await open(t, `${server.origin}/examples/support-button/`);
  assert.equal(await shop.evaluate(() => customElements.get('klatch-room')), undefined);
  await shop.getByRole('button', { name: 'Talk to us' }).click();
  await agent.getByRole('button', { name: 'Take the call' }).click({ timeout: CONNECT_MS });
  await shop.getByText('You are talking to the shop.').waitFor({ timeout: CONNECT_MS });
  await Promise.all([sees(shop, 'Support agent'), sees(agent, 'Customer')]);
  assert.equal(await shop.evaluate(() => document.querySelector('klatch-room').call.sealed), true);
  // A second customer is somebody else's call.
  const second = await open(t, `${server.origin}/examples/support-button/`);
  await second.getByRole('button', { name: 'Talk to us' }).click();
  await agent.getByRole('button', { name: 'Take the call' }).waitFor({ timeout: CONNECT_MS });
  assert.equal(await shop.evaluate(() => document.querySelector('klatch-room').call.people.length), 1);
  await shop.locator('#help').click();
  await shop.getByRole('button', { name: 'Talk to us' }).waitFor();
  await agent.getByText('Only you are here').waitFor({ timeout: CONNECT_MS });
});

test('a shop\'s call is one, however it is clicked, and hanging up before the desk is open rings nobody', { timeout: 90_000 }, async (t) => {
  const shop = await open(t, `${server.origin}/examples/support-button/`);
  const held = [];
  const gate = (what) => shop.route(what, (route) => { held.push(route); });
  const go = async () => { for (const route of held.splice(0)) await route.continue(); };
  await gate('**/ui/klatch-room.js');
  await shop.getByRole('button', { name: 'Talk to us' }).click();
  await until('the element is loaded', () => held.length === 1);
  await shop.locator('#help').click();
  await shop.getByRole('button', { name: 'Talk to us' }).click();
  await gate('**/rooms/support-desk/join');
  await go();
  await until('the desk is asked', () => held.length > 0, CONNECT_MS);
  assert.deepEqual([await shop.locator('klatch-room').count(), held.length], [1, 1]);
  const givenUp = shop.waitForEvent('requestfailed', { predicate: (request) => request.url().endsWith('/rooms/support-desk/join') });
  await shop.getByRole('button', { name: 'Hang up' }).first().click();
  await givenUp;
  await shop.getByRole('button', { name: 'Talk to us' }).waitFor();
  assert.equal(await shop.locator('klatch-room').count(), 0);
});

test('a desk keeps the newest of many calls', { timeout: 60_000 }, async (t) => {
  const agent = await open(t, `${server.origin}/examples/support-button/agent.html`);
  await agent.getByText('The desk is open').waitFor({ timeout: CONNECT_MS });
  const shop = await open(t, `${server.origin}/examples/support-button/`);
  await shop.evaluate(async () => {
    const { AGENT, openDesk } = await import('./desk.js');
    const desk = await openDesk('Customer');
    const agents = () => desk.people.filter(({ name, state }) => name === AGENT && state === 'connected');
    while (agents().length === 0) await new Promise((done) => { desk.on('peer-updated', done); });
    const secret = 's'.repeat(22);
    for (let i = 0; i < 55; i += 1) desk.say(JSON.stringify({ room: `call-${i}`, secret }), agents()[0]);
  });
  const buttons = agent.getByRole('button', { name: 'Take the call' });
  await until('the list is full', async () => (await buttons.count()) >= 50, CONNECT_MS);
  await until('the newest is the last', async () => {
    await buttons.last().click();
    return await agent.evaluate(() => document.querySelector('klatch-room')?.room) === 'call-54';
  }, CONNECT_MS);
  assert.ok(await buttons.count() < 50);
});

test('people of two sites meet in one room, with nothing but Klatch\'s address in either page', { timeout: 90_000 }, async (t) => {
  const html = fs.readFileSync(new URL('two-origins/index.html', EXAMPLES), 'utf8');
  const page = html.replace('src="../../ui/klatch-room.js"', `src="${server.origin}/ui/klatch-room.js"`);
  assert.notEqual(page, html);
  // The policies that the guide gives for pages with the element.
  const policy = `default-src 'self'; script-src 'self' ${server.origin}; connect-src 'self' ${server.origin}; img-src 'self' blob: data:; `
    + 'media-src blob: mediastream:';
  for (const site of sites) {
    site.pages['/examples/two-origins/'] = page;
    site.headers = { 'Content-Security-Policy': policy, 'Permissions-Policy': 'camera=(self), microphone=(self), display-capture=(self)' };
  }
  const [ann, ben] = await Promise.all(sites.map(({ origin }) => open(t, `${origin}/examples/two-origins/`)));
  await Promise.all([join(ann, 'Ann'), join(ben, 'Ben')]);
  await Promise.all([sees(ann, 'Ben'), sees(ben, 'Ann')]);
  await ann.getByText('Ben is here.').waitFor();
  await ann.getByText(sites[0].origin).waitFor();
  await ben.getByRole('button', { name: 'Hang up' }).click();
  await ann.getByText('Ben has gone.').waitFor({ timeout: CONNECT_MS });
});

test('pointers that move in one browser move in the other, by mouse and by keys', async (t) => {
  const address = `${server.origin}/examples/cursors/#${Date.now()}`;
  const [ann, ben] = [await open(t, address), await open(t, address)];
  for (const page of [ann, ben]) await page.getByText('1 other is here.').waitFor({ timeout: CONNECT_MS });
  await ann.getByRole('textbox', { name: 'Your name' }).fill('Ann <b>');
  const field = await ann.locator('#field').boundingBox();
  const seen = ben.locator('.cursor', { hasText: 'Ann <b>' });
  await ann.mouse.move(field.x + field.width / 4, field.y + field.height / 2);
  const at = (share) => until(`Ann's cursor is at ${share}`, async () => {
    // One that was lost on the way isn't sent again: move on.
    await ann.mouse.move(field.x + field.width * share, field.y + field.height * (0.5 + 0.01 * Math.random()));
    const box = await seen.boundingBox();
    const other = await ben.locator('#field').boundingBox();
    return Math.abs((box.x - other.x) / other.width - share) < 0.02;
  }, CONNECT_MS);
  await ann.getByRole('textbox', { name: 'Your name' }).press('Tab');
  await at(0.25);
  await at(0.75);
  const before = (await seen.boundingBox()).x;
  await ann.locator('#field').focus();
  await until('the arrow keys move it too', async () => {
    await ann.keyboard.press('ArrowLeft');
    return (await seen.boundingBox()).x < before - 20;
  });
  await ann.close();
  await ben.getByText('Nobody else is here.').waitFor({ timeout: CONNECT_MS });
  assert.equal(await seen.count(), 0);
});

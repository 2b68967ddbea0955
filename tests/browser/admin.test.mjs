// The admin page in a real browser, on a real backend: what the site's owner sees and does.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, before, describe, test } from 'node:test';
import { openBrowser } from '../ui/browser.mjs';
import { Server } from './lib/server.mjs';

const KEY = 'the-key-of-the-owner-of-this-site-0123456789';
const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
const WAIT_MS = 15_000;

// Nobody of a test before lapses while people are counted.
const server = new Server({ settings: `admin_key = ${KEY}\nlease_ms = 600000\nttl_ms = 900000\n` });
let browser;
before(async () => {
  await server.start();
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  await server.stop();
});

async function post(where, body) {
  const answer = await fetch(`${server.origin}/api/v1${where}`, {
    method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' },
  });
  return { status: answer.status, json: answer.status === 204 ? null : await answer.json() };
}

let rooms = 0;
/** A new room with these people in it. */
async function roomWith(...bodies) {
  rooms += 1;
  const room = `admin-${process.pid}-${rooms}`;
  const members = [];
  for (const body of bodies) members.push((await post(`/rooms/${room}/join`, body)).json);
  return { room, members };
}

/** The page for the length of `body`. Nothing may have complained in it, but what is `expected`. */
async function atPage(body, { size = [1280, 800], scheme = 'light', key = KEY, expected } = {}) {
  const context = await browser.newContext({ viewport: { width: size[0], height: size[1] }, colorScheme: scheme, reducedMotion: 'reduce' });
  context.setDefaultTimeout(WAIT_MS);
  const page = await context.newPage();
  const complaints = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  // Where an answer is slow, the API is looked for at the next place too, where there is none.
  page.on('console', (line) => { if (line.type() === 'error' && !isSearch(line)) complaints.push(line.text()); });
  const asked = [];
  page.on('request', (request) => asked.push(request.url()));
  await page.goto(`${server.origin}/admin.html`);
  if (key !== null) await enter(page, key);
  await body(page, asked);
  assert.deepEqual(complaints.filter((one) => !expected?.test(one)), []);
  await context.close();
}

const isSearch = (line) => line.text().includes('404') && /(?<!\/api)\/v1\/health$/.test(line.location().url);

async function enter(page, key) {
  await page.getByLabel('Admin key').fill(key);
  await page.keyboard.press('Enter');
}

const roomOn = (page, room) => page.locator(`[data-room="${room}"]`);

describe('the admin page', () => {
  test('asks for the key, says when it is wrong, and shows figures and rooms with the right one', async () => {
    const { room, members: [ann, ben] } = await roomWith({ name: 'Ann <b>bold</b>' }, { meta: { s: 'sealed' } });
    await atPage(async (page, asked) => {
      await page.getByRole('alert').filter({ hasText: 'That is not the admin key.' }).waitFor();
      await enter(page, KEY);
      const listed = roomOn(page, room);
      await listed.getByText('2 people').waitFor();
      await listed.getByText('Ann <b>bold</b>', { exact: true }).waitFor();
      await listed.getByText('Name not public').waitFor();
      for (const { peer } of [ann, ben]) await listed.getByText(peer, { exact: true }).waitFor();
      for (const name of ['People and rooms', 'Waiting requests', 'Messages a second', 'Errors a second', 'Data folder', 'Disk']) {
        await page.getByRole('group', { name }).locator('canvas').waitFor();
      }
      await page.getByRole('group', { name: 'Disk' }).getByText(/\d [MG]iB/).waitFor();
      assert.ok(asked.every((url) => !url.includes(KEY)), 'the key is in no address');
    }, { key: 'a-wrong-key', expected: /403/ });
  });

  test('shows live how many come, and what they send', async () => {
    await atPage(async (page) => {
      const people = page.getByRole('group', { name: 'People and rooms' }).getByText(/^\d+$/).first();
      const before1 = Number(await people.textContent());
      const { room, members: [ann] } = await roomWith({}, {}, {});
      await roomOn(page, room).getByText('3 people').waitFor();
      const seen = page.getByRole('group', { name: 'People and rooms' }).getByText(String(before1 + 3), { exact: true });
      await seen.waitFor();
      const send = Array.from({ length: 40 }, (_, i) => ({ id: `m${i}`, type: 'note', data: i }));
      await post(`/rooms/${room}/messages`, { key: ann.key, send });
      await page.waitForFunction(() => {
        const said = document.querySelector('klatch-admin').shadowRoot.querySelector('[aria-label="Messages a second"] dd');
        return Number(said.textContent) > 0;
      });
    });
  });

  test('waits for an answer before it asks the same again, and reads the rooms anew after a deed', async () => {
    const { room } = await roomWith({ name: 'Ann' });
    await atPage(async (page) => {
      await roomOn(page, room).waitFor();
      await page.clock.install();
      await page.reload();
      await roomOn(page, room).waitFor();
      const held = { metrics: [], rooms: [] };
      let holding = true;
      await page.route(/\/admin\/(metrics|rooms)(\?|$)/, async (route) => {
        const answer = route.fetch();
        const go = async () => route.fulfill({ response: await answer });
        if (holding) held[route.request().url().includes('metrics') ? 'metrics' : 'rooms'].push(go);
        else await go();
      });
      // Long enough for three questions, and shorter than an answer is waited for.
      await page.clock.runFor(7000);
      await page.getByRole('button', { name: `Close the room ${room}` }).click();
      await page.getByRole('button', { name: 'Close the room', exact: true }).click();
      await page.getByText(`The room ${room} was closed.`).waitFor();
      assert.deepEqual([held.metrics.length, held.rooms.length], [1, 1]);
      holding = false;
      for (const go of [...held.metrics, ...held.rooms]) await go();
      await roomOn(page, room).waitFor({ state: 'detached' });
      await page.unrouteAll({ behavior: 'wait' });
    });
  });

  test('closes a room after a question, by the keyboard alone', async () => {
    const { room, members: [ann] } = await roomWith({ name: 'Ann' });
    await atPage(async (page) => {
      const close = page.getByRole('button', { name: `Close the room ${room}` });
      const focused = () => page.evaluate(() => document.querySelector('klatch-admin').shadowRoot.activeElement?.textContent.trim());
      for (const answer of ['Escape', 'Enter']) { // Enter: of the button that has the focus first, Cancel
        await close.focus();
        await page.keyboard.press('Enter');
        await page.getByRole('dialog', { name: `Close the room ${room}?` }).waitFor();
        assert.equal(await focused(), 'Cancel');
        await page.keyboard.press(answer);
        await page.getByRole('dialog').waitFor({ state: 'hidden' });
        assert.equal(await focused(), 'Close', 'the focus is back');
      }
      assert.equal((await post(`/rooms/${room}/exchange`, { key: ann.key })).status, 200, 'nothing was done');
      await page.keyboard.press('Enter');
      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      await page.getByRole('status').filter({ hasText: `The room ${room} was closed.` }).waitFor();
      await roomOn(page, room).waitFor({ state: 'detached' });
      const gone = await post(`/rooms/${room}/exchange`, { key: ann.key });
      assert.equal(gone.json.code, 'room-closed');
    });
  });

  test('removes a person, for good where that is ticked', async () => {
    const { room, members: [ann, ben] } = await roomWith({ name: 'Ann' }, { name: 'Ben' });
    await atPage(async (page) => {
      await page.getByRole('button', { name: `Remove Ben from the room ${room}` }).click();
      const dialog = page.getByRole('dialog', { name: `Remove Ben from ${room}?` });
      await dialog.getByRole('checkbox').check();
      await dialog.getByRole('button', { name: 'Remove', exact: true }).click();
      await page.getByRole('status').filter({ hasText: `Ben was removed from ${room}.` }).waitFor();
      await roomOn(page, room).getByText('1 person').waitFor();
      assert.equal((await post(`/rooms/${room}/exchange`, { key: ben.key })).json.code, 'kicked');
      assert.equal((await post(`/rooms/${room}/join`, {})).json.code, 'banned');
      assert.equal((await post(`/rooms/${room}/exchange`, { key: ann.key })).status, 200);
    });
  });

  test('says when a room was gone already', async () => {
    const { room, members: [ann] } = await roomWith({});
    await atPage(async (page) => {
      await page.getByRole('button', { name: `Close the room ${room}` }).click();
      await page.route(`**/admin/rooms/${room}/close`, (route) => route.fulfill({
        status: 404, contentType: 'application/problem+json', json: { code: 'room-not-found', status: 404, title: '', detail: 'There is no such room.' },
      }));
      await page.getByRole('button', { name: 'Close the room', exact: true }).click();
      await page.getByRole('status').filter({ hasText: 'There is no such room.' }).waitFor();
    }, { expected: /404/ });
    await post(`/rooms/${room}/leave`, { key: ann.key });
  });

  test('says when the server is away, and goes on when it is back', async () => {
    await atPage(async (page) => {
      await page.getByRole('heading', { name: 'Rooms', exact: true }).waitFor();
      await page.route('**/api/v1/admin/**', (route) => route.abort());
      await page.getByRole('alert').filter({ hasText: 'The server does not answer' }).waitFor();
      await page.unroute('**/api/v1/admin/**');
      await page.getByText('The server does not answer').waitFor({ state: 'hidden' });
      await page.getByRole('heading', { name: 'Rooms', exact: true }).waitFor();
    }, { expected: /net::ERR_FAILED/ });
  });

  test('a page that is reloaded while the server is away keeps the key, and shows all when it is back', async () => {
    await atPage(async (page) => {
      await page.getByRole('heading', { name: 'Rooms', exact: true }).waitFor();
      const api = /\/v1\//;
      await page.route(api, (route) => route.abort());
      await page.reload();
      await page.getByRole('alert').filter({ hasText: 'The server does not answer. The page goes on asking.' }).waitFor();
      assert.equal(await page.getByLabel('Admin key').count(), 0);
      await page.unroute(api);
      await page.getByRole('heading', { name: 'Rooms', exact: true }).waitFor();
      await page.route(api, (route) => route.abort());
      await page.reload();
      await page.getByRole('alert').filter({ hasText: 'The server does not answer' }).waitFor();
      await page.getByRole('button', { name: 'Forget the key' }).click();
      assert.equal(await page.evaluate(() => sessionStorage.getItem('klatch-admin-key')), null);
      await enter(page, KEY);
      await page.getByRole('alert').filter({ hasText: /^The server does not answer\.$/ }).waitFor();
    }, { expected: /net::ERR_FAILED/ });
  });

  test('keeps the key through a reload and no longer than it is good', async () => {
    await atPage(async (page) => {
      await page.getByRole('heading', { name: 'Rooms', exact: true }).waitFor();
      await page.reload();
      await page.getByRole('heading', { name: 'Rooms', exact: true }).waitFor();
      await page.evaluate(() => sessionStorage.setItem('klatch-admin-key', 'not-any-more'));
      await page.reload();
      await page.getByLabel('Admin key').waitFor();
      await page.getByRole('alert').filter({ hasText: 'That is not the admin key.' }).waitFor();
      assert.equal(await page.evaluate(() => sessionStorage.getItem('klatch-admin-key')), null);
      await enter(page, KEY);
      await page.getByRole('button', { name: 'Forget the key' }).click();
      await page.getByLabel('Admin key').waitFor();
      assert.equal(await page.evaluate(() => sessionStorage.getItem('klatch-admin-key')), null);
    }, { expected: /403/ });
  });

  test('has no finding of axe, in neither theme, and fits a narrow phone', async () => {
    const { room } = await roomWith({ name: 'Somebody with a name that goes on and on and on without an end' }, { meta: { s: 'x' } });
    const axe = await readFile(AXE, 'utf8');
    for (const [size, scheme] of [[[320, 568], 'light'], [[1280, 800], 'dark']]) {
      await atPage(async (page) => {
        await page.evaluate(axe);
        const check = async (where) => {
          const found = await page.evaluate((tags) => window.axe.run(document, { runOnly: { type: 'tag', values: tags } }), RULES);
          assert.deepEqual(found.violations.map(({ id, nodes }) => `${id}: ${nodes.map((n) => n.failureSummary).join(' ')}`), [], `${where}, ${scheme}`);
          assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), size[0], where);
        };
        await page.getByLabel('Admin key').waitFor();
        await check('the door');
        await enter(page, KEY);
        await roomOn(page, room).waitFor();
        await check('the panel');
        await page.getByRole('button', { name: `Close the room ${room}` }).click();
        await page.getByRole('dialog').waitFor();
        await check('the question');
      }, { size, scheme, key: null });
    }
  });
});

/* <klatch-room> on a page of somebody else, in real calls: several, moved, removed, put at what is no Klatch. */

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { site } from './lib/site.mjs';
import { until } from './lib/until.mjs';

const CONNECT_MS = 30_000;
const COUNTING = fileURLToPath(new URL('./lib/counted-page.js', import.meta.url));
const own = site();
const { server } = own;

const newRoom = () => `element-${randomBytes(6).toString('hex')}`;

/** A page of another site's making, with the element's script and a place for it. */
async function host(t) {
  const context = await own.browser.newContext();
  t.after(() => context.close());
  const page = await context.newPage();
  page.on('pageerror', (error) => assert.fail(`page: ${error}`));
  await page.addInitScript({ path: COUNTING });
  const body = '<!doctype html><title>x</title><main id="here"></main><aside id="there"></aside>';
  await page.route('**/host.html', (route) => route.fulfill({ contentType: 'text/html', body }));
  await page.goto(`${server.origin}/host.html`);
  await page.evaluate(async () => {
    await import('/ui/klatch-room.js');
    globalThis.add = (id, room, name) => {
      const element = Object.assign(document.createElement('klatch-room'), { id, room, name, open: true });
      document.getElementById('here').append(element);
    };
  });
  return page;
}

const add = (page, id, room, name) => page.evaluate((its) => globalThis.add(...its), [id, room, name]);

/** Wait until an element is in a call with so many others, connected. */
const connected = (page, id, count) => until(`${id} is connected to ${count}`, async () => {
  const states = await page.evaluate((its) => document.getElementById(its)?.call?.people.map(({ state }) => state) ?? null, id);
  if (states?.length === count && states.every((state) => state === 'connected')) return true;
  throw new Error(`it is ${states}`);
}, CONNECT_MS);

/** Wait until the first other person is played on: by time, since on a slow machine pictures may give way to sound. */
async function plays(page, id) {
  const played = () => page.evaluate((its) => {
    const { call } = document.getElementById(its);
    const of = (root) => [...root.querySelectorAll('*')].flatMap((one) => [one, ...(one.shadowRoot ? of(one.shadowRoot) : [])]);
    const video = of(document).find((one) => one.localName === 'video' && one.srcObject !== null && one.srcObject === call.people[0].stream);
    return video && !video.paused ? video.currentTime : 0;
  }, id);
  const from = await played();
  return until(`${id} plays what comes`, async () => await played() > from + 0.3, CONNECT_MS);
}

/** How many elements the page still holds in memory. */
async function alive(page) {
  const devtools = await page.context().newCDPSession(page);
  const expression = 'customElements.get("klatch-room").prototype';
  const { result: { objectId: prototypeObjectId } } = await devtools.send('Runtime.evaluate', { expression });
  const { objects } = await devtools.send('Runtime.queryObjects', { prototypeObjectId });
  const { result } = await devtools.send('Runtime.callFunctionOn', {
    objectId: objects.objectId, functionDeclaration: 'function count() { return this.length; }',
  });
  await devtools.send('Runtime.releaseObject', { objectId: objects.objectId });
  await devtools.detach();
  return result.value;
}

test('a removed element leaves nothing: no device, poll, connection, listener, nor itself in memory', { timeout: 120_000 }, async (t) => {
  const [page, other] = [await host(t), await host(t)];
  const room = newRoom();
  await add(other, 'other', room, 'Other');
  await connected(other, 'other', 0);
  const before = await page.evaluate(() => globalThis.klatchCount());
  for (let round = 0; round < 2; round += 1) {
    await add(page, 'one', room, 'One');
    await Promise.all([connected(page, 'one', 1), connected(other, 'other', 1)]);
    await page.evaluate(() => document.getElementById('one').chat(true));
    const during = await page.evaluate(() => globalThis.klatchCount());
    assert.ok(during.devices > 0 && during.connections > 0 && during.locks > 0 && during.listeners.length > 0, JSON.stringify(during));
    await page.evaluate(() => document.getElementById('one').remove());
    await connected(other, 'other', 0);
    await until('all is given back', async () => {
      const { opened, ...now } = await page.evaluate(() => globalThis.klatchCount());
      const { opened: none, ...then } = before;
      assert.deepEqual(now, then);
      return opened > none;
    });
  }
  await until('no element is left in memory', async () => {
    const count = await alive(page);
    if (count > 0) throw new Error(`${count} are left`);
    return true;
  });
});

test('a call goes on while its element is moved within the page', async (t) => {
  const [page, other] = [await host(t), await host(t)];
  const room = newRoom();
  await add(page, 'one', room, 'One');
  await add(other, 'other', room, 'Other');
  await Promise.all([connected(page, 'one', 1), connected(other, 'other', 1)]);
  await Promise.all([plays(page, 'one'), plays(other, 'other')]);
  await other.evaluate(() => {
    globalThis.gone = [];
    document.addEventListener('peer-left', ({ detail }) => globalThis.gone.push(detail.reason));
  });
  await page.evaluate(() => {
    globalThis.peer = document.getElementById('one').call.self.id;
    document.getElementById('there').append(document.getElementById('one'));
  });
  await Promise.all([plays(page, 'one'), plays(other, 'other')]);
  const { opened, connections } = await page.evaluate(() => globalThis.klatchCount());
  assert.deepEqual([opened, connections], [2, 1]);
  assert.ok(await page.evaluate(() => document.getElementById('one').call.self.id === globalThis.peer));
  assert.deepEqual(await other.evaluate(() => globalThis.gone), []);
});

test('two elements on one page are two calls, and one goes on when the other is removed', async (t) => {
  const [page, tea, coffee] = [await host(t), await host(t), await host(t)];
  const rooms = [newRoom(), newRoom()];
  await add(page, 'tea', rooms[0], 'Both');
  await add(page, 'coffee', rooms[1], 'Both');
  await add(tea, 'one', rooms[0], 'One');
  await add(coffee, 'other', rooms[1], 'Other');
  await Promise.all([connected(page, 'tea', 1), connected(page, 'coffee', 1)]);
  await page.evaluate(() => {
    globalThis.heard = [];
    document.addEventListener('message', ({ target, detail: { message } }) => globalThis.heard.push(`${target.id}: ${message.text}`));
  });
  await tea.evaluate(() => document.getElementById('one').say('for tea'));
  await coffee.evaluate(() => document.getElementById('other').say('for coffee'));
  await until('both are heard', () => page.evaluate(() => globalThis.heard.length === 2));
  assert.deepEqual((await page.evaluate(() => globalThis.heard)).sort(), ['coffee: for coffee', 'tea: for tea']);
  await page.evaluate(() => document.getElementById('tea').remove());
  await connected(tea, 'one', 0);
  await plays(page, 'coffee');
  await connected(coffee, 'other', 1);
});

test('an api that is no Klatch is told at once, in words to the person and by a code to the page', async (t) => {
  const page = await host(t);
  const html = { contentType: 'text/html', body: '<!doctype html><h1>Welcome</h1>' };
  await page.route('**/html/v1/**', (route) => route.fulfill(html));
  await page.route('**/moved/v1/**', (route) => route.fulfill({ status: 302, headers: { Location: '/html/v1/x' } }));
  await page.route('**/absent/v1/**', (route) => route.fulfill({ status: 404, ...html }));
  const told = await page.evaluate(async () => {
    const seen = {};
    for (const api of ['/html/v1', '/moved/v1', '/absent/v1', '/api/v9', '/api']) {
      const element = Object.assign(document.createElement('klatch-room'), { api, room: 'tea', devices: 'none' });
      document.getElementById('here').append(element);
      const problem = new Promise((resolve) => { element.addEventListener('problem', ({ detail }) => resolve(detail.problem), { once: true }); });
      const refused = await element.join().then(() => 'joined', ({ code }) => code);
      const { code, message } = await problem;
      await new Promise((resolve) => { requestAnimationFrame(() => setTimeout(resolve)); });
      const lobby = element.shadowRoot.querySelector('klatch-lobby').shadowRoot;
      seen[api] = [refused, code, message.length > 20, lobby.querySelector('.problem .title')?.textContent ?? ''];
      element.remove();
    }
    return seen;
  });
  for (const [api, [refused, code, words, title]] of Object.entries(told)) {
    assert.equal(code, api.startsWith('/api') ? 'other-version' : 'not-klatch', api);
    assert.equal(refused, code, api);
    assert.ok(words && title !== '' && title !== 'Something went wrong', `${api}: ${title}`);
  }
});

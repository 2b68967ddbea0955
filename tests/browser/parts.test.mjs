/* Parts of the SDK that can't be loaded for a while: the call goes on, and nothing is lost. */

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import test from 'node:test';
import { site } from './lib/site.mjs';
import { until } from './lib/until.mjs';

const CONNECT_MS = 30_000;
const PARTS = /\/klatch\/(?:spending|files|before|writing|sealing)\.js/;
const own = site();
const { server } = own;

const newRoom = () => `parts-${randomBytes(6).toString('hex')}`;

/** A page with the SDK alone, from a server that may not have all of it. */
async function page(t, { whole = true } = {}) {
  const context = await own.browser.newContext();
  t.after(() => context.close());
  if (!whole) await context.route(PARTS, (route) => route.fulfill({ status: 404, body: '' }));
  const one = await context.newPage();
  one.on('pageerror', (error) => assert.fail(String(error)));
  await one.route('**/embedding.html', (route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>x</title>' }));
  await one.goto(`${server.origin}/embedding.html`);
  return { page: one, mend: () => context.unroute(PARTS) };
}

/** Join with Chromium's own camera; what happens lies in `heard`. @returns {Promise<string>} a problem's code, or '' */
function join(one, room, name) {
  return one.evaluate(async ([roomName, person]) => {
    const { joinRoom, Media } = await import('/klatch/index.js');
    const media = new Media();
    await media.open();
    const heard = { problems: [], texts: [], before: [], files: [] };
    try {
      const joined = await joinRoom({ api: '/api/v1', room: roomName, name: person, media });
      joined.on('problem', ({ detail: { problem } }) => heard.problems.push(`${problem.code} ${problem.detail}`));
      joined.on('message', ({ detail }) => heard.texts.push(detail.message.text));
      joined.on('before', ({ detail }) => heard.before.push(...detail.messages.map(({ text }) => text)));
      joined.on('file', ({ detail: { share } }) => heard.files.includes(share.name) || heard.files.push(share.name));
      Object.assign(globalThis, { room: joined, heard });
      return '';
    } catch (error) {
      return error.code;
    }
  }, [room, name]);
}

const connected = (one, others) => until(`${others} connected`, () => one
  .evaluate((count) => globalThis.room.counts.connected === count, others), CONNECT_MS);
const heard = (one) => one.evaluate(() => globalThis.heard);

test('who can\'t load a part is in the call all the same, is told once of each, and misses nothing', { timeout: 90_000 }, async (t) => {
  const [ann, bo] = [await page(t), await page(t, { whole: false })];
  const room = newRoom();
  await join(ann.page, room, 'Ann');
  await ann.page.evaluate(() => globalThis.room.say('before Bo'));
  await join(bo.page, room, 'Bo');
  await Promise.all([connected(ann.page, 1), connected(bo.page, 1)]);
  await until('Bo is told', async () => (await heard(bo.page)).problems.length >= 3);
  const problems = ['not-loaded files', 'not-loaded spending', 'not-loaded talk'];
  assert.deepEqual((await heard(bo.page)).problems.sort(), problems);

  await bo.page.evaluate(() => globalThis.room.say('here I am'));
  await ann.page.evaluate(async () => {
    (await globalThis.room.files()).offer(new File(['tea'], 'tea.txt'));
  });
  await until('Ann hears Bo', async () => (await heard(ann.page)).texts.includes('here I am'));
  assert.deepEqual((await heard(bo.page)).files, []);

  await bo.mend();
  await until('Bo has what he missed', async () => {
    const { before, files } = await heard(bo.page);
    return before.includes('before Bo') && files.includes('tea.txt');
  }, CONNECT_MS);
  await until('what Bo sends is limited', () => bo.page.evaluate(() => globalThis.room.budget.shares.size === 1), CONNECT_MS);
  assert.deepEqual((await heard(bo.page)).problems.sort(), problems);
});

test('who can\'t load what a sealed room needs is told so, and comes in when it can be had', { timeout: 60_000 }, async (t) => {
  const bo = await page(t, { whole: false });
  const room = `${newRoom()}.${randomBytes(16).toString('base64url')}`;
  assert.equal(await join(bo.page, room, 'Bo'), 'not-loaded');
  await bo.mend();
  assert.equal(await join(bo.page, room, 'Bo'), '');
  assert.equal(await bo.page.evaluate(() => globalThis.room.sealed), true);
});

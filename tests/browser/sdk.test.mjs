/* What the SDK promises to pages that use it by themselves, with real connections. */

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { site } from './lib/site.mjs';
import { until } from './lib/until.mjs';

const CONNECT_MS = 30_000;
/** The server's own. */
const HOLD_MS = 25_000;
/** Counts connections and negotiations, and can lose signaling; runs before the page's scripts. */
const COUNTING = fileURLToPath(new URL('./lib/counted-rtc.js', import.meta.url));
const own = site();
const { server } = own;

/** A page of another site's making: no UI, the SDK alone. */
async function blank(t, context) {
  const page = await context.newPage();
  page.on('pageerror', (error) => t.diagnostic(`page: ${error}`));
  await page.addInitScript({ path: COUNTING });
  const body = '<!doctype html><title>x</title>';
  await page.route('**/embedding.html', (route) => route.fulfill({ contentType: 'text/html', body }));
  await page.goto(`${server.origin}/embedding.html`);
  return page;
}

/** Pages of people of their own. */
async function pages(t, count) {
  return Promise.all(Array.from({ length: count }, async () => {
    const context = await own.browser.newContext();
    t.after(() => context.close());
    return blank(t, context);
  }));
}

/** Join with devices (Chromium's own, a beeping pattern); the room is `globalThis[as]` there. */
function join(page, room, name, { as = 'room', devices = true } = {}) {
  return page.evaluate(async ([roomName, person, variable, open]) => {
    const { joinRoom, Media } = await import('/klatch/index.js');
    const media = new Media();
    if (open) await media.open();
    const joined = await joinRoom({ api: '/api/v1', room: roomName, name: person, media });
    const heard = [];
    joined.on('message', ({ detail }) => heard.push(detail.message.text));
    Object.assign(globalThis, { [variable]: joined, [`${variable}Media`]: media, [`${variable}Heard`]: heard });
  }, [room, name, as, devices]);
}

const newRoom = () => `sdk-${randomBytes(6).toString('hex')}`;
const counts = (page, as = 'room') => page.evaluate((variable) => globalThis[variable].counts, as);
const state = (page, as = 'room') => page.evaluate(
  (variable) => globalThis[variable].people.map((person) => person.state).join(),
  as,
);

function connected(page, others, as = 'room') {
  return until(`${others} are connected`, async () => {
    const { connected: now } = await counts(page, as);
    if (now !== others) throw new Error(await state(page, as));
    return true;
  }, CONNECT_MS);
}

/** Bytes of a kind that have come in over the page's living connections. */
const received = (page, kind) => page.evaluate((wanted) => globalThis.klatchRtc.received(wanted), kind);

/** Wait until more of a kind comes in. */
async function arrives(page, kind) {
  const from = await received(page, kind);
  return until(`more ${kind} comes in`, async () => await received(page, kind) > from + 1000, CONNECT_MS);
}

async function couple(t) {
  const room = newRoom();
  const [one, other] = await pages(t, 2);
  await join(one, room, 'One');
  await join(other, room, 'Other');
  await connected(one, 1);
  await connected(other, 1);
  return [one, other];
}

test('turning microphone and camera off and on negotiates nothing', async (t) => {
  const [one, other] = await couple(t);
  await arrives(one, 'video');
  const before = await other.evaluate(() => globalThis.klatchRtc.descriptions);
  await other.evaluate(() => globalThis.room.camera(false));
  await until('it is told', () => one.evaluate(() => globalThis.room.people[0].cam === false));
  assert.equal(await other.evaluate(() => globalThis.roomMedia.stream.getVideoTracks().length), 0);
  await other.evaluate(async () => {
    await globalThis.room.microphone(false);
    await globalThis.room.camera(true);
    await globalThis.room.microphone(true);
  });
  await until('it is told', () => one.evaluate(() => globalThis.room.people[0].cam && globalThis.room.people[0].mic));
  await arrives(one, 'video');
  assert.equal(await other.evaluate(() => globalThis.klatchRtc.descriptions), before);
});

test('who came without devices turns them on later, and nothing is negotiated', async (t) => {
  const room = newRoom();
  const [one, other] = await pages(t, 2);
  await join(one, room, 'One', { devices: false });
  await join(other, room, 'Other', { devices: false });
  await connected(one, 1);
  const before = await one.evaluate(() => globalThis.klatchRtc.descriptions);
  for (const page of [one, other]) await page.evaluate(() => globalThis.room.camera(true));
  await Promise.all([arrives(one, 'video'), arrives(other, 'video')]);
  assert.equal(await one.evaluate(() => globalThis.klatchRtc.descriptions), before);
});

test('offers made by both at once end in one connection that works', async (t) => {
  const [one, other] = await couple(t);
  const paths = (page) => page.evaluate(() => globalThis.klatchRtc.paths()[0]);
  for (const page of [one, other]) await page.evaluate(() => globalThis.klatchRtc.lag(300));
  for (let round = 0; round < 3; round += 1) {
    const before = await paths(one);
    await Promise.all([one, other].map((page) => page.evaluate(() => globalThis.klatchRtc.restart())));
    await until('both go by the same new path', async () => {
      const [mine, theirs] = [await paths(one), await paths(other)];
      return mine[0] === theirs[1] && mine[1] === theirs[0] && mine[0] !== before[0] && mine[1] !== before[1];
    });
  }
  await until('both are done', async () => await one.evaluate(() => globalThis.klatchRtc.stable())
    && await other.evaluate(() => globalThis.klatchRtc.stable()));
  await Promise.all([arrives(one, 'video'), arrives(other, 'video'), arrives(one, 'audio')]);
  assert.equal(await one.evaluate(() => globalThis.klatchRtc.made), 1);
  assert.equal(await other.evaluate(() => globalThis.klatchRtc.made), 1);
  assert.equal(await state(one), 'connected');
});

test('once connected, a restart goes by the channel and asks nothing of the server', async (t) => {
  const [one, other] = await couple(t);
  const sends = [];
  for (const page of [one, other]) {
    page.on('request', (request) => request.postData()?.includes('"send"') && sends.push(request.url()));
  }
  const before = await other.evaluate(() => globalThis.klatchRtc.descriptions);
  await one.evaluate(() => globalThis.klatchRtc.restart());
  await until('it is answered', async () => await other.evaluate(() => globalThis.klatchRtc.descriptions) > before
    && one.evaluate(() => globalThis.klatchRtc.stable()));
  await arrives(other, 'video');
  assert.deepEqual(sends, []);
});

test('a connection whose end was lost is replaced, in the same stream', { timeout: 120_000 }, async (t) => {
  const [one, other] = await couple(t);
  await one.evaluate(() => {
    globalThis.firstStream = globalThis.room.people[0].stream;
  });
  await other.evaluate(() => globalThis.klatchRtc.destroy());
  await until('it is seen', async () => await state(one) !== 'connected', 30_000);
  // Sooner than by trying the old one again until its time is over.
  await until('it is connected again', async () => await state(one) === 'connected'
    && await state(other) === 'connected', 20_000);
  await arrives(one, 'video');
  assert.ok(await one.evaluate(() => globalThis.firstStream === globalThis.room.people[0].stream));
  assert.equal(await one.evaluate(() => globalThis.firstStream.getTracks().length), 2);
});

test('two rooms on one page go on side by side, and one may end', async (t) => {
  const [tea, coffee] = [newRoom(), newRoom()];
  const [page, one, other] = await pages(t, 3);
  await join(page, tea, 'Both', { as: 'tea' });
  await join(page, coffee, 'Both', { as: 'coffee' });
  await join(one, tea, 'One');
  await join(other, coffee, 'Other');
  await connected(page, 1, 'tea');
  await connected(page, 1, 'coffee');
  await one.evaluate(() => globalThis.room.say('for tea'));
  await other.evaluate(() => globalThis.room.say('for coffee'));
  const heard = () => page.evaluate(() => [globalThis.teaHeard, globalThis.coffeeHeard]);
  await until('both were heard', async () => (await heard()).every((texts) => texts.length > 0));
  assert.deepEqual(await heard(), [['for tea'], ['for coffee']]);
  await page.evaluate(() => globalThis.coffee.leave());
  await until('the other room is empty', async () => (await counts(other)).others === 0);
  await arrives(one, 'video');
  assert.equal(await state(page, 'tea'), 'connected');
});

test('a duplicated tab joins as somebody of its own and takes nobody\'s place', async (t) => {
  const room = newRoom();
  const context = await own.browser.newContext();
  t.after(() => context.close());
  const [other] = await pages(t, 1);
  const first = await blank(t, context);
  await join(other, room, 'Other');
  await join(first, room, 'Me');
  await connected(other, 1);
  const copy = await first.evaluate(() => JSON.stringify(sessionStorage));
  const id = await first.evaluate(() => globalThis.room.self.id);
  const second = await blank(t, context);
  await second.evaluate((items) => Object.assign(sessionStorage, JSON.parse(items)), copy);
  await join(second, room, 'Me');
  await connected(other, 2);
  await connected(first, 2);
  await connected(second, 2);
  assert.equal(await first.evaluate(() => globalThis.room.self.id), id);
});

test('eight rooms in one browser all get their mail over its six connections', { timeout: 120_000 }, async (t) => {
  const context = await own.browser.newContext();
  t.after(() => context.close());
  const [other] = await pages(t, 1);
  const rooms = Array.from({ length: 8 }, newRoom);
  const page = await blank(t, context);
  const since = Date.now();
  for (const [at, room] of rooms.entries()) await join(page, room, 'Many', { as: `room${at}`, devices: false });
  // A join that waited for a held poll to end would come after it.
  assert.ok(Date.now() - since < HOLD_MS, `joining took ${Date.now() - since} ms`);
  for (const [at, room] of rooms.entries()) {
    await join(other, room, 'Other', { as: `room${at}`, devices: false });
    await connected(page, 1, `room${at}`);
  }
});

test('half a sealed link and no room are refused in words', async (t) => {
  const [page] = await pages(t, 1);
  for (const [room, code] of [['tea.short', 'bad-link'], ['', 'bad-link']]) {
    const problem = await page.evaluate(async (name) => {
      const { joinRoom } = await import('/klatch/index.js');
      return joinRoom({ api: '/api/v1', room: name, name: 'x' })
        .catch(({ code: word, message }) => ({ word, message }));
    }, room);
    assert.equal(problem.word, code);
    assert.match(problem.message, /\w.*\./);
  }
});

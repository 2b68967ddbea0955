/* together: two pages of the SDK alone, in a sealed room, that both add the tracks of a screen in
 * the same instant, so that their offers cross. */

import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import * as node from 'node:test';
import { launch } from './participant.mjs';
import { Server } from './server.mjs';
import { until } from './until.mjs';

const COUNTING = fileURLToPath(new URL('./counted-rtc.js', import.meta.url));

/** A page of another site's making. */
async function blank(browser, origin) {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.addInitScript({ path: COUNTING });
  const body = '<!doctype html><title>x</title>';
  await page.route('**/embedding.html', (route) => route.fulfill({ contentType: 'text/html', body }));
  await page.goto(`${origin}/embedding.html`);
  await page.evaluate(() => {
    navigator.mediaDevices.getDisplayMedia = async () => {
      const canvas = Object.assign(document.createElement('canvas'), { width: 160, height: 120 });
      const draw = canvas.getContext('2d');
      setInterval(() => {
        draw.fillStyle = `hsl(${performance.now() % 360} 80% 50%)`;
        draw.fillRect(0, 0, 160, 120);
      }, 100);
      return canvas.captureStream(10);
    };
  });
  return page;
}

function join(page, room) {
  return page.evaluate(async (name) => {
    const { joinRoom, Media } = await import('/klatch/index.js');
    globalThis.media = new Media();
    await globalThis.media.open();
    globalThis.room = await joinRoom({ api: '/api/v1', room: name, name: 'x', media: globalThis.media });
  }, room);
}

/** Wait for the other's picture in a stream of the only other person: 'stream' or 'screen'. */
const shows = (page, which) => until(`the other's ${which} is seen`, () => page.evaluate((name) => {
  const [person] = globalThis.room.people;
  const stream = person?.[name];
  if (!stream) return false;
  const video = globalThis[`${name}Video`] ??= Object.assign(document.createElement('video'), { muted: true, autoplay: true });
  if (video.srcObject !== stream) video.srcObject = stream;
  return video.videoWidth > 0;
}, which), 20_000);

/**
 * @param {import('playwright-core').Browser} browser
 * @param {string} origin
 * @param {number} times how often two pages meet and do so
 * @returns {Promise<number>} how often offers did cross
 */
async function shareTogether(browser, origin, times) {
  let crossed = 0;
  const pages = [await blank(browser, origin), await blank(browser, origin)];
  for (let time = 0; time < times; time += 1) {
    const room = `both-${randomBytes(6).toString('hex')}.${randomBytes(16).toString('base64url')}`;
    for (const page of pages) await join(page, room);
    await Promise.all(pages.map((page) => shows(page, 'stream')));
    const described = () => Promise.all(pages.map((page) => page.evaluate(() => globalThis.klatchRtc.descriptions)));
    const before = await described();
    const at = Date.now() + 300;
    await Promise.all(pages.map((page) => page.evaluate(async (instant) => {
      while (Date.now() < instant) await new Promise((resolve) => { setTimeout(resolve, 1); });
      await globalThis.room.share(true);
    }, at)));
    await Promise.all(pages.map((page) => shows(page, 'screen')));
    await until('all is agreed', async () => (await Promise.all(pages.map((page) => page
      .evaluate(() => globalThis.klatchRtc.stable() && globalThis.room.counts.connected === 1)))).every(Boolean));
    // Without a crossing each side describes itself twice: an offer and an answer.
    const after = await described();
    if (after[0] + after[1] - before[0] - before[1] > 4) crossed += 1;
    await Promise.all(pages.map((page) => page.evaluate(async () => {
      await globalThis.room.leave();
      globalThis.media.close();
      globalThis.streamVideo = undefined;
      globalThis.screenVideo = undefined;
    })));
  }
  for (const page of pages) await page.context().close();
  return crossed;
}

/** The test of it, so many times over. */
export function testTogether(times) {
  const server = new Server();
  let browser;
  node.before(async () => {
    await server.start();
    browser = await launch();
  });
  node.after(async () => {
    await browser?.close();
    await server.close();
  });
  node.test(`two who share their screens in the same instant see each other's, ${times} times`, async (t) => {
    t.diagnostic(`offers crossed ${await shareTogether(browser, server.origin, times)} times`);
  });
}

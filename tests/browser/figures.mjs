/* What a stable call costs the web host: held polls and requests a minute for calls of some sizes.
 *
 *   node tests/browser/figures.mjs [SDK folder] [sizes, as 2,4,8] [seconds]
 *
 * Real Chromium with the SDK alone, no devices, the default hold and lease; counted before the web
 * server. Another version's SDK: git archive REVISION public_html/klatch | tar -x -C FOLDER */

import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { launch } from './lib/participant.mjs';
import { Server } from './lib/server.mjs';
import { Tally } from './lib/tally.mjs';
import { until } from './lib/until.mjs';

const [sdk = 'public_html/klatch', sizes = '2,4,8', seconds = '120'] = process.argv.slice(2);
/** Until who may rest does: a hold that runs, and what comes after it. */
const SETTLE_MS = 40_000;
const SAMPLE_MS = 500;

const server = await new Server().start();
const tally = await new Tally(() => server.origin).start();
const browser = await launch();

async function member(room) {
  const context = await browser.newContext();
  const page = await context.newPage();
  const type = { contentType: 'text/html', body: '<!doctype html><title>x</title>' };
  await page.route('**/blank.html', (route) => route.fulfill(type));
  await page.route('**/klatch/*.js', (route) => {
    const file = path.join(sdk, path.basename(new URL(route.request().url()).pathname));
    return route.fulfill({ contentType: 'text/javascript', body: fs.readFileSync(file) });
  });
  await page.goto(`${tally.origin}/blank.html`);
  await page.evaluate(async (name) => {
    const { joinRoom } = await import('/klatch/index.js');
    globalThis.room = await joinRoom({ api: '/api/v1', room: name, name: 'x' });
  }, room);
  return { page, context };
}

/** @param {number} size */
async function measure(size) {
  const room = `figures-${randomBytes(6).toString('hex')}`;
  const members = [];
  for (let at = 0; at < size; at += 1) members.push(await member(room));
  await until('all are connected', async () => {
    const all = await Promise.all(members.map(({ page }) => page.evaluate(() => globalThis.room.counts.connected)));
    return all.every((connected) => connected === size - 1);
  }, 60_000);
  const wait = (ms) => new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
  await wait(SETTLE_MS);
  const begin = tally.requests.length;
  const end = Date.now() + Number(seconds) * 1000;
  const held = [];
  while (Date.now() < end) {
    held.push(tally.held(room));
    await wait(SAMPLE_MS);
  }
  const requests = tally.requests.slice(begin).filter((one) => one.room === room).length;
  await Promise.all(members.map(({ context }) => context.close()));
  const mean = held.reduce((sum, one) => sum + one, 0) / held.length;
  return { people: size, held: mean.toFixed(2), most: Math.max(...held),
    perMinute: ((requests * 60) / Number(seconds)).toFixed(1) };
}

process.stdout.write('| people | held polls, mean | most | requests a minute |\n| --: | --: | --: | --: |\n');
for (const size of sizes.split(',').map(Number)) {
  const { people, held, most, perMinute } = await measure(size);
  process.stdout.write(`| ${people} | ${held} | ${most} | ${perMinute} |\n`);
}
await browser.close();
await tally.stop();
await server.close();

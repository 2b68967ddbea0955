// The packed package in somebody else's site, by each way that a site is made: two people meet on it in real
// browsers, and what is loaded later (sealing, files and their hash, the panel of connections, texts) comes.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { build as esbuild } from 'esbuild';
import { build as vite, createLogger, createServer } from 'vite';
import { launch } from '../browser/lib/participant.mjs';
import { Server } from '../browser/lib/server.mjs';
import { until } from '../browser/lib/until.mjs';
import { newRoom } from '../integration/lib/api.mjs';
import { Site, install, newFolder } from './lib/site.mjs';

const CONNECT_MS = 30_000;
const SECRET = 'c2l4dGVlbiBieXRlcyBvaw';
const program = (sdk, element) => `import { joinRoom } from '${sdk}';\nimport '${element}';\nglobalThis.joinRoom = joinRoom;\n`;
const page = (script) => `<!doctype html>\n<title>A site</title>\n<script type="module" src="${script}"></script>\n`;

let folder;
let site;
let dev;
let server;
let browser;
/** What bundlers complain of. */
const warnings = [];

async function bundle() {
  const write = (name, text) => fs.writeFileSync(path.join(folder, name), text);
  write('plain.html', page('./plain.js'));
  write('plain.js', program('./node_modules/klatch/index.js', './node_modules/klatch/element.js'));
  write('index.html', page('/main.js'));
  write('main.js', program('klatch', 'klatch/element'));
  const logger = createLogger('silent');
  logger.warn = (text) => warnings.push(`vite: ${text}`);
  logger.warnOnce = logger.warn;
  const common = { root: folder, configFile: false, customLogger: logger };
  await vite({ ...common, base: './', build: { outDir: 'vite' } });
  const built = await esbuild({ absWorkingDir: folder, entryPoints: ['main.js'], outdir: 'esbuild', logLevel: 'silent',
    bundle: true, splitting: true, minify: true, format: 'esm' });
  warnings.push(...built.warnings.map(({ text }) => `esbuild: ${text}`));
  write('esbuild/index.html', page('./main.js'));
  dev = await createServer({ ...common, server: { port: 0, host: 'localhost' }, cacheDir: path.join(folder, '.vite') });
  await dev.listen();
}

before(async () => {
  folder = newFolder();
  install(folder);
  site = await Site.start(folder);
  await bundle();
  server = new Server({ settings: `origins = ${site.origin} ${new URL(dev.resolvedUrls.local[0]).origin}\n` });
  await server.start();
  browser = await launch();
}, { timeout: 120_000 });

after(async () => {
  await browser?.close();
  await server?.close();
  await dev?.close();
  await site?.close();
  fs.rmSync(folder, { recursive: true, force: true });
});

/** The element asks what a room wants of newcomers; that there is no such room yet is an answer. */
const isNews = (answer) => answer.status() === 404 && /\/v1\/rooms\/[^/]+$/.test(answer.url());

/** A page of the site, in a browser profile of its own. What went wrong in it is kept. */
async function open(t, address) {
  const context = await browser.newContext();
  t.after(() => context.close());
  const one = await context.newPage();
  one.wrong = [];
  one.on('pageerror', (error) => one.wrong.push(String(error)));
  one.on('response', (answer) => answer.status() >= 400 && !answer.url().endsWith('favicon.ico') && !isNews(answer)
    && one.wrong.push(`${answer.status()} ${answer.url()}`));
  await one.goto(address);
  await one.waitForFunction(() => globalThis.joinRoom);
  return one;
}

/** Somebody who uses the element as it comes. */
async function useElement(one, api, room) {
  await one.evaluate(([where, name]) => {
    const element = document.createElement('klatch-room');
    element.setAttribute('api', where);
    element.setAttribute('room', name);
    element.setAttribute('name', 'Ann');
    document.body.append(element);
  }, [api, room]);
  await one.getByRole('textbox', { name: 'Your name' }).waitFor();
  await one.evaluate(() => document.querySelector('klatch-room').join());
}

/** Somebody who has written a page of their own around the SDK. */
async function useSdk(one, api, room) {
  await one.evaluate(async ([where, name]) => {
    globalThis.problems = [];
    globalThis.room = await globalThis.joinRoom({ api: where, room: name, name: 'Ben' });
    globalThis.room.on('problem', ({ detail }) => globalThis.problems.push(detail.problem.code));
  }, [api, room]);
}

/** Two meet in a sealed room, one by the element, one by the SDK, talk, pass a file on and look at the figures. */
async function meet(t, address) {
  const api = `${server.origin}/api/v1`;
  const room = `${newRoom('npm')}.${SECRET}`;
  const [ann, ben] = await Promise.all([open(t, address), open(t, address)]);
  await useElement(ann, api, room);
  await useSdk(ben, api, room);
  await until('they are connected', () => ben.evaluate(() => globalThis.room.counts.connected === 1), CONNECT_MS);
  await ben.evaluate(async () => {
    globalThis.room.say('hello from the site');
    (await globalThis.room.files()).offer(new File(['by the site'], 'site.txt', { type: 'text/plain' }));
  });
  await ann.getByRole('button', { name: /^Chat/ }).click();
  await ann.getByText('hello from the site').waitFor();
  await ann.evaluate(async () => {
    const files = await document.querySelector('klatch-room').call.files();
    files.show(files.shares[0]);
  });
  await until('the file is there, whole', () => ann.evaluate(async () => {
    const { shares: [share] } = await document.querySelector('klatch-room').call.files();
    return share.ways[0].state === 'done' || Promise.reject(new Error(share.ways[0].state + share.ways[0].why));
  }));
  await ann.getByRole('button', { name: 'Settings' }).click();
  await ann.getByRole('button', { name: 'How the connections do' }).click();
  await ann.getByRole('heading', { name: 'Connections' }).waitFor();
  assert.deepEqual(await ben.evaluate(() => globalThis.problems), []);
  assert.deepEqual([...ann.wrong, ...ben.wrong], []);
}

describe('two people meet', () => {
  const limit = { timeout: 90_000 };
  it('on a page that takes the unpacked files as they are', limit, (t) => meet(t, `${site.origin}/plain.html`));
  it('on a page made by Vite', limit, (t) => meet(t, `${site.origin}/vite/index.html`));
  it('on a page of Vite\'s own server, while the site is being written', limit, (t) => meet(t, dev.resolvedUrls.local[0]));
  it('on a page made by esbuild', limit, (t) => meet(t, `${site.origin}/esbuild/index.html`));
});

it('lets two versions be on one page: each SDK by itself, and the element of the first', { timeout: 90_000 }, async (t) => {
  fs.cpSync(path.join(folder, 'node_modules/klatch'), path.join(folder, 'other'), { recursive: true });
  const one = await open(t, `${site.origin}/plain.html`);
  const warned = [];
  one.on('console', (line) => line.type() === 'warning' && warned.push(line.text()));
  const api = `${server.origin}/api/v1`;
  const room = newRoom('npm');
  const first = await one.evaluate(async () => {
    const mine = customElements.get('klatch-room');
    await import('/other/element.js');
    return customElements.get('klatch-room') === mine;
  });
  assert.ok(first);
  assert.match(warned.join(), /<klatch-room> is loaded twice on this page\. The copy that came first is used\./);
  await useSdk(one, api, room);
  await one.evaluate(async ([where, name]) => {
    const { joinRoom } = await import('/other/index.js');
    globalThis.otherRoom = await joinRoom({ api: where, room: name, name: 'Cleo' });
  }, [api, room]);
  await until('they are connected', () => one.evaluate(() => globalThis.room.counts.connected === 1
    && globalThis.otherRoom.counts.connected === 1), CONNECT_MS);
  await useElement(one, api, newRoom('npm'));
  assert.deepEqual(one.wrong, []);
});

it('gives the bundlers nothing to warn of, and leaves no file behind', () => {
  assert.deepEqual(warnings, []);
  assert.deepEqual(site.missed, []);
});

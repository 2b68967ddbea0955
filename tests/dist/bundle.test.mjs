// The bundles in the zip: the same exports as the modules they are made of, and a page that works.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { launch } from '../browser/lib/participant.mjs';
import { Apache } from '../servers/lib/apache.mjs';
import { meet } from '../servers/lib/call-suite.mjs';
import { binaryOf, unzip, walk, zipOf } from './lib/dist.mjs';

describe('the bundles', () => {
  let dir;
  let folder;
  const read = (name) => fs.readFileSync(path.join(folder, name));
  before(() => {
    dir = unzip(zipOf('x86_64'));
    folder = path.join(dir, 'public_html/klatch');
  });
  after(() => fs.rmSync(dir, { recursive: true, force: true }));

  /** What a browser loads for this file before anything runs: it, and what it imports by name. */
  const loads = (name, seen = new Set()) => {
    seen.add(name);
    const text = read(name).toString();
    for (const [, , other] of text.matchAll(/(^|[;}])(?:import|export)\s*(?:[^;()'"]*?\s*from\s*)?"(\.{1,2}\/[^"]+)"/g)) {
      const file = path.posix.join(path.posix.dirname(name), other);
      if (!seen.has(file)) loads(file, seen);
    }
    return [...seen];
  };
  const packed = (name) => gzipSync(read(name), { level: 9 }).length;
  const sum = (names) => names.reduce((bytes, name) => bytes + packed(name), 0);
  const sizes = (names) => `${names.length} files, ${names.reduce((bytes, name) => bytes + read(name).length, 0)} bytes, ${sum(names)} with gzip`;

  it('are few files for the page, each named by its content, of at most 100 kB with gzip', (t) => {
    const scripts = [...read('index.html').toString().matchAll(/<script[^>]* src="([^"]+)"/g)].map(([, src]) => src);
    assert.equal(scripts.length, 1);
    const names = loads(scripts[0]);
    for (const name of names) assert.match(name, /^app\/(app|later\/[\w-]+)-[A-Z0-9]{8}\.js$/);
    assert.ok(names.length <= 12, names.join(' '));
    assert.ok(sum(names) <= 100_000, `${sum(names)}`);
    t.diagnostic(`the page: ${sizes(names)}`);
    t.diagnostic(`<klatch-room>: ${sizes(loads('ui/klatch-room.min.js'))}`);
  });

  it('serve a frame of another site with as little, from the same folder', (t) => {
    const [, script] = /<script[^>]* src="(embed\/embed-[A-Z0-9]{8}\.js)"/.exec(read('embed.html').toString()) ?? [];
    const names = loads(script);
    assert.ok(sum(names) <= 100_000, `${sum(names)}`);
    t.diagnostic(`the frame: ${sizes(names)}`);
    // What the page around takes stands alone.
    assert.deepEqual(loads('klatch-frame.js'), ['klatch-frame.js']);
  });

  it('are at most 20 kB with gzip for the SDK, and what not everybody needs at first is loaded later', (t) => {
    const names = loads('klatch/klatch.min.js');
    t.diagnostic(`the SDK: ${sizes(names)}`);
    assert.ok(sum(names) <= 20_480, `${sum(names)}`);
    assert.ok(names.length <= 3, names.join(' '));
    const later = walk(path.join(folder, 'klatch/later')).filter((name) => name.endsWith('.js')).map((name) => `klatch/later/${name}`);
    for (const part of ['before', 'carry', 'channels', 'files', 'given-rtc', 'sealing', 'spending', 'writing', 'wrong-api']) {
      const [name] = later.filter((one) => path.basename(one).startsWith(`${part}-`));
      assert.ok(name && !names.includes(name), part);
      t.diagnostic(`${part}: ${sizes([name])}`);
      // The first load has all of what it shares with others.
      assert.deepEqual(loads(name).filter((one) => one !== name && !names.includes(one)), [], part);
    }
  });

  it('export what the modules export', async () => {
    const names = async (file) => Object.keys(await import(pathToFileURL(path.join(folder, file)).href)).sort();
    const sdk = await names('klatch/index.js');
    assert.ok(sdk.includes('joinRoom'));
    assert.deepEqual(await names('klatch/klatch.min.js'), sdk);
    const exported = (text) => [...text.matchAll(/\bas (\w+)/g)].map(([, name]) => name);
    const tail = read('ui/klatch-room.min.js').toString().match(/export\{[^}]*\}/g).at(-1);
    assert.ok(exported(tail).includes('KlatchRoom'));
  });

  it('have a source map each, of modules that are there', () => {
    const maps = walk(folder).filter((name) => name.endsWith('.map'));
    const bundles = walk(folder).filter((name) => /(\.min|-[A-Z0-9]{8})\.js$/.test(name));
    assert.deepEqual(maps.sort(), bundles.map((name) => `${name}.map`).sort());
    for (const map of maps) {
      const { sources } = JSON.parse(read(map).toString());
      for (const source of sources) assert.ok(fs.existsSync(path.join(folder, path.dirname(map), source)), source);
    }
  });

  it('let two meet on an upload with nothing set up, the static binary behind it', { timeout: 90000 }, async () => {
    const server = await Apache.start({ recipe: 'apache-fcgid', config: null, bin: binaryOf('x86_64'), subFolder: true });
    const browser = await launch();
    try {
      await meet(browser, server.page);
      assert.ok(fs.existsSync(path.join(server.dataFolder, 'admin-key.txt')), 'it found its place by itself');
    } finally {
      await browser.close();
      await server.stop();
    }
  });
});

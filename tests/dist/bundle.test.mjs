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

const told = (bytes) => `${bytes.length} bytes, ${gzipSync(bytes, { level: 9 }).length} with gzip`;

describe('the bundles', () => {
  let dir;
  let folder;
  const read = (name) => fs.readFileSync(path.join(folder, name));
  before(() => {
    dir = unzip(zipOf('x86_64'));
    folder = path.join(dir, 'public_html/klatch');
  });
  after(() => fs.rmSync(dir, { recursive: true, force: true }));

  it('are one file for the page, named by its content, which is all that it loads', (t) => {
    const scripts = [...read('index.html').toString().matchAll(/<script[^>]* src="([^"]+)"/g)].map(([, src]) => src);
    assert.equal(scripts.length, 1);
    assert.match(scripts[0], /^app\/app-[A-Z0-9]{8}\.js$/);
    const text = read(scripts[0]);
    assert.doesNotMatch(text.toString(), /(^|;|\})import\s*[{"'*]/m);
    t.diagnostic(`the page: ${told(text)}`);
    t.diagnostic(`the SDK: ${told(read('klatch/klatch.min.js'))}`);
    t.diagnostic(`<klatch-room>: ${told(read('ui/klatch-room.min.js'))}`);
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
    assert.equal(maps.length, 3);
    for (const map of maps) {
      const { sources } = JSON.parse(read(map).toString());
      assert.ok(sources.length > 5, map);
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

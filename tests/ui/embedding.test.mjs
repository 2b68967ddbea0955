// deploy/EMBEDDING.md names what there is, all of it and nothing else.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import test from 'node:test';
import { galleryHere } from './browser.mjs';

const here = galleryHere();
const guide = await readFile(new URL('../../deploy/EMBEDDING.md', import.meta.url), 'utf8');
const quoted = (text) => [...text.matchAll(/`([^`\s]+)`/g)].map(([, word]) => word);
/** The first column of the table that begins with a heading. */
const column = (heading) => {
  const [, rows] = new RegExp(`\\n\\| ${heading} \\|.*\\n\\|[ -|]+\\n((?:\\|.*\\n)+)`).exec(guide);
  return rows.trim().split('\n').flatMap((row) => quoted(row.split('|')[1]));
};
const line = (begin) => quoted(guide.split('\n').find((one) => one.startsWith(begin)).slice(begin.length).split('. ')[0]);
const sorted = (list) => [...list].sort();

test('the guide\'s tables are what the element has', async () => {
  const context = await here.browser.newContext();
  const page = await context.newPage();
  await page.goto(`${here.server.url}fake/host.html?from=${here.server.url}fake/`);
  const there = await page.evaluate(async () => {
    const { ATTRIBUTES } = await import('./ui/room-attributes.js');
    const { HIDDEN_BY, EXPORTED } = await import('./ui/part-names.js');
    const { COLOURS } = await import('./ui/theme.css.js');
    const { EVENTS } = await import('./embed/plain.js');
    const { methods } = await import('./embed/shapes.js');
    const { KlatchRoom } = await import('./ui/klatch-room.js');
    return { attributes: [...ATTRIBUTES], words: Object.keys(HIDDEN_BY), parts: EXPORTED.split(', '), colours: [...COLOURS], events: [...EVENTS],
      methods: Object.keys(methods), own: Object.keys(methods).filter((name) => typeof KlatchRoom.prototype[name] === 'function') };
  });
  await context.close();
  assert.deepEqual(sorted(column('attribute')), sorted(there.attributes));
  assert.deepEqual(sorted(column('event')), sorted(there.events));
  assert.deepEqual(sorted(column('method').map((name) => name.split('(')[0])), sorted(there.methods));
  assert.deepEqual(sorted(there.own), sorted(there.methods));
  assert.deepEqual(sorted(line('Words for `hide`:')), sorted(there.words));
  assert.deepEqual(sorted(line('Parts:').map((word) => word.replace(/\.$/, ''))), sorted(there.parts));
  assert.deepEqual(sorted(line('Colours, each `--klatch-` and:')), sorted(there.colours));
});

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

test('a frame takes and passes on what the element does', async () => {
  const context = await here.browser.newContext();
  const page = await context.newPage();
  await page.goto(`${here.server.url}fake/host.html?from=${here.server.url}fake/`);
  const there = await page.evaluate(async () => {
    const { ATTRIBUTES } = await import('./ui/room-attributes.js');
    const { EVENTS } = await import('./embed/plain.js');
    const { methods, optionsOf } = await import('./embed/shapes.js');
    const { openFrame } = await import('./klatch-frame.js');
    const frame = openFrame(document.body, { src: location.origin, room: 'tea' });
    const passed = [];
    for (const name of [...EVENTS, 'click']) {
      frame.addEventListener(name, () => passed.push(name));
      const data = { klatch: 1, type: 'event', name, detail: {} };
      window.dispatchEvent(new MessageEvent('message', { source: frame.element.contentWindow, origin: location.origin, data }));
    }
    frame.set({ open: undefined, name: undefined });
    const taken = ATTRIBUTES.filter((name) => {
      try {
        frame.set({ [name]: name === 'open' ? false : '' });
        return true;
      } catch {
        return false;
      }
    });
    return { attributes: [...ATTRIBUTES], events: [...EVENTS], passed, taken, methods: Object.keys(methods),
      own: Object.keys(methods).filter((name) => typeof frame[name] === 'function'),
      inside: Object.keys(optionsOf(Object.fromEntries(ATTRIBUTES.map((name) => [name, ''])))) };
  });
  await context.close();
  const options = sorted(there.attributes.filter((name) => name !== 'api' && name !== 'sealable'));
  assert.deepEqual(there.passed, there.events);
  assert.deepEqual(sorted(there.taken), options);
  assert.deepEqual(sorted(there.inside), options);
  assert.deepEqual(there.own, there.methods);
});

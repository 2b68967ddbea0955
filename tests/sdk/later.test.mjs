/* Parts of the SDK that are loaded when they are first wanted. */

import './lib/browserish.mjs';
import assert from 'node:assert/strict';
import test from 'node:test';
import { Later, loadPart } from '../../public_html/klatch/later.js';

const AGAIN_MS = 5_000;
const settled = () => new Promise((resolve) => {
  setImmediate(resolve);
});

/** A part whose loading ends when the test says so. */
function part(t) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const it = { loads: [], problems: [], told: [] };
  const load = () => loadPart(() => new Promise((resolve, reject) => {
    it.loads.push({ come: () => resolve(it.told), fail: () => reject(new TypeError('Importing a module script failed.')) });
  }), 'it');
  it.later = new Later(load, ({ code, detail }) => it.problems.push(`${code} ${detail}`));
  it.say = (word) => it.later.tell((told) => told.push(word));
  /** End the newest loading. */
  it.come = () => (it.loads.at(-1).come(), settled());
  it.fail = () => (it.loads.at(-1).fail(), settled());
  return it;
}

test('what a part is told before it is there is told in the same order, and loads it once', async (t) => {
  const it = part(t);
  it.say('one');
  it.say('two');
  it.later.tellIfWanted((told) => told.push('three'));
  assert.deepEqual(it.told, []);
  assert.equal(it.later.part, null);
  await it.come();
  assert.deepEqual(it.told, ['one', 'two', 'three']);
  it.say('four');
  assert.deepEqual(it.told, ['one', 'two', 'three', 'four'], 'at once when it is there');
  assert.equal(it.loads.length, 1);
  assert.equal(it.later.part, it.told);
});

test('what is told from within waits for what was told before', async (t) => {
  const it = part(t);
  it.later.tell((told) => {
    it.say('last');
    told.push('first');
  });
  it.say('second');
  await it.come();
  assert.deepEqual(it.told, ['first', 'second', 'last']);
});

test('nothing is loaded for what is only of use to a part that is wanted', (t) => {
  const it = part(t);
  it.later.tellIfWanted((told) => told.push('one'));
  assert.equal(it.loads.length, 0);
});

test('a part that can\'t be loaded is told of once, tried again less and less often, and then hears everything', async (t) => {
  const it = part(t);
  it.say('one');
  await it.fail();
  assert.deepEqual(it.problems, ['not-loaded it']);
  it.say('two');
  assert.equal(it.loads.length, 1, 'not with each thing that it is told');
  t.mock.timers.tick(AGAIN_MS);
  assert.equal(it.loads.length, 2);
  await it.fail();
  it.later.tellIfWanted((told) => told.push('three'));
  t.mock.timers.tick(AGAIN_MS);
  assert.equal(it.loads.length, 2);
  t.mock.timers.tick(AGAIN_MS);
  assert.equal(it.loads.length, 3);
  await it.come();
  assert.deepEqual(it.told, ['one', 'two', 'three']);
  assert.deepEqual(it.problems, ['not-loaded it']);
});

test('who asks for a part has it tried at once, and is told in a sentence when it can\'t be had', async (t) => {
  const it = part(t);
  it.say('one');
  await it.fail();
  const asked = it.later.open();
  assert.equal(it.loads.length, 2);
  const refused = assert.rejects(asked, { code: 'not-loaded', detail: 'it', transient: true, message: /could not be loaded/ });
  await it.fail();
  await refused;
  const again = it.later.open();
  await it.come();
  assert.deepEqual(await again, ['one']);
  t.mock.timers.tick(60_000);
  assert.equal(it.loads.length, 3, 'what is there isn\'t loaded again');
});

test('after the end nothing is tried again, and a part that comes late ends at once', async (t) => {
  const failed = part(t);
  failed.say('one');
  await failed.fail();
  failed.later.close((told) => told.push('closed'));
  t.mock.timers.tick(60_000);
  failed.say('two');
  assert.equal(failed.loads.length, 1);

  t.mock.timers.reset();
  const late = part(t);
  late.say('one');
  late.later.close((told) => told.push('closed'));
  await late.come();
  assert.deepEqual(late.told, ['one', 'closed']);

  t.mock.timers.reset();
  const never = part(t);
  never.say('one');
  never.later.close((told) => told.push('closed'));
  await never.fail();
  t.mock.timers.tick(60_000);
  assert.equal(never.loads.length, 1);
});

test('a part that doesn\'t come keeps the last thousand things that it is told', async (t) => {
  const it = part(t);
  for (let n = 1; n <= 1_200; n += 1) it.say(n);
  await it.come();
  assert.equal(it.told.length, 1_000);
  assert.equal(it.told.at(-1), 1_200);
});

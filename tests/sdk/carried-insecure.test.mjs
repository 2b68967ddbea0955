import { quiet, until } from './lib/browserish.mjs';
import { apart } from './lib/apart.mjs';
import { requests } from './lib/mailbox.mjs';
import assert from 'node:assert/strict';
import test from 'node:test';

test('where the browser gives the page no cryptography nothing is passed on, and text goes by mailbox', async (t) => {
  const before = globalThis.crypto;
  t.after(() => Object.defineProperty(globalThis, 'crypto', { value: before, configurable: true }));
  const poor = { getRandomValues: (bytes) => before.getRandomValues(bytes) };
  Object.defineProperty(globalThis, 'crypto', { value: poor, configurable: true });
  const world = await apart(t, { who: ['Ann', 'Cy', 'Bo'], cut: [['Ann', 'Bo']] });
  const { Ann, Bo } = world.people;
  Ann.room.say('can you read this?');
  await until('he reads it', () => Bo.heard.texts.includes('Ann: can you read this?'));
  await quiet(100);
  assert.deepEqual([world.via('Ann', 'Bo'), world.pairs('Cy')], [[null, null], []]);
  const types = new Set(requests(world.server, 'send').flatMap(({ body }) => body.send.map(({ type }) => type)));
  assert.ok(types.has('chat') && !types.has('carry-key'), [...types].join());
});

import { quiet, until } from './lib/browserish.mjs';
import { FakeNet } from './lib/fake-rtc.mjs';
import { FakeServer } from './lib/fake-server.mjs';
import { allConnected, find, join } from './lib/people.mjs';
import { requests } from './lib/mailbox.mjs';
import assert from 'node:assert/strict';
import test, { describe } from 'node:test';

const SEALED = `tea.${'A'.repeat(22)}`;
/** A new connection isn't begun sooner after the last. */
const RENEW_PAUSE_MS = 5_000;

async function world(t) {
  const server = await new FakeServer().start();
  t.after(() => server.stop());
  return { server, net: new FakeNet() };
}

/** What came from the other; a room tells one's own lines too. */
const texts = ({ room, heard }) => heard.texts.filter((text) => !text.startsWith(`${room.self.name}:`));
const letters = (server) => requests(server, 'send').flatMap(({ body }) => body.send);

/** Ann and Bo in one room, with nothing between them, as both have found out. */
async function apart(t, room) {
  const { server, net } = await world(t);
  net.cut = () => true;
  const [ann, bo] = [await join(t, server, net, 'Ann', { room }), await join(t, server, net, 'Bo', { room })];
  await until('they know of each other', () => ann.room.people.length === 1);
  ann.room.say('before it was known');
  // Who joined first makes the offers, and is woken: each time a try counts as failed.
  for (let tries = 0; tries < 2; tries += 1) {
    ann.page.dispatchEvent(new Event('pageshow'));
    await quiet(50);
  }
  assert.deepEqual([find(ann, 'Bo').state, find(bo, 'Ann').state], ['connecting', 'connecting']);
  await quiet(RENEW_PAUSE_MS);
  await wakeUntil(ann, 'both know', () => find(ann, 'Bo').state === 'no-path' && find(bo, 'Ann').state === 'no-path');
  return { server, net, ann, bo };
}

/** A page that wakes again and again until something holds. */
async function wakeUntil({ page }, what, condition) {
  const wake = () => page.dispatchEvent(new Event('pageshow'));
  const timer = setInterval(wake, 700);
  wake();
  await until(what, condition).finally(() => clearInterval(timer));
}

// They mostly wait.
describe('two with no path between them', { concurrency: true }, () => {
  for (const [kind, room] of [['an open', 'tea'], ['a sealed', SEALED]]) {
    test(`in ${kind} room both are told that there is no path, and what they write goes by the mailbox`, async (t) => {
      const { server, net, ann, bo } = await apart(t, room);
      bo.room.say('can you read this?');
      await until('she reads it', () => texts(ann).length === 1);
      await until('he reads hers', () => texts(bo).length === 1);
      assert.deepEqual([texts(ann), texts(bo)], [['Bo: can you read this?'], ['Ann: before it was known']]);
      assert.ok(!JSON.stringify(letters(server)).includes('read this'));

      const before = letters(server).length;
      bo.room.say('é'.repeat(2_049));
      assert.deepEqual(bo.heard.problems, ['too-long-to-mail']);
      bo.room.say('é'.repeat(2_048));
      await until('the shorter one comes', () => texts(ann).length === 2);
      assert.equal(letters(server).slice(before).filter(({ data }) => JSON.stringify(data).length > 2_000).length, 1);

      // With a path after all, what was too long comes and nothing comes twice.
      net.cut = () => false;
      await quiet(RENEW_PAUSE_MS);
      await wakeUntil(ann, 'a way is found', () => find(ann, 'Bo').state === 'connected');
      await allConnected(ann, bo);
      await until('the longer one comes', () => texts(ann).length === 3);
      await quiet(100);
      assert.deepEqual([texts(ann).length, texts(bo).length], [3, 1]);
    });
  }

  test('a private line to who has no path is private by the mailbox too', async (t) => {
    const { ann, bo } = await apart(t, SEALED);
    const heard = [];
    ann.room.on('message', ({ detail }) => heard.push(detail.message));
    bo.room.say('for you', find(bo, 'Ann'));
    await until('she reads it', () => heard.length === 1);
    assert.deepEqual([heard[0].text, heard[0].private, heard[0].plain], ['for you', true, false]);
  });

  for (const mover of ['who offers', 'who answers']) {
    test(`a change of network on the side of ${mover} restarts what still seems to work, on the same connection`, async (t) => {
      const { server, net } = await world(t);
      const [ann, bo] = [await join(t, server, net, 'Ann'), await join(t, server, net, 'Bo')];
      await allConnected(ann, bo);
      const before = net.connections.map(({ ufrag }) => ufrag);
      await quiet(50);
      (mover === 'who offers' ? ann : bo).page.dispatchEvent(new Event('online'));
      await until('both go by another path', () => net.connections.every(({ ufrag }, at) => ufrag !== before[at]));
      await allConnected(ann, bo);
      assert.equal(net.connections.length, 2);
    });
  }
});

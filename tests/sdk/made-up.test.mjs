// What somebody else's page makes up is no error here: outside of browsers one that nobody catches ends the program.
import { allConnected, join } from './lib/people.mjs';
import { FakeNet } from './lib/fake-rtc.mjs';
import { FakeServer } from './lib/fake-server.mjs';
import { quiet, until } from './lib/browserish.mjs';
import { unwrap, wrap } from '../../public_html/klatch/seal.js';
import assert from 'node:assert/strict';
import test from 'node:test';

const WORDS = ['hello', 'state', 'moved', 'look', 'beat', 'signal', 'channel', 'channel-ready', 'channel-close', 'chat', 'got', 'writing',
  'before', 'file-offer', 'file-take', 'file-ack', 'file-done', 'file-stop', 'carry', 'carry?', 'carry-off', 'carry-credit', 'want', 'sends', 'view'];
const KEYS = ['type', 'body', 'name', 'id', 's', 'text', 'peer', 'links', 'lines', 'files', 'on', 'screen', 'n', 'size', 'key', 'pub', 'retransmits'];
/** No text can be made of the first. */
const VALUES = [{ toString: 1 }, [{ toString: 1 }], [{ id: { toString: 1 }, state: { toString: 1 } }], null, -1, 'constructor'];

test('words of the wrong kind, whatever they are about, throw nothing', async (t) => {
  const server = await new FakeServer().start();
  t.after(() => server.stop());
  const net = new FakeNet();
  const ann = await join(t, server, net, 'Ann', { data: true });
  const bo = await join(t, server, net, 'Bo', { data: true });
  await allConnected(ann, bo);
  await bo.room.channel('game');
  await bo.room.files();
  const thrown = [];
  const caught = (error) => thrown.push(error.stack.split('\n').slice(0, 3).join(' '));
  process.on('uncaughtException', caught);
  t.after(() => process.off('uncaughtException', caught));
  const channels = net.connections.map((pc) => pc.channels.get(0));
  const hear = (value) => channels.forEach((channel) => channel.dispatchEvent(Object.assign(new Event('message'), { data: JSON.stringify(value) })));
  for (const value of VALUES) {
    hear({ t: value });
    for (const word of WORDS) {
      hear({ t: word, ...Object.fromEntries(KEYS.map((key) => [key, value])) });
      for (const key of KEYS) hear({ t: word, name: 'game', id: 'x', s: 'x', text: 'x', [key]: value });
    }
    await quiet(5);
  }
  await quiet(50);
  assert.deepEqual([...new Set(thrown)], []);
  ann.room.say('still here');
  await until('it arrives', () => bo.heard.texts.some((text) => text.endsWith(': still here')));
});

test('a letter of the wrong kind throws nothing, and those after it are read', async (t) => {
  const server = await new FakeServer().start();
  t.after(() => server.stop());
  const net = new FakeNet();
  const ann = await join(t, server, net, 'Ann', { data: true });
  const bo = await join(t, server, net, 'Bo', { data: true });
  await allConnected(ann, bo);
  const thrown = [];
  const caught = (error) => thrown.push(error.stack.split('\n').slice(0, 3).join(' '));
  for (const type of ['uncaughtException', 'unhandledRejection']) {
    process.on(type, caught);
    t.after(() => process.off(type, caught));
  }
  const room = server.room('tea');
  const [from, to] = room.listed().map(({ meta }) => unwrap(meta).value.instance);
  const [{ peer: sender }, { peer: receiver }] = room.listed();
  for (const type of ['carry-key', 'chat', 'offer', 'answer', 'candidate', 'again']) {
    for (const value of VALUES) {
      room.post(sender, receiver, type, wrap({ from, to, pub: value, conn: value, id: value, text: value, sdp: value, candidate: value, n: value }));
      room.post(sender, receiver, type, wrap(value));
    }
  }
  room.post(sender, receiver, 'chat', wrap({ id: 'last', text: 'still read' }));
  await until('the last is read', () => [...ann.heard.texts, ...bo.heard.texts].some((text) => text.endsWith(': still read')));
  assert.deepEqual([...new Set(thrown)], []);
});

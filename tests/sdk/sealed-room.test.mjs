import { quiet, until } from './lib/browserish.mjs';
import { FakeNet } from './lib/fake-rtc.mjs';
import { FakeServer } from './lib/fake-server.mjs';
import { allConnected, find, join, names } from './lib/people.mjs';
import { requests } from './lib/mailbox.mjs';
import { makeLink, randomSecret } from '../../public_html/klatch/index.js';
import { fromBase64url, toBase64url } from '../../public_html/klatch/bytes.js';
import assert from 'node:assert/strict';
import test from 'node:test';

const SEALED = `tea.${'A'.repeat(22)}`;
const OTHER = `tea.${'B'.repeat(22)}`;

async function world(t) {
  const server = await new FakeServer().start();
  t.after(() => server.stop());
  return { server, net: new FakeNet() };
}

const letters = (server) => requests(server, 'send').flatMap(({ body }) => body.send);
const outsides = ({ room }) => room.people.map(({ outside }) => outside);

/** Change each letter on its way, as a server could. */
function meddle(server, change) {
  const post = server.room('tea').post.bind(server.room('tea'));
  server.room('tea').post = (from, to, type, data) => post(from, to, type, change(type, data, { from, to }) ?? data);
}

function turned({ s }) {
  const bytes = fromBase64url(s);
  bytes[bytes.length - 1] ^= 1;
  return { s: toBase64url(bytes) };
}

test('three people with one secret are connected, and the server reads no name, no type, no description', async (t) => {
  const { server, net } = await world(t);
  const people = [];
  for (const name of ['Ann <b>', 'Bo', 'Cy']) people.push(await join(t, server, net, name, { room: SEALED }));
  await allConnected(...people);
  assert.deepEqual(names(people[2]), ['Ann <b>', 'Bo']);
  assert.deepEqual(people.map(({ room }) => [room.sealed, room.name]), Array(3).fill([true, 'tea']));
  const metas = requests(server, 'join').map(({ body }) => body.meta);
  for (const envelope of [...metas, ...letters(server).map(({ data }) => data)]) {
    assert.deepEqual(Object.keys(envelope), ['s']);
    const bytes = Buffer.from(envelope.s, 'base64url').toString('latin1');
    for (const word of ['Ann <b>', '"name"', '"type"', '"body"']) assert.ok(!bytes.includes(word), word);
  }
  assert.ok(letters(server).length >= 3);
  for (const { type, to } of letters(server)) assert.ok(type === 'sealed' && typeof to === 'string');
  const all = JSON.stringify(server.requests.map(({ path, body }) => [path, body]));
  assert.ok(!all.includes('A'.repeat(22)), 'the secret');
  assert.deepEqual(people.flatMap(({ heard }) => heard.problems), []);
});

test('each letter is to one member, sealed for that one', async (t) => {
  const { server, net } = await world(t);
  const [ann, bo] = [await join(t, server, net, 'Ann', { room: SEALED }), await join(t, server, net, 'Bo', { room: SEALED })];
  await allConnected(ann, bo);
  const texts = letters(server).map(({ data }) => data.s);
  assert.equal(new Set(texts).size, texts.length);
});

for (const [what, others, mine, seen] of [
  ['with another secret', SEALED, OTHER, ['other-secret', 'other-secret']],
  ['without the secret', SEALED, 'tea', ['sealed', 'no-secret']],
  ['with a secret among open ones', 'tea', SEALED, ['no-secret', 'sealed']],
]) {
  test(`who comes ${what} is no part of the others' call, and both sides are told why`, async (t) => {
    const { server, net } = await world(t);
    const ann = await join(t, server, net, 'Ann', { room: others });
    const bo = await join(t, server, net, 'Bo', { room: others });
    await allConnected(ann, bo);
    const cy = await join(t, server, net, 'Cy', { room: mine });
    await until('they know of him', () => ann.room.people.length === 2);
    assert.deepEqual(outsides(cy), [seen[0], seen[0]]);
    assert.deepEqual(outsides(ann), [null, seen[1]]);
    assert.deepEqual(cy.room.people.map(({ name, state }) => [name, state]), Array(2).fill(['', 'no-path']));
    assert.deepEqual(ann.room.people.map(({ name, state }) => [name, state]), [['Bo', 'connected'], ['', 'no-path']]);
    assert.equal(net.connections.length, 2);
    ann.room.say('among us');
    await until('Bo reads it', () => bo.heard.texts.length === 1);
    assert.deepEqual(cy.heard.texts, []);
  });
}

test('a user of the HTTP API is no part of a sealed call and its words are not shown', async (t) => {
  const { server, net } = await world(t);
  const ann = await join(t, server, net, 'Ann', { room: SEALED });
  const post = (what, body) => fetch(`${server.api}/rooms/tea/${what}`, { method: 'POST', body: JSON.stringify(body),
    headers: { 'Content-Type': 'application/json' } }).then((answer) => answer.json());
  const { key } = await post('join', { name: 'script' });
  await post('exchange', { key, send: [{ id: '1', type: 'chat', data: 'hello' }] });
  await until('it is there', () => ann.room.people.length === 1);
  assert.deepEqual([outsides(ann), ann.heard.texts, ann.heard.problems], [['no-secret'], [], []]);
});

test('a letter that was changed is thrown away, and that is told once', async (t) => {
  const { server, net } = await world(t);
  const ann = await join(t, server, net, 'Ann', { room: SEALED });
  let changed = 0;
  meddle(server, (type, data) => {
    if (type !== 'sealed' || changed >= 2) return null;
    changed += 1;
    return turned(data);
  });
  const bo = await join(t, server, net, 'Bo', { room: SEALED });
  await until('he is told', () => changed === 2 && bo.heard.problems.length > 0);
  await quiet(100);
  assert.deepEqual(bo.heard.problems, ['seal-broken']);
  assert.deepEqual(ann.heard.problems, []);
});

test('letters that the server says twice are taken once, in silence', async (t) => {
  const { server, net } = await world(t);
  const ann = await join(t, server, net, 'Ann', { room: SEALED });
  meddle(server, (type, data, { from, to }) => {
    const room = server.room('tea');
    if (type === 'sealed') room.messages.push({ seq: (room.seq += 1), from, to, type, data, sent_ms: 0 });
  });
  const bo = await join(t, server, net, 'Bo', { room: SEALED });
  await allConnected(ann, bo);
  assert.deepEqual([...ann.heard.problems, ...bo.heard.problems], []);
});

test('a known person with another key is told and not believed', async (t) => {
  const { server, net } = await world(t);
  const ann = await join(t, server, net, 'Ann', { room: SEALED });
  const bo = await join(t, server, net, 'Bo', { room: SEALED });
  await allConnected(ann, bo);
  const stranger = await join(t, server, net, 'Eve', { room: SEALED });
  const { meta } = server.room('tea').members.get(stranger.room.self.id);
  server.room('tea').post(null, ann.room.self.id, 'peer-updated', { peer: bo.room.self.id, meta, joined: 2 });
  await until('she is told', () => ann.heard.problems.length === 1);
  assert.deepEqual(ann.heard.problems, ['seal-other-key']);
  assert.equal(find(ann, 'Bo').state, 'connected');
});

test('a server that forgot everything changes nobody in a sealed room either', async (t) => {
  const { server, net } = await world(t);
  const ann = await join(t, server, net, 'Ann', { room: SEALED });
  const bo = await join(t, server, net, 'Bo', { room: SEALED });
  await allConnected(ann, bo);
  const before = [ann.room.self.id, bo.room.self.id];
  server.forget();
  await until('both are back', () => ann.room.self.id !== before[0] && bo.room.self.id !== before[1]
    && ann.room.people[0]?.id === bo.room.self.id && bo.room.people[0]?.id === ann.room.self.id, 15_000);
  await allConnected(ann, bo);
  const cy = await join(t, server, net, 'Cy', { room: SEALED });
  await allConnected(ann, bo, cy);
  assert.deepEqual([ann, bo, cy].flatMap(({ heard }) => heard.problems), []);
  assert.equal(net.connections.length, 6);
});

test('secrets of sealed links are 128 bits and differ', () => {
  const secrets = Array.from({ length: 50 }, randomSecret);
  assert.equal(new Set(secrets).size, 50);
  for (const secret of secrets) {
    assert.equal(fromBase64url(secret).length, 16);
    assert.equal(makeLink('tea', secret), `#tea.${secret}`);
  }
});

/* Tokens: what joinRoom sends, when it fetches another, and whose name others see. */

import { until } from './lib/browserish.mjs';
import { FakeNet } from './lib/fake-rtc.mjs';
import { allConnected, find, join, names } from './lib/people.mjs';
import { present, requests, serverFor, visit } from './lib/mailbox.mjs';
import { makeLink, randomSecret } from '../../public_html/klatch/link.js';
import { wrap } from '../../public_html/klatch/seal.js';
import assert from 'node:assert/strict';
import test from 'node:test';

/** Lets in by tokens like 'good Ann'; `expired` are refused. */
const gate = (expired = new Set()) => (token) => {
  if (token === undefined) return { code: 'token-missing' };
  if (expired.has(token)) return { code: 'token-expired' };
  const [word, name] = token.split(' ');
  return word === 'good' ? { sub: `id-${name}`, name } : { code: 'token-invalid' };
};
const tokens = (server) => requests(server, 'join').map(({ body }) => body.token);

test('a token is sent with the join, a text as it is, a function for what it gives', async (t) => {
  const server = await serverFor(t, { gate: gate() });
  await present(t, server, { token: 'good Ann' });
  await present(t, server, { token: async () => 'good Bo' });
  await present(t, server, { token: () => 'good Cy' });
  assert.deepEqual(tokens(server), ['good Ann', 'good Bo', 'good Cy']);
});

test('without a token nothing is sent, and a server that wants one is told apart', async (t) => {
  const server = await serverFor(t, { gate: gate() });
  const guest = visit(t, server);
  await assert.rejects(guest.signaling.join(), { code: 'token-missing', status: 401 });
  assert.equal('token' in requests(server, 'join')[0].body, false);
});

for (const code of ['token-invalid', 'token-expired', 'token-early', 'token-other-room']) {
  test(`${code} ends the joining at once, with a sentence that says what to do`, async (t) => {
    const server = await serverFor(t, { gate: () => ({ code }) });
    const guest = visit(t, server, { token: 'x' });
    await assert.rejects(guest.signaling.join(), (problem) => {
      assert.equal(problem.code, code);
      assert.match(problem.message, /^This invitation .*(Ask for|Try again)/);
      return true;
    });
    assert.equal(requests(server, 'join').length, 1);
  });
}

test('what fails to be fetched is tried again, and nothing is asked of the server meanwhile', async (t) => {
  const server = await serverFor(t, { gate: gate() });
  let tries = 0;
  const token = async () => {
    tries += 1;
    if (tries < 3) throw new Error('the site is away');
    return 'good Ann';
  };
  await present(t, server, { token });
  assert.equal(tries, 3);
  assert.deepEqual(tokens(server), ['good Ann']);
});

test('what gives no text is a problem with a code of its own', { timeout: 30_000 }, async (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() });
  const server = await serverFor(t, { gate: gate() });
  const guest = visit(t, server, { token: () => { t.mock.timers.tick(11_000); return 7; } });
  await assert.rejects(guest.signaling.join(), { code: 'token-failed' });
  assert.equal(server.requests.length, 0);
});

test('a token that is never given ends with the signal, and with the visit', { timeout: 10_000 }, async (t) => {
  const server = await serverFor(t, { gate: gate() });
  let asked = 0;
  const never = () => { asked += 1; return new Promise(() => {}); };
  const stop = new AbortController();
  const guest = visit(t, server, { token: never });
  const end = guest.signaling.join(stop.signal).catch((problem) => problem);
  await until('it is asked for', () => asked === 1);
  stop.abort(new Error('enough'));
  assert.deepEqual(await end.then(({ code, cause }) => [code, cause.message]), ['aborted', 'enough']);
  assert.equal((await visit(t, server, { token: never }).signaling.join(stop.signal).catch((problem) => problem)).code, 'aborted');
  assert.equal(asked, 1);
  // In the room: the first is given, the one to join anew isn't.
  const ann = await present(t, server, { token: () => (asked === 1 ? (asked += 1, 'good Ann') : never()) });
  server.forget();
  await until('another is asked for', () => asked === 3);
  const waits = ann.signaling.ask('ice').catch((problem) => problem);
  await ann.signaling.leave();
  assert.equal((await waits).code, 'aborted');
});

test('who has to join anew fetches a new token for that, and resumes without', async (t) => {
  const expired = new Set();
  const server = await serverFor(t, { gate: gate(expired) });
  let count = 0;
  const ann = await present(t, server, { token: () => `good Ann${(count += 1)}` });
  const { peer } = ann.signaling;
  expired.add('good Ann1');
  const room = server.room('tea');
  // The lease has ended: the key resumes, whatever the token is worth by now.
  room.members.get(peer).lapsed = true;
  for (const look of [...room.waiting]) look();
  server.cut();
  await until('it has resumed', () => ann.heard.rejoined.length === 1);
  assert.equal(ann.heard.rejoined[0].resumed, true);
  assert.equal(count, 1);
  server.forget();
  await until('it has joined anew', () => ann.heard.rejoined.length === 2);
  assert.equal(ann.heard.rejoined[1].resumed, false);
  assert.equal(count, 2);
  assert.equal(tokens(server).at(-1), 'good Ann2');
});

test('a text that has expired ends the visit when it has to join anew', async (t) => {
  const expired = new Set();
  const server = await serverFor(t, { gate: gate(expired) });
  const ann = await present(t, server, { token: 'good Ann' });
  expired.add('good Ann');
  server.forget();
  await until('it is out', () => ann.heard.ended.length === 1);
  assert.deepEqual(ann.heard.ended, ['token-expired']);
});

test("the token's name goes before the one that the page asks for, here and at the others", async (t) => {
  const server = await serverFor(t, { gate: gate() });
  const net = new FakeNet();
  const ann = await join(t, server, net, 'King', { token: 'good Ann' });
  const bo = await join(t, server, net, 'Queen', { token: 'good Bo' });
  await allConnected(ann, bo);
  assert.deepEqual([ann.room.self.name, bo.room.self.name], ['Ann', 'Bo']);
  assert.deepEqual([names(ann), names(bo)], [['Bo'], ['Ann']]);
  bo.room.rename('King');
  bo.room.say('said after renaming');
  await until('the line has come', () => ann.heard.texts.length === 1);
  assert.deepEqual([bo.room.self.name, find(ann, 'Bo')?.name, ann.heard.texts], ['Bo', 'Bo', ['Bo: said after renaming']]);
});

test('a page that says another name than its token is shown under that of the token', async (t) => {
  const server = await serverFor(t, { gate: gate() });
  const net = new FakeNet();
  const ann = await join(t, server, net, 'Ann', { token: 'good Ann' });
  const body = { token: 'good Mallory', id: 'x'.repeat(22), meta: wrap({ v: 1, instance: 'i', name: 'Bo', mic: true }) };
  const response = await fetch(`${server.api}/rooms/tea/join`, { method: 'POST', body: JSON.stringify(body) });
  assert.equal(response.status, 201);
  await until('somebody is there', () => ann.room.people.length === 1);
  assert.deepEqual(names(ann), ['Mallory']);
});

test('in a sealed room names come from the pages alone', async (t) => {
  const server = await serverFor(t, { gate: gate() });
  const net = new FakeNet();
  const room = makeLink('tea', randomSecret());
  const ann = await join(t, server, net, 'Ann sealed', { room, token: 'good Ann' });
  const bo = await join(t, server, net, 'Bo sealed', { room, token: 'good Bo' });
  await allConnected(ann, bo);
  assert.deepEqual([names(ann), names(bo), bo.room.self.name], [['Bo sealed'], ['Ann sealed'], 'Bo sealed']);
});

/* When signaling polls: holds, turns, rest, and places where polls cost processes. */

import { quiet, until } from './lib/browserish.mjs';
import { present, requests, serverFor, visit } from './lib/mailbox.mjs';
import assert from 'node:assert/strict';
import test from 'node:test';

const texts = (guest) => guest.heard.messages.map(([, data]) => data);
const json = { 'Content-Type': 'application/json' };

test('a poll whose answer was lost brings the same messages again, once', async (t) => {
  const server = await serverFor(t, { holdMs: 150 });
  const [ann, bo] = [await present(t, server), await present(t, server)];
  const key = requests(server, 'poll').at(-1).body.key;
  server.fail(1, { drop: true, after: true }, /exchange/);
  await until('a poll was cut', () => server.failures[0].times === 0);
  ann.signaling.send(null, 'note', 1);
  await until('it arrived', () => bo.heard.messages.length === 1);
  await quiet(300);
  assert.deepEqual(texts(bo), [1]);
  assert.equal(new Set(bo.heard.seqs).size, bo.heard.seqs.length);
  assert.ok(key);
});

test('a poll that says when to come back is followed by the next one then', async (t) => {
  const server = await serverFor(t, { holdMs: 0 });
  const told = JSON.stringify({ messages: [], next: 'x', more: false, sent: [], retry_ms: 400 });
  const guest = visit(t, server);
  await guest.signaling.join();
  server.fail(3, { status: 200, body: told }, /exchange/);
  guest.signaling.start();
  await quiet(1000);
  const polls = requests(server, 'poll').length;
  assert.ok(polls >= 2 && polls <= 3, `${polls} polls`);
});

test('a host that answers polls at once is not asked without pause', async (t) => {
  const server = await serverFor(t, { holdMs: 1 });
  await present(t, server);
  await quiet(1500);
  assert.ok(requests(server, 'poll').length <= 3);
});

test('a host that answers polls with nothing at all is away', async (t) => {
  const server = await serverFor(t);
  const guest = visit(t, server);
  await guest.signaling.join();
  server.fail(Infinity, { status: 204, body: '' }, /exchange/);
  guest.signaling.start();
  await until('it is away', () => guest.heard.states.includes('away'));
  assert.equal(requests(server, 'poll').length, 2);
  server.failures = [];
  await until('it is back', () => guest.heard.states.at(-1) === 'online');
  assert.deepEqual(guest.heard.rejoined, []);
});

test('turns count up, so that the newest poll wins', async (t) => {
  const server = await serverFor(t, { holdMs: 400 });
  await present(t, server);
  await until('some polls', () => requests(server, 'poll').length >= 3);
  assert.deepEqual(requests(server, 'poll').slice(0, 3).map(({ body }) => body.turn), [1, 2, 3]);
});

test('a fourth room of one browser polls short, and still gets its mail', async (t) => {
  const server = await serverFor(t);
  const first = await present(t, server, { room: 'r0' });
  const { locks } = first;
  for (const room of ['r1', 'r2']) await present(t, server, { room, locks });
  const fourth = visit(t, server, { room: 'r3', locks });
  await fourth.signaling.join();
  fourth.signaling.start();
  const other = await present(t, server, { room: 'r3' });
  other.signaling.send(null, 'note', 1);
  await until('it arrived', () => fourth.heard.messages.length === 1);
  const waits = requests(server, 'poll').filter(({ path }) => path.includes('/r3/')).map(({ body }) => body.wait_ms);
  assert.ok(waits.includes(0));
});

test('another entry point for polls is used for polls alone', async (t) => {
  const server = await serverFor(t);
  const seen = [];
  const guest = visit(t, server, {
    fetch: async (url, init) => {
      const { pathname } = new URL(url);
      seen.push(pathname);
      const response = await fetch(url.replace('/poll/v1', '/api/v1'), init);
      if (!pathname.endsWith('/join')) return response;
      const answer = await response.json();
      const headers = { 'Content-Type': 'application/json' };
      return new Response(JSON.stringify({ ...answer, poll: { ...answer.poll, url: '/poll' } }), { status: 201, headers });
    },
  });
  await guest.signaling.join();
  guest.signaling.start();
  guest.signaling.send(null, 'note', 1);
  await until('both were asked', () => seen.length === 3);
  assert.deepEqual(seen.sort(),
    ['/api/v1/rooms/tea/exchange', '/api/v1/rooms/tea/join', '/poll/v1/rooms/tea/exchange']);
});

test('who may rest lets go of its poll, looks every third of the lease and misses nothing', async (t) => {
  const server = await serverFor(t, { leaseMs: 3000 });
  const [ann, bo] = [await present(t, server), await present(t, server)];
  const { waiting } = server.room('tea');
  bo.signaling.relax(true);
  const last = () => requests(server, 'poll').find(({ body }) => body.wait_ms === 1);
  await until('one poll is held', () => last() && waiting.size === 1);
  const { key } = last().body;
  const looks = () => requests(server, 'poll').filter(({ body }) => body.key === key);
  const before = looks().length;
  ann.signaling.send(null, 'note', 1);
  await until('it arrived', () => bo.heard.messages.length === 1);
  await quiet(2100);
  const more = looks().slice(before);
  assert.ok(more.length >= 2 && more.length <= 4, `${more.length} looks`);
  assert.ok(more.every(({ body }) => body.wait_ms === 0));
  assert.equal(waiting.size, 1);
  assert.deepEqual([texts(bo), bo.heard.rejoined], [[1], []]);
});

test('who may not rest any more polls at once', async (t) => {
  const server = await serverFor(t);
  const [ann, bo] = [await present(t, server), await present(t, server)];
  const { waiting } = server.room('tea');
  bo.signaling.relax(true);
  const last = () => requests(server, 'poll').some(({ body }) => body.wait_ms === 1);
  await until('one poll is held', () => last() && waiting.size === 1);
  assert.equal(bo.signaling.polling, false);
  ann.signaling.send(null, 'note', 1);
  await quiet(200);
  assert.deepEqual(texts(bo), []);
  bo.signaling.relax(false);
  await until('it arrived', () => bo.heard.messages.length === 1);
  await until('two polls are held', () => waiting.size === 2);
});

test('mail that a let-go poll got in its last moment arrives all the same', async (t) => {
  const server = await serverFor(t);
  // Answers are a while under way.
  const slowly = async (url, init) => {
    const response = await fetch(url, init);
    await quiet(100);
    return response;
  };
  const [ann, bo] = [await present(t, server), await present(t, server, { fetch: slowly })];
  ann.signaling.send(null, 'note', 1);
  await until('it was sent', () => server.room('tea').messages.some(({ type }) => type === 'note'));
  bo.signaling.relax(true);
  await until('it arrived', () => bo.heard.messages.length === 1);
  await quiet(300);
  assert.deepEqual(texts(bo), [1]);
});

test('who rests gives its poll slot to another room of the browser', async (t) => {
  const server = await serverFor(t);
  const first = await present(t, server, { room: 'r0' });
  const { locks } = first;
  const polls = () => locks.held.filter((name) => name.startsWith('klatch poll')).length;
  assert.equal(polls(), 1);
  first.signaling.relax(true);
  await until('it is free', () => polls() === 0);
  first.signaling.relax(false);
  await until('it is taken', () => polls() === 1);
});

/**
 * A host where polls cost processes: main entry point and polls' own, places told in
 * retry_ms. `told` is what the main one says to questions, in turn.
 */
async function crowded(t, first, told) {
  const server = await serverFor(t, { holdMs: 60_000 });
  const asked = [];
  const answer = (body) => new Response(JSON.stringify(body), { status: 200, headers: json });
  const host = async (url, init) => {
    const isPoll = url.includes('/poll/v1');
    const body = JSON.parse(init.body);
    if (url.endsWith('/exchange')) asked.push([isPoll ? 'poll' : 'main', body.wait_ms > 0, Date.now()]);
    const main = url.replace('/poll/v1', '/api/v1');
    if (url.endsWith('/join')) {
      const joined = await (await fetch(main, init)).json();
      return answer({ ...joined, poll: { ...joined.poll, url: '/poll', ...first } });
    }
    if (isPoll || !(body.wait_ms > 1)) return fetch(main, init);
    const retry = told.shift();
    const looked = await (await fetch(main, { ...init, body: JSON.stringify({ ...body, wait_ms: 0 }) })).json();
    return answer({ ...looked, retry_ms: retry });
  };
  const guest = visit(t, server, { fetch: host, random: () => 0 });
  await guest.signaling.join();
  const since = Date.now();
  guest.signaling.start();
  return { server, asked, since, guest };
}

test('where joining gave a place the first poll goes to the polls at once', async (t) => {
  const { asked } = await crowded(t, {}, []);
  await until('it polls', () => asked.length === 1);
  assert.deepEqual(asked[0].slice(0, 2), ['poll', true]);
});

test('without a place the main entry point is asked until it says that there is one', async (t) => {
  const { asked, since, server, guest } = await crowded(t, { retry_ms: 200 }, [300, 0]);
  const other = await present(t, server);
  other.signaling.send(null, 'note', 1);
  await until('it polls', () => asked.length === 3);
  assert.deepEqual(asked.map(([where, held]) => [where, held]), [['main', true], ['main', true], ['poll', true]]);
  const [one, two, three] = asked.map(([, , ms]) => ms - since);
  assert.ok(one >= 195 && two - one >= 295 && three - two < 250, `${one} ${two} ${three}`);
  await until('mail came meanwhile', () => guest.heard.messages.length === 1);
});

test('who rested asks for a place before it polls again', async (t) => {
  const { asked, guest } = await crowded(t, {}, [0]);
  await until('it polls', () => asked.length === 1);
  guest.signaling.relax(true);
  await until('it rests', () => asked.length === 2);
  guest.signaling.relax(false);
  await until('it polls again', () => asked.length === 4);
  assert.deepEqual(asked.map(([where, held]) => [where, held]),
    [['poll', true], ['main', true], ['main', true], ['poll', true]]);
});

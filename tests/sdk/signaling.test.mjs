/* Signaling: mail in order and once each, whatever the host does to requests; joining, coming back, leaving. */

import { FakeStorage, quiet, until } from './lib/browserish.mjs';
import { present, requests, serverFor, visit } from './lib/mailbox.mjs';
import assert from 'node:assert/strict';
import test, { describe } from 'node:test';

const texts = (guest) => guest.heard.messages.map(([, data]) => data);

test('a message reaches the other member, and one to all everybody else', async (t) => {
  const server = await serverFor(t);
  const [ann, bo, cy] = [await present(t, server), await present(t, server), await present(t, server)];
  ann.signaling.send(bo.signaling.peer, 'offer', { u: 'x' });
  ann.signaling.send(null, 'note', 7);
  await until('both arrived', () => bo.heard.messages.length === 2 && cy.heard.messages.length === 1);
  assert.deepEqual(bo.heard.messages, [['offer', { u: 'x' }], ['note', 7]]);
  assert.deepEqual(cy.heard.messages, [['note', 7]]);
  assert.deepEqual(ann.heard.messages, []);
});

test('a newcomer is told who is there, with what they said of themselves', async (t) => {
  const server = await serverFor(t);
  const ann = await present(t, server, { meta: { u: 'Ann' } });
  const bo = await present(t, server);
  assert.deepEqual(bo.listed.map(({ peer, meta }) => [peer, meta]), [[ann.signaling.peer, { u: 'Ann' }]]);
});

test('what one turn of the event loop writes goes as one request', async (t) => {
  const server = await serverFor(t);
  const [ann, bo] = [await present(t, server), await present(t, server)];
  for (let at = 0; at < 5; at += 1) ann.signaling.send(null, 'note', at);
  void Promise.resolve().then(() => ann.signaling.send(null, 'note', 5));
  await until('all arrived', () => bo.heard.messages.length === 6);
  assert.equal(requests(server, 'send').length, 1);
});

test('messages arrive in the order they were written, each once', async (t) => {
  const server = await serverFor(t);
  const [ann, bo] = [await present(t, server), await present(t, server)];
  for (let at = 0; at < 250; at += 1) {
    ann.signaling.send(null, 'note', at);
    if (at % 10 === 0) await quiet(1);
  }
  await until('all arrived', () => bo.heard.messages.length >= 250);
  assert.deepEqual(texts(bo), Array.from({ length: 250 }, (_, at) => at));
});

test('a send does not wait behind the held poll', async (t) => {
  const server = await serverFor(t);
  const [ann, bo] = [await present(t, server), await present(t, server)];
  const since = Date.now();
  const key = () => requests(server, 'send')[0]?.body.key;
  const polls = () => requests(server, 'poll').filter(({ body }) => body.key === key()).length;
  ann.signaling.send(null, 'note', 1);
  const before = await until('it was sent', polls);
  await until('it arrived', () => bo.heard.messages.length === 1);
  ann.signaling.send(null, 'note', 2);
  await until('the next one arrived', () => bo.heard.messages.length === 2);
  assert.ok(Date.now() - since < 1000);
  assert.equal(polls(), before);
});

test('a send whose answer was lost is tried again and arrives once', async (t) => {
  const server = await serverFor(t);
  const [ann, bo] = [await present(t, server), await present(t, server)];
  const cut = { times: 1, how: { drop: true, after: true } };
  // Else the next exchange may be the poll that follows the word of Bo.
  await until('both polls are held', () => ann.heard.seqs.length > 0 && server.room('tea').waiting.size === 2);
  ann.signaling.send(null, 'note', 1);
  server.fail(cut.times, cut.how, /exchange/);
  await until('it was tried again', () => requests(server, 'send').length === 2);
  ann.signaling.send(null, 'note', 2);
  await until('both arrived', () => bo.heard.messages.length >= 2);
  assert.deepEqual(texts(bo), [1, 2]);
});

for (const [what, how] of [
  ['429 with a body of the API', { status: 429, body: '{"code":"rate-limited"}' }],
  ['503 with a body of the API', { status: 503, body: '{"code":"busy"}' }],
  ["a host's 508", { status: 508, body: '<h1>Resource limit</h1>' }],
  ["a proxy's 524", { status: 524, body: '<html>' }],
  ['a captive portal that says 200', { status: 200, body: '<html>Log in</html>' }],
  ['an empty answer', { status: 204, body: '' }],
  ["a host's own 404 page", { status: 404, body: '<html>gone</html>' }],
  ['a cut connection', { drop: true }],
]) {
  test(`${what} means to try again, not to give up`, async (t) => {
    const server = await serverFor(t);
    const [ann, bo] = [await present(t, server), await present(t, server)];
    server.fail(1, how, /exchange/);
    ann.signaling.send(null, 'note', 1);
    await until('it arrived', () => bo.heard.messages.length === 1);
    assert.deepEqual(ann.heard.ended, []);
    assert.deepEqual(ann.heard.rejoined, []);
  });
}

test('pauses grow while the server is away, and it says so and when it is back', async (t) => {
  const server = await serverFor(t);
  const ann = await present(t, server);
  server.away = true;
  server.cut();
  const before = server.requests.length;
  await until('it is away', () => ann.heard.states.includes('away'));
  await quiet(1500);
  const tries = server.requests.length - before;
  assert.ok(tries >= 2 && tries <= 6, `${tries} tries`);
  server.away = false;
  await until('it is back', () => ann.heard.states.at(-1) === 'online');
  assert.deepEqual(ann.heard.states, ['away', 'online']);
});

for (const type of ['online', 'pageshow']) {
  test(`'${type}' ends the pause at once`, async (t) => {
    const server = await serverFor(t);
    const ann = await present(t, server, { random: () => 1 });
    server.away = true;
    server.cut();
    await until('it is away', () => ann.heard.states.includes('away'));
    await quiet(2500);
    server.away = false;
    const since = Date.now();
    ann.page.dispatchEvent(new Event(type));
    await until('it is back', () => ann.heard.states.at(-1) === 'online');
    assert.ok(Date.now() - since < 400);
  });
}

test('a gap is told with who is here now', async (t) => {
  const server = await serverFor(t, { holdMs: 200 });
  const [ann, bo] = [await present(t, server), await present(t, server)];
  server.room('tea').epoch = 'another';
  await until('both were told', () => ann.heard.gaps.length > 0 && bo.heard.gaps.length > 0);
  assert.deepEqual(ann.heard.gaps[0], [bo.signaling.peer]);
  ann.signaling.send(null, 'note', 1);
  await until('mail arrives again', () => bo.heard.messages.length === 1);
});

test('within the grace time a lapsed member comes back as itself and misses nothing', async (t) => {
  const server = await serverFor(t, { leaseMs: 400, holdMs: 100, graceMs: 60_000 });
  const [ann, bo] = [await present(t, server), await present(t, server)];
  const before = bo.signaling.peer;
  server.room('tea').members.get(before).leaseEnd = Date.now() - 1;
  ann.signaling.send(before, 'note', 1);
  await until('it came back', () => bo.heard.rejoined.length === 1 && bo.heard.messages.length === 1);
  assert.equal(bo.heard.rejoined[0].resumed, true);
  assert.equal(bo.signaling.peer, before);
  assert.deepEqual(texts(bo), [1]);
});

test('after the grace time a member joins anew under another id', async (t) => {
  const server = await serverFor(t, { leaseMs: 60_000, holdMs: 100, graceMs: 0 });
  const [ann, bo] = [await present(t, server), await present(t, server)];
  const before = bo.signaling.peer;
  server.room('tea').members.get(before).leaseEnd = 0;
  await until('it came back', () => bo.heard.rejoined.length === 1);
  assert.equal(bo.heard.rejoined[0].resumed, false);
  assert.notEqual(bo.signaling.peer, before);
  assert.deepEqual(bo.heard.rejoined[0].peers.map(({ peer }) => peer), [ann.signaling.peer]);
});

test('a grace time that ends while coming back leads to joining anew', async (t) => {
  const server = await serverFor(t, { holdMs: 100, graceMs: 60_000 });
  const bo = await present(t, server);
  const before = bo.signaling.peer;
  server.room('tea').members.get(before).leaseEnd = Date.now() - 1;
  server.fail(1, { status: 410, body: '{"code":"session-expired"}' }, /join/);
  await until('it came back', () => bo.heard.rejoined.length === 1);
  assert.notEqual(bo.signaling.peer, before);
});

test('messages that come a second time are taken once', async (t) => {
  const server = await serverFor(t, { holdMs: 400 });
  let first;
  // A proxy that answers from the beginning again.
  const replaying = (url, init) => {
    const body = JSON.parse(init.body);
    first ??= body.after;
    return fetch(url, { ...init, body: JSON.stringify({ ...body, ...(body.after ? { after: first } : {}) }) });
  };
  const bo = await present(t, server, { fetch: replaying });
  const ann = await present(t, server);
  ann.signaling.send(null, 'note', 1);
  await until('it arrived', () => bo.heard.messages.length >= 1);
  ann.signaling.send(null, 'note', 2);
  await until('the next one arrived', () => texts(bo).includes(2));
  await quiet(300);
  assert.deepEqual(texts(bo), [1, 2]);
});

test('a server that forgot everything gets everybody back', async (t) => {
  const server = await serverFor(t);
  const [ann, bo] = [await present(t, server), await present(t, server)];
  server.forget();
  await until('both are back', () => ann.heard.rejoined.length === 1 && bo.heard.rejoined.length === 1);
  ann.signaling.send(bo.signaling.peer, 'note', 1);
  await until('mail arrives again', () => bo.heard.messages.length === 1);
});

test('a send that finds its member gone joins anew once, not twice', async (t) => {
  const server = await serverFor(t, { holdMs: 50 });
  // Both lanes hear of it in the same moment.
  let release = () => {};
  let waiting = 0;
  const both = new Promise((resolve) => {
    release = resolve;
  });
  const together = async (url, init) => {
    const response = await fetch(url, init);
    if (response.status === 404 && (waiting += 1) === 2) release();
    if (response.status === 404) await both;
    return response;
  };
  const ann = await present(t, server, { fetch: together });
  server.rooms.clear();
  ann.signaling.send(null, 'note', 1);
  await until('it is back', () => ann.heard.rejoined.length === 1);
  await quiet(300);
  assert.equal(requests(server, 'join').length, 2);
});

for (const [code, status] of [['kicked', 410], ['room-closed', 410], ['banned', 403]]) {
  test(`'${code}' is the end, and is said`, async (t) => {
    const server = await serverFor(t, { holdMs: 400 });
    const ann = await present(t, server);
    server.fail(1, { status, body: JSON.stringify({ code }) }, /exchange/);
    await until('it ended', () => ann.heard.ended.length === 1);
    assert.deepEqual(ann.heard.ended, [code]);
    const before = server.requests.length;
    await quiet(700);
    assert.equal(server.requests.length, before);
  });
}

test('a letter to somebody who has gone does not hold up the others', async (t) => {
  const server = await serverFor(t);
  const [ann, bo] = [await present(t, server), await present(t, server)];
  ann.signaling.send('nobody', 'offer', 0);
  ann.signaling.send(bo.signaling.peer, 'offer', 1);
  ann.signaling.send('nobody', 'offer', 2);
  ann.signaling.send(bo.signaling.peer, 'offer', 3);
  await until('the others arrived', () => bo.heard.messages.length === 2);
  assert.deepEqual(texts(bo), [1, 3]);
  assert.deepEqual(ann.heard.problems, []);
});

test('a letter that is refused for another reason is told', async (t) => {
  const server = await serverFor(t);
  const ann = await present(t, server);
  ann.signaling.send(null, 'peer-forged', 0);
  await until('it was told', () => ann.heard.problems.length === 1);
  assert.deepEqual(ann.heard.problems, ['invalid-request']);
});

test('a full room is a problem that can be read, and is not asked again', async (t) => {
  const server = await serverFor(t, { peersMax: 1 });
  await present(t, server);
  await assert.rejects(visit(t, server).signaling.join(), { code: 'room-full', status: 409, message: /full.*Wait/ });
  assert.equal(requests(server, 'join').length, 2);
});

test('joining tries again when its answer is lost, and is one member', async (t) => {
  const server = await serverFor(t);
  server.fail(2, { drop: true, after: true }, /join/);
  await present(t, server);
  assert.equal(requests(server, 'join').length, 3);
  assert.equal(server.room('tea').members.size, 1);
});

test('joining gives up on a server that never answers', { timeout: 30_000 }, async (t) => {
  const server = await serverFor(t);
  server.away = true;
  await assert.rejects(visit(t, server).signaling.join(), { code: 'network', message: /Check the connection/ });
});

test('joining can be cancelled', async (t) => {
  const server = await serverFor(t);
  server.away = true;
  const stop = new AbortController();
  const joining = visit(t, server, { random: () => 1 }).signaling.join(stop.signal);
  joining.catch(() => {});
  await until('it was tried three times', () => requests(server, 'join').length === 3);
  await quiet(50); // Now a pause of more than a second has begun.
  const since = Date.now();
  stop.abort();
  await assert.rejects(joining, { code: 'aborted' });
  assert.ok(Date.now() - since < 500);
});

test('a reloaded page takes its own place, told to the others as that', async (t) => {
  const server = await serverFor(t);
  const ann = await present(t, server);
  const left = [];
  ann.signaling.on('message', ({ detail }) => {
    if (detail.type === 'peer-left') left.push(detail.data);
  });
  const before = await present(t, server);
  before.signaling.leaveSoon();
  before.session.release();
  const after = await present(t, server, { storage: before.storage, locks: before.locks });
  await until('it was told', () => left.length === 1);
  assert.deepEqual(left, [{ peer: before.signaling.peer, reason: 'replaced', by: after.signaling.peer }]);
  assert.equal(server.room('tea').members.size, 2);
});

test('a stored key that is worth nothing any more does not keep its page out', async (t) => {
  const server = await serverFor(t);
  const storage = new FakeStorage();
  storage.setItem('klatch tea', JSON.stringify({ peer: 'p', key: 'old' }));
  await present(t, server, { storage });
  assert.equal(server.room('tea').members.size, 1);
});

test('a page that hides says so by a form that needs no preflight, and asks nothing more', async (t) => {
  const server = await serverFor(t, { holdMs: 50, soonMs: 100 });
  const [ann, bo] = [await present(t, server), await present(t, server)];
  bo.signaling.leaveSoon();
  assert.equal(bo.beacons.length, 1);
  assert.deepEqual(Object.keys(JSON.parse(bo.beacons[0].body.get('json'))).sort(), ['key', 'soon']);
  await until('it was told', () => !server.room('tea').listed().some(({ peer }) => peer === bo.signaling.peer));
  assert.equal(requests(server, 'leave')[0].form, true);
  assert.ok(ann.signaling.peer);
});

test('a page that comes back from hiding goes on as itself', async (t) => {
  const server = await serverFor(t, { holdMs: 50, soonMs: 50, graceMs: 60_000 });
  const bo = await present(t, server);
  const { peer } = bo.signaling;
  bo.signaling.leaveSoon();
  await quiet(300);
  bo.page.dispatchEvent(new Event('pageshow'));
  await until('it is back', () => bo.heard.rejoined.length === 1);
  assert.equal(bo.signaling.peer, peer);
});

test('leaving for good is told at once, and twice is once', async (t) => {
  const server = await serverFor(t);
  const ann = await present(t, server);
  await Promise.all([ann.signaling.leave(), ann.signaling.leave()]);
  assert.equal(server.room('tea').members.size, 0);
  assert.equal(requests(server, 'leave').length, 1);
  assert.equal(ann.storage.getItem('klatch tea'), null);
  const before = server.requests.length;
  ann.signaling.send(null, 'note', 1);
  await quiet(200);
  assert.equal(server.requests.length, before);
});

test("another site's API is asked by forms, which need no preflight", async (t) => {
  const server = await serverFor(t);
  await present(t, server, { base: 'https://example.org/page' });
  assert.ok(server.requests.every(({ form }) => form));
});

test('bodies stay under 100 kB, in order, in JSON and in a form', async (t) => {
  for (const base of [undefined, 'https://example.org/page']) {
    const server = await serverFor(t);
    const sizes = [];
    const measuring = (url, init) => {
      sizes.push(init.body.toString().length);
      return fetch(url, init);
    };
    const [ann, bo] = [await present(t, server, { fetch: measuring, base }), await present(t, server)];
    // Every other character of it takes three bytes in a form.
    for (let at = 0; at < 12; at += 1) ann.signaling.send(null, 'note', `${at}${'{x'.repeat(7_000)}`);
    await until('all arrived', () => bo.heard.messages.length === 12);
    assert.deepEqual(texts(bo).map((text) => parseInt(text, 10)), Array.from({ length: 12 }, (_, at) => at));
    assert.ok(Math.max(...sizes) < 100_000, `${Math.max(...sizes)} bytes`);
    assert.ok(requests(server, 'send').length < 7);
  }
});

test('a message that is too large is a problem at once, and is not sent', async (t) => {
  const server = await serverFor(t);
  const [ann, bo] = [await present(t, server), await present(t, server)];
  ann.signaling.send(null, 'note', 'x'.repeat(65_535));
  assert.deepEqual(ann.heard.problems, ['message-too-large']);
  ann.signaling.send(null, 'note', 'small');
  await until('the other one arrived', () => bo.heard.messages.length === 1);
  assert.equal(requests(server, 'send').length, 1);
});

describe('a host that is not well', { concurrency: true }, () => {
  for (const status of [500, 502, 503, 504, 508, 524]) {
    test(`while a host answers ${status} in HTML, questions get fewer, and then all goes on`, async (t) => {
      const server = await serverFor(t, { holdMs: 200 });
      const [ann, bo] = [await present(t, server), await present(t, server)];
      server.fail(1000, { status, body: '<html><h1>no</h1></html>' });
      await until('it is away', () => ann.heard.states.includes('away'));
      const before = server.requests.length;
      await quiet(1500);
      const tries = server.requests.length - before;
      assert.ok(tries >= 2 && tries <= 12, `${tries} tries of two`);
      server.failures = [];
      ann.signaling.send(null, 'note', 1);
      await until('it arrived', () => bo.heard.messages.length === 1);
      assert.deepEqual([ann.heard.ended, bo.heard.rejoined], [[], []]);
    });
  }
});

test('what looks like an answer and is not of its type is none', async (t) => {
  const server = await serverFor(t);
  const [ann, bo] = [await present(t, server), await present(t, server)];
  await until('both polls are held, so that the failure is the send\'s', () => server.room('tea').waiting.size === 2);
  const headers = { 'Content-Type': 'text/html' };
  server.fail(1, { status: 200, body: '{"messages":[],"next":"1.1","sent":[]}', headers }, /exchange/);
  ann.signaling.send(null, 'note', 1);
  await until('it arrived', () => bo.heard.messages.length === 1);
  assert.equal(requests(server, 'send').length, 2);
});

for (const [what, after] of [['seconds', () => '1'],
  ['a date', () => new Date(Date.now() + 1999).toUTCString()]]) {
  test(`Retry-After as ${what} is obeyed`, async (t) => {
    const server = await serverFor(t);
    const ann = await present(t, server, { random: () => 0 });
    server.fail(1, { status: 503, body: '{"code":"busy"}', headers: { 'Content-Type': 'application/json', 'Retry-After': after() } }, /exchange/);
    const since = Date.now();
    ann.signaling.send(null, 'note', 1);
    await until('it was tried again', () => requests(server, 'send').length === 2);
    assert.ok(Date.now() - since >= 1000, `after ${Date.now() - since} ms`);
  });
}

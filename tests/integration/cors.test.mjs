import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import { expectProblem, expectStatus, newId, newRoom } from './lib/api.mjs';
import { CgiBin } from './lib/cgi.mjs';
import { it } from './lib/it.mjs';
import { Member, roomOf } from './lib/member.mjs';
import { Stack } from './lib/stack.mjs';
import { stillOpen } from './lib/until.mjs';

const GOOD = ['https://chat.example', 'http://localhost:3000', 'https://a.b-c.example:8443'];
/** What the list names by a wildcard. */
const BELOW = ['https://a.shop.example', 'https://a.b.shop.example', 'https://xn--bcher-kva.shop.example'];
const BAD = ['https://chat.example.evil', 'https://chat.exampl', 'http://chat.example',
  'https://chat.example:443', 'https://chat.example/', 'https://CHAT.example', 'null', '*',
  'https://evil.example', 'https://sub.chat.example', 'https://chat.example http://localhost:3000',
  'http://localhost:30000', 'http://localhost', ' ', ',', 'https://xn--cht-5cd.example', 'https://evil-chat.example',
  'https://user@chat.example', 'HTTPS://chat.example', 'https://chat.example.', 'https://shop.example',
  'https://*.shop.example', 'https://.shop.example', 'https://a..shop.example', 'https://a.shop.example:8443',
  'http://a.shop.example', 'https://evilshop.example', 'https://a.shop.example.evil.example',
  'https://evil.example#.shop.example', 'https://A.shop.example', `https://${'a'.repeat(400)}.shop.example`];

describe('CORS', { concurrency: 8 }, () => {
  let stack;
  let api;
  before(async () => {
    stack = await Stack.start({ workers: 1, config: { origins: `${GOOD.join(' ')} https://*.shop.example`, members_max: 2 } });
    api = stack.api;
  });
  after(() => stack?.stop());

  const origin = (value) => ({ headers: { Origin: value } });
  const allowed = (answer) => answer.headers['access-control-allow-origin'];

  it('names a listed origin exactly, on every answer', async () => {
    const [ada, bob] = await roomOf(api, newRoom(), 2);
    for (const good of [...GOOD, ...BELOW]) {
      const more = origin(good);
      const answers = [
        expectStatus(await api.get('/v1/health', more), 200),
        expectStatus(await ada.raw({ send: [ada.message(1)] }, more), 200),
        expectStatus(await api.get(`/v1/rooms/${ada.room}`, more), 200),
        expectProblem(await api.room(ada.room, 'exchange', '{', more), 400, 'invalid-request'),
        expectProblem(await api.room(ada.room, 'exchange', { key: 'x' }, more), 401, 'key-invalid'),
        expectStatus(await api.room(ada.room, 'ice', { key: ada.key }, more), 200),
        expectProblem(await api.room(ada.room, 'ice', { key: 'x' }, more), 401, 'key-invalid'),
        expectProblem(await api.get('/v1/nothing', more), 404, 'not-found'),
        expectProblem(await api.call('PUT', '/v1/health', more), 405, 'method-not-allowed'),
        expectProblem(await api.room(ada.room, 'join', { id: newId() }, more), 409, 'room-full'),
        expectProblem(await ada.raw({ send: [ada.message('x'.repeat(70000))] }, more), 413, 'message-too-large'),
        expectProblem(await api.room(ada.room, 'exchange', '{}',
          { headers: { Origin: good, 'content-type': 'text/plain' } }), 415, 'unsupported-type'),
      ];
      for (const answer of answers) assert.equal(allowed(answer), good, answer.text);
    }
    await bob.leave();
  });

  it('names it on answers that were held, woken, expired and superseded', async () => {
    const [ada, bob] = await roomOf(api, newRoom(), 2);
    for (const asking of [GOOD[0], BELOW[1]]) await heldBy(ada, bob, asking);
  });

  async function heldBy(ada, bob, asking) {
    const more = origin(asking);
    const from = ada.turn;
    ada.turn += 3;
    const poll = (turn, wait = 2000) => ada.raw({ after: ada.cursor, wait_ms: wait, turn }, more);
    const first = poll(from + 1);
    assert.ok(await stillOpen(100, first));
    const second = poll(from + 2);
    const superseded = await first;
    assert.equal(superseded.json.superseded, true);
    await bob.say('wake');
    const woken = await second;
    assert.equal(woken.json.messages.length, 1);
    ada.cursor = woken.json.next;
    const expired = await poll(from + 3, 300);
    for (const answer of [superseded, woken, expired]) {
      assert.equal(allowed(answer), asking);
      assert.equal(answer.headers['access-control-allow-credentials'], undefined);
    }
  }

  it('names it on the answer without a body', async () => {
    const ada = await Member.join(api, newRoom());
    const more = origin(GOOD[0]);
    const left = await api.room(ada.room, 'leave', { key: ada.key }, more);
    assert.equal(allowed(expectStatus(left, 204)), GOOD[0]);
  });

  it('names no other origin, however alike', async () => {
    for (const bad of BAD) {
      for (const path of ['/v1/health', '/v1/nothing']) {
        const answer = await api.get(path, origin(bad));
        assert.equal(allowed(answer), undefined, `for ${bad}`);
      }
      const preflight = await api.call('OPTIONS', '/v1/rooms/tea/exchange', {
        headers: { Origin: bad, 'Access-Control-Request-Method': 'POST' },
      });
      assert.equal(allowed(preflight), undefined, `for ${bad}`);
    }
    assert.equal(allowed(await api.get('/v1/health')), undefined);
  });

  it('answers a preflight for every call', async () => {
    for (const path of ['health', 'rooms/tea', 'rooms/tea/join', 'rooms/tea/exchange', 'rooms/tea/messages',
      'rooms/tea/leave', 'rooms/tea/ice']) {
      const answer = await api.call('OPTIONS', `/v1/${path}`, {
        headers: {
          Origin: GOOD[1], 'Access-Control-Request-Method': 'POST',
          'Access-Control-Request-Headers': 'content-type,x-klatch-key,authorization',
        },
      });
      assert.ok([200, 204].includes(answer.status), answer.text);
      assert.equal(allowed(answer), GOOD[1]);
      const headers = answer.headers['access-control-allow-headers'].toLowerCase().split(/\s*,\s*/);
      for (const name of ['content-type', 'x-klatch-key', 'authorization']) assert.ok(headers.includes(name), name);
      assert.match(answer.headers['access-control-allow-methods'], /GET/);
      assert.match(answer.headers['access-control-allow-methods'], /POST/);
      assert.ok(Number(answer.headers['access-control-max-age']) > 0);
    }
  });

  it('makes no room by a preflight', async () => {
    const room = newRoom();
    await api.call('OPTIONS', `/v1/rooms/${room}/join`, {
      headers: { Origin: GOOD[0], 'Access-Control-Request-Method': 'POST' },
    });
    expectProblem(await api.get(`/v1/rooms/${room}`), 404, 'room-not-found');
  });

  it('lets a page elsewhere join with a simple request', async () => {
    const body = `json=${encodeURIComponent('{"name":"far"}')}`;
    const answer = await api.room(newRoom(), 'join', body, {
      headers: { Origin: GOOD[0], 'content-type': 'application/x-www-form-urlencoded' },
    });
    assert.equal(allowed(expectStatus(answer, 201)), GOOD[0]);
  });
});

describe('CORS of a plain CGI program', () => {
  it('names a listed origin, also one below a wildcard, on answers and errors, and no other', async () => {
    const bin = new CgiBin({ config: { origins: `${GOOD[0]} https://*.shop.example` } });
    try {
      const api = bin.api();
      const room = newRoom();
      for (const [asking, named] of [[GOOD[0], GOOD[0]], [BELOW[0], BELOW[0]], [BAD[0], undefined], ['null', undefined]]) {
        const more = { headers: { Origin: asking } };
        const joined = expectStatus(await api.room(room, 'join', { id: newId() }, more), 201);
        const held = await api.room(room, 'exchange', { key: joined.json.key, after: joined.json.cursor, wait_ms: 200, turn: 1 }, more);
        const answers = [joined, expectStatus(held, 200), expectProblem(await api.room(room, 'ice', { key: 'x' }, more), 401, 'key-invalid'),
          await api.call('OPTIONS', `/v1/rooms/${room}/join`, { headers: { Origin: asking, 'Access-Control-Request-Method': 'POST' } })];
        for (const answer of answers) assert.equal(answer.headers['access-control-allow-origin'], named, asking);
      }
    } finally {
      bin.stop();
    }
  });
});

describe('CORS without a list', () => {
  it('names nobody', async () => {
    const stack = await Stack.start({ workers: 1 });
    try {
      for (const some of [...GOOD, 'null', `http://127.0.0.1:${stack.port}`]) {
        const answer = await stack.api.get('/v1/health', { headers: { Origin: some } });
        assert.equal(answer.headers['access-control-allow-origin'], undefined);
        const member = await Member.join(stack.api, newRoom());
        await member.leave();
      }
    } finally {
      await stack.stop();
    }
  });
});

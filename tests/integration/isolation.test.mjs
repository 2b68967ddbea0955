// One worker, so that whoever stalls it stalls everybody. While each of these peers, files and
// readers misbehaves, others must be served as if nothing were.
import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import { Daemon } from './lib/daemon.mjs';
import { expectProblem, expectStatus, newId, newRoom } from './lib/api.mjs';
import { lockRoom, onlyRoomFile } from './lib/data.mjs';
import {
  FcgiConnection, TYPE, begin, environment, pairs, record, stream,
} from './lib/fcgi.mjs';
import { it } from './lib/it.mjs';
import { Member, dataOf, roomOf } from './lib/member.mjs';
import { descriptors } from './lib/processes.mjs';
import { now, stillOpen, until, within } from './lib/until.mjs';

const READ_DEADLINE_MS = 10000;
const HOLD_MS = 60000;
const CONFIG = { hold_ms: HOLD_MS, lease_ms: 180000, ttl_ms: 300000 };
/** Sooner than a peer that takes nothing is dropped, on a machine with much to do. */
const PROMPT_MS = 25000;

/** Others are served: a join, a send that wakes a poll, a leave; each promptly. */
async function othersAreServed(api) {
  const room = newRoom('other');
  const since = now();
  const [ada, bob] = await roomOf(api, room, 2);
  const poll = bob.poll(HOLD_MS);
  assert.ok(await stillOpen(20, poll));
  await ada.say('prompt', bob.peer);
  assert.deepEqual(dataOf((await poll).messages), ['prompt']);
  await ada.leave();
  await bob.leave();
  const ms = now() - since;
  assert.ok(ms < PROMPT_MS, `eight calls took ${ms} ms`);
}

const HEALTH = { method: 'GET', path: '/v1/health', headers: {} };
const post = (path, text) => ({
  method: 'POST', path, headers: { 'content-type': 'application/json' }, body: Buffer.from(text),
});

describe('half a request', { concurrency: 32 }, () => {
  let daemon;
  let api;
  before(async () => {
    daemon = await Daemon.start({ config: CONFIG });
    api = daemon.api();
  });
  after(() => daemon?.stop());

  const whole = FcgiConnection.request(post(`/v1/rooms/${newRoom('half')}/join`, '{"name":"half"}'));
  const env = environment(HEALTH);
  const params = stream(TYPE.PARAMS, pairs(env));
  const HALVES = [
    ['half a record\'s header', whole.subarray(0, 5)],
    ['a begin and no more', begin()],
    ['half the parameters', whole.subarray(0, 60)],
    ['parameters without their end', Buffer.concat([begin(), record(TYPE.PARAMS, pairs(env))])],
    ['no body, and no end of it', Buffer.concat([begin(), params])],
    ['all but the last byte of the body', Buffer.concat([begin(), stream(TYPE.PARAMS, pairs(environment(
      post(`/v1/rooms/${newRoom('half')}/join`, '{"name":"half"}')))), record(TYPE.STDIN, Buffer.from('{"name":"half"'))])],
    ['a body without its end', whole.subarray(0, whole.length - 8)],
  ];

  /** Do the first `cut` bytes hold whole parameters, the path among them? */
  function whole200(all, cut) {
    let at = 0;
    let path = false;
    while (at < cut) {
      const size = 2 + all[at] + all[at + 1];
      path ||= all.subarray(at, at + size).includes('PATH_INFO') || all.subarray(at, at + size).includes('REQUEST_URI');
      at += size;
    }
    return at === cut && path;
  }

  for (const [name, half] of HALVES) {
    it(`${name}: holds up nobody and is dropped after its deadline`, async () => {
      let connection;
      let proven = false;
      // Others are served while it is still there; on a machine with much to do it may be gone before.
      for (let tries = 0; tries < 3 && !proven; tries += 1) {
        connection = await daemon.connect();
        connection.write(half);
        await othersAreServed(api);
        proven = await stillOpen(1, connection.closed);
      }
      assert.ok(proven, 'others waited until it was dropped');
      // A kept connection may wait for its first byte as long as nginx likes; half a request may not.
      await within(READ_DEADLINE_MS * 2, 'the connection is closed', connection.closed);
      assert.equal(connection.ended, 0, 'it was never handed on');
    });
  }

  it('parameters cut in the middle are not taken for whole', async () => {
    const all = pairs(env);
    for (let cut = 1; cut < all.length; cut += 1) {
      const connection = await daemon.connect();
      const answer = connection.answer().then((a) => a.status, () => 'closed');
      connection.write(Buffer.concat([begin({ keep: false }), stream(TYPE.PARAMS, all.subarray(0, cut)),
        record(TYPE.STDIN)]));
      const got = await within(READ_DEADLINE_MS * 2, 'an answer or the end', answer);
      // Cut between two parameters it is a request that lacks some.
      assert.ok(['closed', 400, 404, 405].includes(got) || whole200(all, cut), `cut at ${cut}: ${got}`);
      connection.close();
    }
  });

  it('hung up in the middle leaves nothing behind', async () => {
    const [pid] = daemon.workers();
    await othersAreServed(api);
    const rooms = [];
    for (let cut = 1; cut < whole.length; cut += 7) {
      const room = newRoom('cut');
      rooms.push(room);
      const connection = await daemon.connect();
      connection.write(FcgiConnection.request(post(`/v1/rooms/${room}/join`, '{"name":"half"}')).subarray(0, cut));
      connection.socket.end();
    }
    await othersAreServed(api);
    for (const room of rooms) expectProblem(await api.get(`/v1/rooms/${room}`), 404, 'room-not-found');
    assert.deepEqual(daemon.workers(), [pid]);
  });

  const LENGTHS = [
    ['more than came', '100', '{}'], ['less than came', '1', '{}'], ['none, with a body', '', '{}'],
    ['no number', 'abc', '{}'], ['negative', '-5', '{}'], ['signed', '+2', '{}'], ['huge', '99999999999999999999', '{}'],
    ['hexadecimal', '0x2', '{}'],
  ];
  for (const [name, length, body] of LENGTHS) {
    it(`a CONTENT_LENGTH that is ${name} makes no room`, async () => {
      const room = newRoom('length');
      const call = post(`/v1/rooms/${room}/join`, body);
      const connection = await daemon.connect();
      const answer = connection.answer();
      answer.catch(() => {});
      connection.write(FcgiConnection.request(call, { env: { ...environment(call), CONTENT_LENGTH: length } }));
      await othersAreServed(api);
      const got = await within(READ_DEADLINE_MS * 2, 'an answer or the end', answer.then((a) => a, () => null));
      if (got) assert.ok([400, 411, 413].includes(got.status), got.text);
      expectProblem(await api.get(`/v1/rooms/${room}`), 404, 'room-not-found');
    });
  }

  const JUNK = [
    ['an HTTP request', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
    ['zeros', Buffer.alloc(4096)], ['0xff', Buffer.alloc(4096, 255)],
    ['another version', record(TYPE.BEGIN, Buffer.alloc(8), { version: 9 })],
    ['an unknown type', record(200, Buffer.from('x'))],
    ['a body first', record(TYPE.STDIN, Buffer.from('{}'))],
    ['a begin too short', record(TYPE.BEGIN, Buffer.from([0, 1]))],
    ['an authorizer', Buffer.concat([begin({ role: 2 }), params, record(TYPE.STDIN)])],
    ['two begins', Buffer.concat([begin(), begin({ id: 2 }), params, record(TYPE.STDIN)])],
    ['an abort', Buffer.concat([begin(), params, record(TYPE.ABORT)])],
    ['a name longer than its record', Buffer.concat([begin(),
      stream(TYPE.PARAMS, Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3])), record(TYPE.STDIN)])],
    ['a value longer than its record', Buffer.concat([begin(),
      stream(TYPE.PARAMS, Buffer.from([4, 0x80, 0x10, 0, 0, 65, 65, 65, 65])), record(TYPE.STDIN)])],
    ['parameters without a method', Buffer.concat([begin(), stream(TYPE.PARAMS, pairs({ X: 'y' })), record(TYPE.STDIN)])],
    ['no parameters', Buffer.concat([begin(), record(TYPE.PARAMS), record(TYPE.STDIN)])],
    ['a NUL in a value', Buffer.concat([begin(), stream(TYPE.PARAMS,
      pairs({ ...env, PATH_INFO: '/v1/health\0x', REQUEST_URI: '/x' })), record(TYPE.STDIN)])],
    ['a question that only web servers ask', record(TYPE.GET_VALUES, pairs({ FCGI_MAX_CONNS: '' }), { id: 0 })],
  ];
  for (const [name, junk] of JUNK) {
    it(`${name} as a request does no harm`, async () => {
      const connection = await daemon.connect();
      connection.write(junk);
      await othersAreServed(api);
      connection.close();
      await othersAreServed(api);
    });
  }

  it('with a megabyte of parameters is refused', async () => {
    const connection = await daemon.connect();
    const call = { ...HEALTH, headers: { 'x-much': 'x'.repeat(1 << 20) } };
    const got = await connection.send(call, { keep: false }).then((a) => a.status, () => 'closed');
    assert.ok(['closed', 400, 413, 431].includes(got), String(got));
    await othersAreServed(api);
  });

  it('with a cut path finds no other path', async () => {
    for (const path of ['/v1/rooms/x\0/join', '/v1/rooms/\0', '/v1/rooms/%', '/v1/rooms/%zz/join', '/v1\0/health']) {
      const connection = await daemon.connect();
      const call = { ...HEALTH, path };
      const got = await connection.send(call, { keep: false }).then((a) => a, () => null);
      if (got) assert.ok([400, 404, 405].includes(got.status), `${JSON.stringify(path)}: ${got.text}`);
    }
    await othersAreServed(api);
  });

  it('sent byte by byte is whole in the end', async () => {
    const connection = await daemon.connect();
    const room = newRoom('slow');
    const bytes = FcgiConnection.request(post(`/v1/rooms/${room}/join`, '{"name":"slow"}'));
    const answer = connection.answer();
    for (let at = 0; at < bytes.length; at += 5) {
      connection.write(bytes.subarray(at, at + 5));
      await new Promise((resolve) => { setImmediate(resolve); });
    }
    expectStatus(await answer, 201);
  });

  it('ten times over on a kept connection is answered in order', async () => {
    const connection = await daemon.connect();
    const on = Daemon.apiOn(connection);
    const [ada, bob] = await roomOf(on, newRoom(), 2);
    for (let i = 0; i < 10; i += 1) await ada.say(i, bob.peer);
    assert.deepEqual(dataOf(await bob.read()), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert.equal(connection.ended, 15);
  });

  it('split into many small records with padding is the same request', async () => {
    const connection = await daemon.connect();
    const call = post(`/v1/rooms/${newRoom('split')}/join`, '{"name":"split"}');
    const parts = [begin()];
    const all = pairs(environment(call));
    for (let at = 0; at < all.length; at += 3) {
      parts.push(record(TYPE.PARAMS, all.subarray(at, at + 3), { padding: at % 8 }));
    }
    parts.push(record(TYPE.PARAMS, undefined, { padding: 5 }));
    for (const byte of call.body) parts.push(record(TYPE.STDIN, Buffer.from([byte]), { padding: 1 }));
    parts.push(record(TYPE.STDIN, undefined, { padding: 255 }));
    const answer = connection.answer();
    connection.write(Buffer.concat(parts));
    expectStatus(await answer, 201);
  });
});

describe('peers that do not go on', () => {
  let daemon;
  let api;
  before(async () => {
    daemon = await Daemon.start({ config: CONFIG });
    api = daemon.api();
  });
  after(() => daemon?.stop());

  it('three hundred half requests at once cost descriptors, and get them back', async () => {
    const [pid] = daemon.workers();
    const least = descriptors(pid);
    const slow = await Promise.all(Array.from({ length: 300 }, () => daemon.connect()));
    for (const connection of slow) connection.write(begin());
    await until('all are accepted', () => descriptors(pid) >= least + 300);
    await othersAreServed(api);
    for (const connection of slow) connection.close();
    await until('their descriptors are back', () => descriptors(pid) <= least + 4);
  });

  it('a peer that never reads its answers holds up nobody', async () => {
    const [ada, bob] = await roomOf(api, newRoom(), 2);
    await ada.say('x'.repeat(59000), bob.peer);
    await ada.say('y'.repeat(59000), bob.peer);
    const readers = await Promise.all(Array.from({ length: 20 }, () => daemon.connect()));
    const ask = post(`/v1/rooms/${bob.room}/exchange`, JSON.stringify({ key: bob.key, after: bob.cursor }));
    for (const connection of readers) connection.socket.pause();
    // One answer fits into the socket, the second one does not.
    for (let i = 0; i < 2; i += 1) {
      for (const connection of readers) connection.write(FcgiConnection.request(ask));
      await othersAreServed(api);
    }
    for (const connection of readers.slice(10)) connection.close();
    await othersAreServed(api);
    for (const connection of readers.slice(0, 10)) connection.socket.resume();
    await until('the slow readers get both', () => readers.slice(0, 10).every((c) => c.ended === 2));
    assert.equal((await bob.read()).length, 2);
  });

  it('a poll whose peer never reads is answered, and the next sender does not wait', async () => {
    const [ada, bob] = await roomOf(api, newRoom(), 2);
    const deaf = await daemon.connect();
    deaf.socket.pause();
    deaf.write(FcgiConnection.request(post(`/v1/rooms/${bob.room}/exchange`,
      JSON.stringify({ key: bob.key, after: bob.cursor, wait_ms: HOLD_MS }))));
    await othersAreServed(api);
    const since = now();
    await ada.say('z'.repeat(65000), bob.peer);
    await ada.say('next', bob.peer);
    assert.ok(now() - since < PROMPT_MS);
    assert.equal((await bob.notes(2)).length, 2);
  });

  it('a peer that closes its sending half still gets its answer', async () => {
    const connection = await daemon.connect();
    const answer = connection.answer();
    connection.socket.end(FcgiConnection.request(HEALTH, { keep: false }));
    const got = await within(READ_DEADLINE_MS, 'an answer or the end', answer.then((a) => a.status, () => 'closed'));
    assert.ok([200, 'closed'].includes(got));
    await othersAreServed(api);
  });
});

describe('a locked room', { concurrency: 3 }, () => {
  /** A room of two in a daemon of its own, where `lock()` locks the room's file. */
  async function withRoom(workers, run) {
    const daemon = await Daemon.start({ workers, config: CONFIG });
    let locked = null;
    try {
      const [ada, bob] = await roomOf(daemon.api(), newRoom(), 2);
      const file = onlyRoomFile(daemon.data);
      await (await lockRoom(file)).release(); // the worker that made it keeps it for a second
      const lock = async () => {
        locked = await lockRoom(file);
        return locked;
      };
      await run({ api: daemon.api(), ada, bob, lock });
    } finally {
      await locked?.release();
      await daemon.stop();
    }
  }

  it('holds up nobody, tells its own callers to come back, and goes on when it is free', async () => withRoom(
    1,
    async ({ api, ada, bob, lock }) => {
      const parked = bob.poll(2000);
      assert.ok(await stillOpen(50, parked));
      const locked = await lock();
      const send = ada.raw({ send: [ada.message('locked out')] });
      const join = api.room(ada.room, 'join', { id: newId() });
      let served = 0;
      let tried = 0;
      for (; served < 5; served += 1) {
        await othersAreServed(api);
        if (await stillOpen(1, send)) tried = served + 1;
      }
      assert.ok(tried > 0, 'still trying');
      for (const answer of [await send, await join]) {
        expectProblem(answer, 503, 'busy');
        assert.ok(answer.ms > 1500 && answer.ms < 10000, `${answer.ms} ms of 2 s`);
      }
      const json = await within(10000, 'the poll ends by its own deadline', parked);
      assert.deepEqual(json.messages, []);
      await locked.release();
      await ada.say('free again', bob.peer);
      assert.deepEqual(dataOf(await bob.notes(1)), ['free again']);
    },
  ));

  it('is waited for while it is short', async () => withRoom(1, async ({ ada, bob, lock }) => {
    const poll = bob.poll(HOLD_MS);
    const locked = await lock();
    const send = ada.say('patience', bob.peer);
    assert.ok(await stillOpen(300, send));
    await locked.release();
    assert.equal(typeof (await send).seq, 'number');
    assert.deepEqual(dataOf((await poll).messages), ['patience']);
  }));

  it('wakes its polls late when it was locked at the ring', async () => withRoom(2, async ({ ada, bob, lock }) => {
    const poll = bob.poll(HOLD_MS);
    assert.ok(await stillOpen(50, poll));
    const sent = ada.say('under a lock', bob.peer);
    const locked = await lock();
    await stillOpen(300, sent);
    await locked.release();
    await sent;
    assert.deepEqual(dataOf((await poll).messages), ['under a lock']);
  }));
});

describe('a slow client through the web server', () => {
  it('is its own affair', async () => {
    const { Stack } = await import('./lib/stack.mjs');
    const net = await import('node:net');
    const stack = await Stack.start({ workers: 1, config: CONFIG });
    try {
      const member = await Member.join(stack.api, newRoom());
      const half = net.connect(stack.port, '127.0.0.1');
      half.on('error', () => {});
      half.write(`POST /api/v1/rooms/${member.room}/exchange HTTP/1.1\r\nHost: x\r\n`
        + 'Content-Type: application/json\r\nContent-Length: 500\r\n\r\n{"key":');
      for (let i = 0; i < 5; i += 1) await othersAreServed(stack.api);
      half.destroy();
      await othersAreServed(stack.api);
      await member.say('still a member');
    } finally {
      await stack.stop();
    }
  });
});

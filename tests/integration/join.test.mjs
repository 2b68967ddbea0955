import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, before, describe } from 'node:test';
import { expectProblem, expectStatus, newId, newRoom } from './lib/api.mjs';
import { onlyRoomFile } from './lib/data.mjs';
import { Daemon } from './lib/daemon.mjs';
import { it } from './lib/it.mjs';
import { Member, dataOf, roomOf } from './lib/member.mjs';
import { Stack } from './lib/stack.mjs';
import { stillOpen, until } from './lib/until.mjs';

const MEMBERS_MAX = 6;

describe('joining and leaving', { concurrency: 16 }, () => {
  let stack;
  let api;
  before(async () => {
    stack = await Stack.start({
      config: { members_max: MEMBERS_MAX, ice_server: ['stun:stun.example:3478', 'stun:two.example'] },
    });
    api = stack.api;
  });
  after(() => stack?.stop());

  it('tells a first member everything it needs', async () => {
    const answer = await api.room(newRoom(), 'join', { id: newId(), name: 'Ada' });
    const { json } = expectStatus(answer, 201);
    assert.match(json.peer, /^[\w-]{1,64}$/);
    assert.match(json.key, /^[\w-]{22,}$/, 'at least 128 bits');
    assert.match(json.cursor, /^[^.]+\.\d+$/, 'epoch.seq');
    assert.deepEqual(json.peers.filter((p) => p.peer !== json.peer), []);
    assert.deepEqual(json.ice_servers.map((s) => s.urls).flat(),
      ['stun:stun.example:3478', 'stun:two.example']);
    assert.equal(json.poll.hold_ms, 2000);
    assert.equal(json.poll.lease_ms, 20000);
    assert.equal(json.poll.url, undefined, 'polls need no entry point of their own here');
    assert.equal(typeof json.limits, 'object');
    assert.ok(Object.values(json.limits).includes(MEMBERS_MAX), JSON.stringify(json.limits));
    assert.ok(Array.isArray(json.features));
  });

  it('shows a newcomer who is there, and those who are there the newcomer', async () => {
    const room = newRoom();
    const ada = await Member.join(api, room, { name: 'Ada', meta: { u: 'YWRh' } });
    const bob = await Member.join(api, room, { name: 'Bob', meta: ['b', 1.50] });
    assert.equal(bob.others.length, 1);
    const [seen] = bob.others;
    assert.equal(seen.peer, ada.peer);
    assert.equal(seen.name, 'Ada');
    assert.deepEqual(seen.meta, { u: 'YWRh' });
    assert.notEqual(seen.joined, undefined);
    const event = await ada.event('peer-joined', bob.peer);
    assert.equal(event.from, null);
    assert.equal(event.data.name, 'Bob');
    assert.deepEqual(event.data.meta, ['b', 1.5]);
    assert.ok(!event.data.resumed);
    assert.deepEqual(await bob.read(), [], 'one is not told of oneself');
  });

  it('carries meta and name byte for byte', async () => {
    const room = newRoom();
    const meta = '{"big":12345678901234567890,"nul":"a\\u0000b" , "dup":1,"dup":2,"e":1E+2}';
    const first = expectStatus(await api.room(room, 'join', `{"meta": ${meta} ,"name":"Z\\u00fc\\ud83d\\ude00"}`), 201);
    const second = expectStatus(await api.room(room, 'join', '{}'), 201);
    assert.ok(second.text.includes(meta), second.text);
    assert.equal(second.json.peers.find((p) => p.peer === first.json.peer).name, 'Zü😀');
  });

  it('takes an empty object and a form with the field json', async () => {
    const room = newRoom();
    expectStatus(await api.room(room, 'join', '{}'), 201);
    const form = `json=${encodeURIComponent('{"name":"a+b & ü","meta":"%41"}').replaceAll('%20', '+')}`;
    for (const type of ['application/x-www-form-urlencoded',
      'application/x-www-form-urlencoded; charset=UTF-8', 'Application/X-WWW-Form-Urlencoded']) {
      const { json } = expectStatus(await api.room(room, 'join', `a=1&${form}&z`,
        { headers: { 'content-type': type }, nonsense: true }), 201);
      const seen = expectStatus(await api.room(room, 'join', '{}'), 201).json.peers
        .find((p) => p.peer === json.peer);
      assert.equal(seen.name, 'a+b & ü');
      assert.equal(seen.meta, '%41');
      expectStatus(await api.room(room, 'leave', { key: json.key }), 204);
    }
  });

  it('takes JSON with a charset and in any case of the type', async () => {
    for (const type of ['application/json; charset=utf-8', 'Application/JSON', 'application/json;x=y']) {
      expectStatus(await api.room(newRoom(), 'join', '{}', { headers: { 'content-type': type } }), 201);
    }
  });

  it('ignores fields that it does not know', async () => {
    expectStatus(await api.room(newRoom(), 'join', { strange: { key: 1 }, peer: 'x', cursor: 5 }, { nonsense: true }), 201);
  });

  it('makes a retried join the same member with a fresh key', async () => {
    const room = newRoom();
    const watcher = await Member.join(api, room);
    const id = newId();
    const first = expectStatus(await api.room(room, 'join', { id, name: 'Ada' }), 201).json;
    const again = expectStatus(await api.room(room, 'join', { id, name: 'Ada' }), 201).json;
    assert.equal(again.peer, first.peer);
    assert.notEqual(again.key, first.key);
    const member = new Member(api, room, again);
    await member.say('with the fresh key');
    const seen = await watcher.notes(1);
    assert.equal(seen[0].from, first.peer);
    const later = await Member.join(api, room);
    assert.equal(later.others.length, 2);
    const events = (await watcher.collect((all) => all.some((m) => m.data.peer === later.peer)))
      .filter((m) => m.type === 'peer-joined');
    assert.deepEqual(events.map((m) => m.data.peer), [later.peer], 'the first was told before, once');
  });

  it('makes twenty retries at once one member, told of once', async () => {
    const room = newRoom();
    const watcher = await Member.join(api, room);
    const id = newId();
    const answers = await Promise.all(Array.from({ length: 20 }, () => api.room(room, 'join', { id })));
    const peers = new Set(answers.map((answer) => expectStatus(answer, 201).json.peer));
    assert.equal(peers.size, 1);
    const last = await Member.join(api, room);
    assert.equal(last.others.length, 2);
    const events = await watcher.collect((all) => all.some((m) => m.data.peer === last.peer));
    assert.deepEqual(events.map((m) => [m.type, m.data.peer]),
      [['peer-joined', [...peers][0]], ['peer-joined', last.peer]]);
  });

  it('keeps members with the same id in other rooms apart', async () => {
    const id = newId();
    const one = await Member.join(api, newRoom(), { id });
    const two = await Member.join(api, newRoom(), { id });
    assert.notEqual(one.peer, two.peer);
    assert.notEqual(one.key, two.key);
  });

  it('refuses one more than fits, and lets in again when one has left', async () => {
    const members = await roomOf(api, newRoom(), MEMBERS_MAX);
    const { room } = members[0];
    expectProblem(await api.room(room, 'join', { id: newId() }), 409, 'room-full');
    await members[2].leave();
    await Member.join(api, room);
    expectProblem(await api.room(room, 'join', { id: newId() }), 409, 'room-full');
  });

  it('lets in exactly as many as fit when thirty come at once', async () => {
    const room = newRoom();
    const answers = await Promise.all(Array.from({ length: 30 },
      () => api.room(room, 'join', { id: newId() })));
    const statuses = answers.map((answer) => answer.status);
    assert.equal(statuses.filter((s) => s === 201).length, MEMBERS_MAX, statuses.join(' '));
    for (const answer of answers) if (answer.status !== 201) expectProblem(answer, 409, 'room-full');
  });

  it('takes a retried join in a full room', async () => {
    const room = newRoom();
    const id = newId();
    await Member.join(api, room, { id });
    for (let i = 1; i < MEMBERS_MAX; i += 1) await Member.join(api, room);
    expectStatus(await api.room(room, 'join', { id }), 201);
  });

  it('replaces a member in one step, also in a full room', async () => {
    const members = await roomOf(api, newRoom(), MEMBERS_MAX);
    const [watcher, old] = members;
    await watcher.read();
    const fresh = await Member.join(api, watcher.room, { replaces: old.key, name: 'again' });
    assert.notEqual(fresh.peer, old.peer);
    assert.equal(fresh.others.length, MEMBERS_MAX - 1);
    assert.ok(!fresh.others.some((p) => p.peer === old.peer));
    const events = await watcher.collect((all) => all.length >= 2);
    assert.deepEqual(events.map((m) => m.type).sort(), ['peer-joined', 'peer-left']);
    const left = events.find((m) => m.type === 'peer-left');
    assert.equal(left.data.peer, old.peer);
    assert.equal(left.data.reason, 'replaced');
    assert.equal(left.data.by, fresh.peer);
    assert.equal(events.find((m) => m.type === 'peer-joined').data.peer, fresh.peer);
    const stale = await old.raw({ after: old.cursor });
    assert.ok([401, 410].includes(stale.status), stale.text);
    expectProblem(await api.room(watcher.room, 'messages',
      { key: watcher.key, send: [watcher.message('x', { to: old.peer })] }), 404, 'peer-not-found');
  });

  it('replaces once when the join is retried', async () => {
    const [watcher, old] = await roomOf(api, newRoom(), 2);
    const id = newId();
    const [one, two] = [
      await Member.join(api, watcher.room, { id, replaces: old.key }),
      await Member.join(api, watcher.room, { id, replaces: old.key }),
    ];
    assert.equal(one.peer, two.peer);
    await two.say('done');
    const all = await watcher.collect((messages) => messages.some((m) => m.data === 'done'));
    assert.deepEqual(all.map((m) => m.type).sort(), ['note', 'peer-joined', 'peer-left']);
  });

  it('lets nobody replace a member with a wrong key', async () => {
    const [ada, bob] = await roomOf(api, newRoom(), 2);
    const [foreign] = await roomOf(api, newRoom(), 1);
    for (const replaces of ['nonsense', bob.peer, foreign.key]) {
      const answer = await api.room(ada.room, 'join', { id: newId(), replaces });
      assert.ok([201, 401].includes(answer.status), answer.text);
    }
    await bob.say('still here');
    const seen = await ada.collect((all) => all.some((m) => m.data === 'still here'));
    assert.ok(!seen.some((m) => m.type === 'peer-left'));
    await foreign.say('here too');
  });

  it('tells of a room without joining it', async () => {
    const room = newRoom();
    expectProblem(await api.get(`/v1/rooms/${room}`), 404, 'room-not-found');
    await roomOf(api, room, 3);
    const { json } = expectStatus(await api.get(`/v1/rooms/${room}`), 200);
    assert.equal(json.room, room);
    assert.equal(json.peers, 3);
    assert.equal(json.locked, false);
  });

  it('tells the others of a leave at once, and only once', async () => {
    const [ada, bob, eve] = await roomOf(api, newRoom(), 3);
    const parked = ada.poll(2000);
    await bob.leave();
    const { messages } = await parked;
    assert.deepEqual(messages.map((m) => [m.type, m.from, m.data.peer, m.data.reason]),
      [['peer-left', null, bob.peer, 'left']]);
    const again = await api.room(ada.room, 'leave', { key: bob.key });
    assert.ok([204, 401, 410].includes(again.status), again.text);
    await eve.say('last');
    const rest = await ada.collect((all) => all.some((m) => m.data === 'last'));
    assert.deepEqual(rest.map((m) => m.type), ['note']);
  });

  it('takes a leave as a beacon: a form, without an answer to read', async () => {
    const [ada, bob] = await roomOf(api, newRoom(), 2);
    const body = `json=${encodeURIComponent(JSON.stringify({ key: bob.key }))}`;
    expectStatus(await api.room(ada.room, 'leave', body,
      { headers: { 'content-type': 'application/x-www-form-urlencoded' } }), 204);
    await ada.event('peer-left', bob.peer);
  });

  it('knows a key of somebody who left no more', async () => {
    const [ada, bob] = await roomOf(api, newRoom(), 2);
    await bob.leave();
    for (const call of [() => bob.raw({ after: bob.cursor }), () => bob.raw({ send: [bob.message(1)] }),
      () => api.room(ada.room, 'messages', { key: bob.key, send: [bob.message(1)] }),
      () => api.get(`/v1/rooms/${ada.room}/messages?after=${bob.cursor}`,
        { headers: { 'x-klatch-key': bob.key } })]) {
      const answer = await call();
      assert.ok([401, 410].includes(answer.status), answer.text);
      expectProblem(answer, answer.status, ['key-invalid', 'session-expired']);
    }
    const back = await Member.join(api, ada.room, { resume: bob.key, after: bob.cursor })
      .then((m) => m.peer, () => null);
    assert.notEqual(back, bob.peer, 'a leave is final');
  });

  it('ends a room with its last member', async () => {
    const [ada, bob] = await roomOf(api, newRoom(), 2);
    await ada.leave();
    expectStatus(await api.get(`/v1/rooms/${ada.room}`), 200);
    await bob.leave();
    await until('the room is gone',
      async () => (await api.get(`/v1/rooms/${ada.room}`)).status === 404, { withinMs: 6000 });
    const fresh = await Member.join(api, ada.room);
    assert.deepEqual(fresh.others, []);
    assert.deepEqual(await fresh.read(), []);
    expectProblem(await ada.raw({ after: ada.cursor }), 410, 'session-expired');
  });

  it('keeps rooms apart whose names differ by case or by one character', async () => {
    const name = newRoom('Tea');
    const a = await Member.join(api, name);
    for (const other of [name.toLowerCase(), `${name}-`, `_${name}`, name.slice(0, -1)]) {
      const b = await Member.join(api, other);
      assert.deepEqual(b.others, [], other);
      await b.say('not for you');
    }
    assert.deepEqual(await a.read(), []);
  });

  it('takes names of 1 and of 64 characters', async () => {
    for (const room of ['_', '-', newRoom('x'.repeat(64)).slice(-64)]) {
      const member = await Member.join(api, room);
      await member.leave();
    }
  });
});

describe('members that take as much as they may', { concurrency: 2 }, () => {
  it('leave room for the next, to the last place, and a gap is told among them', async () => {
    const daemon = await Daemon.start({ config: { members_max: 64 } });
    try {
      const api = daemon.api();
      const room = newRoom('full');
      const meta = (bytes) => 'm'.repeat(bytes - 2);
      let largest = 8192;
      while ((await api.room(newRoom(), 'join', { meta: meta(largest) })).status === 413) largest -= 128;
      const name = '\u0001'.repeat(64);
      const members = [];
      for (let i = 0; i < 64; i += 1) members.push(await Member.join(api, room, { name, meta: meta(largest) }));
      assert.equal(members.at(-1).others.length, 63);
      const [{ cursor }, last] = [members[0], members.at(-1)];
      const { json } = expectStatus(await last.raw({ after: cursor.replace(/.$/, '999') }), 200);
      assert.equal(json.gap, true);
      assert.equal(json.peers.filter((p) => p.peer !== last.peer).length, 63);
    } finally {
      await daemon.stop();
    }
  });

  it('fill no mailbox beyond its bounds by coming and going', async () => {
    const daemon = await Daemon.start({
      config: { mailbox_bytes_max: 262144, mailbox_messages_max: 64, lease_ms: 120000, grace_ms: 0, ttl_ms: 180000 },
    });
    try {
      const api = daemon.api();
      const [silent] = await roomOf(api, newRoom('flood'), 1);
      for (let i = 0; i < 1200; i += 1) {
        const member = await Member.join(api, silent.room, { meta: 'm'.repeat(1000) });
        await member.leave();
      }
      const there = await Member.join(api, silent.room, { name: 'there' });
      const size = fs.statSync(onlyRoomFile(daemon.data)).size;
      assert.ok(size < 4 * 262144, `${size} bytes`);
      // What had to go is told as a gap, with who is there.
      const present = new Set();
      for (let i = 0; !present.has(there.peer); i += 1) {
        assert.ok(i < 20, 'the silent one comes to know who is there');
        const { json } = expectStatus(await silent.raw({ after: silent.cursor }), 200);
        assert.ok((json.messages ?? []).length <= 100);
        if (json.gap) for (const { peer } of json.peers) present.add(peer);
        for (const m of json.messages ?? []) if (m.type === 'peer-joined') present.add(m.data.peer);
        silent.take(json);
      }
      await there.say('still works', silent.peer);
      assert.deepEqual(dataOf(await silent.notes(1)), ['still works']);
    } finally {
      await daemon.stop();
    }
  });
});

describe('joining as it is configured', () => {
  let stack;
  before(async () => {
    stack = await Stack.start({
      workers: 1,
      config: {
        ice_server: null, room_info: 'off', joins_per_minute: 6, poll_url: '/cgi-bin/klatch-poll.fcgi',
      },
    });
  });
  after(() => stack?.stop());

  it('names by default two public STUN servers of different operators', async () => {
    const { ice_servers: servers } = (await Member.join(stack.api, newRoom())).joined;
    const urls = servers.map((s) => s.urls).flat();
    assert.equal(urls.length, 2);
    for (const url of urls) assert.match(url, /^stun:[a-z0-9.-]+(:\d+)?$/);
    const operator = (url) => url.replace(/:\d+$/, '').split('.').slice(-2).join('.');
    assert.notEqual(operator(urls[0]), operator(urls[1]));
  });

  it('says nothing of a room where the configuration forbids it', async () => {
    const member = await Member.join(stack.api, newRoom());
    const there = await stack.api.get(`/v1/rooms/${member.room}`);
    const gone = await stack.api.get(`/v1/rooms/${newRoom()}`);
    expectProblem(there, 403, 'not-permitted');
    expectProblem(gone, 403, 'not-permitted');
  });

  it('names another entry point for polls, and that serves them', async () => {
    const [ada, bob] = await roomOf(stack.api, newRoom(), 2);
    const { url } = bob.joined.poll;
    assert.equal(url, '/cgi-bin/klatch-poll.fcgi');
    const poll = bob.via(stack.entry(url)).poll(2000);
    assert.ok(await stillOpen(50, poll));
    await ada.say('there', bob.peer);
    assert.deepEqual(dataOf((await poll).messages), ['there']);
  });

  it('refuses an address that joins too often, with a time to come back', async () => {
    const answers = [];
    for (let i = 0; i < 8; i += 1) answers.push(await stack.api.room(newRoom(), 'join', { id: newId() }));
    assert.ok(answers.some((a) => a.status === 201), 'the first are let in');
    expectProblem(answers.at(-1), 429, 'rate-limited');
    expectStatus(await stack.api.get('/v1/health'), 200);
  });
});

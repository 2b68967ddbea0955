// What the site's owner asks for with the admin key: rooms, the feed of events, figures.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe } from 'node:test';
import { expectProblem, expectStatus, newId, newRoom } from './lib/api.mjs';
import { CgiBin } from './lib/cgi.mjs';
import { Daemon } from './lib/daemon.mjs';
import { it } from './lib/it.mjs';
import { Member, roomOf } from './lib/member.mjs';
import { ADMIN_KEY, Owner, checkFeed, readPrometheus, shortly } from './lib/owner.mjs';
import { ROOT, newRunDir } from './lib/run-dir.mjs';
import { Stack } from './lib/stack.mjs';
import { stillOpen, until } from './lib/until.mjs';

const CONFIG = { admin_key: ADMIN_KEY, events: 'on' };

describe('the admin key', { concurrency: 1 }, () => {
  let stack;
  before(async () => { stack = await Stack.start({ config: { admin_key: ADMIN_KEY }, workers: 1 }); });
  after(() => stack?.stop());

  it('is asked for by every call: without it 401, with a wrong one 403, and none of them acts', async () => {
    const [ada] = await roomOf(stack.api, newRoom(), 1);
    const calls = [['GET', 'rooms'], ['GET', `rooms/${ada.room}`], ['POST', `rooms/${ada.room}/open`],
      ['POST', `rooms/${ada.room}/close`], ['POST', `rooms/${ada.room}/kick`, { peer: ada.peer }], ['GET', 'events'], ['GET', 'metrics']];
    for (const [method, where, given = {}] of calls) {
      const body = method === 'POST' ? given : undefined;
      expectProblem(await stack.api.call(method, `/v1/admin/${where}`, { body }), 401, 'key-invalid');
      const headers = { authorization: 'Bearer nonsense' };
      const wrong = await stack.api.call(method, `/v1/admin/${where}`, { body, headers });
      expectProblem(wrong, 403, 'not-permitted');
      assert.match(wrong.json.detail, /admin_key/);
    }
    expectStatus(await ada.raw({}), 200);
  });

  it('passes as Authorization: Bearer and as X-Klatch-Key, and not in the address', async () => {
    expectStatus(await new Owner(stack.api).get('rooms'), 200);
    expectStatus(await stack.api.get('/v1/admin/rooms', { headers: { 'x-klatch-key': ADMIN_KEY } }), 200);
    expectProblem(await stack.api.get(`/v1/admin/rooms?key=${ADMIN_KEY}`, { nonsense: true }), 401, 'key-invalid');
  });

  it('goes before the one in the data folder, which is not looked at then', async () => {
    const kept = fs.readFileSync(path.join(stack.data, 'admin-key.txt'), 'utf8').trim();
    expectProblem(await new Owner(stack.api, kept).get('rooms'), 403, 'not-permitted');
  });

  it('may not be guessed all day, and the right one passes meanwhile', async () => {
    await until('a wrong key is refused for a while', async () => {
      const answer = await new Owner(stack.api, newId()).get('rooms');
      if (answer.status === 429) expectProblem(answer, 429, 'rate-limited');
      return answer.status === 429;
    });
    expectStatus(await new Owner(stack.api).get('rooms'), 200);
    assert.ok(!stack.logTail().includes(ADMIN_KEY), 'the key is in no log');
  });
});

describe('the list of rooms', { concurrency: 4 }, () => {
  let daemon;
  before(async () => { daemon = await Daemon.start({ workers: 2, config: { admin_key: ADMIN_KEY, hold_ms: 4000 } }); });
  after(() => daemon?.stop());

  it('names who is in each room, in whichever worker', async () => {
    const apis = (await daemon.connectEach()).map((connection) => Daemon.apiOn(connection));
    const ada = await Member.join(apis[0], newRoom(), { name: 'Ada <b>' });
    const bob = await Member.join(apis[1], newRoom());
    for (const api of apis) {
      const owner = new Owner(api);
      const rooms = await owner.rooms();
      const people = (room) => rooms.find((r) => r.room === room)?.people.map((p) => [p.peer, p.name, p.state]);
      assert.deepEqual(people(ada.room), [[ada.peer, 'Ada <b>', 'present']]);
      assert.deepEqual(people(bob.room), [[bob.peer, undefined, 'present']]);
      const { json } = expectStatus(await owner.get(`rooms/${ada.room}`), 200);
      assert.ok(Math.abs(json.opened_ms - Date.now()) < 60000, `${json.opened_ms}`);
      assert.equal(json.stays, false);
    }
  });

  it('tells of a sealed room ids alone, and nothing of what is said there', async () => {
    const secret = newId();
    const [ada, bob] = await roomOf(daemon.api(), newRoom(), 2, { meta: { s: secret } });
    await ada.say(secret, bob.peer);
    const { text, json } = await new Owner(daemon.api()).get(`rooms/${ada.room}`);
    assert.deepEqual(json.people.map((p) => Object.keys(p)), Array(2).fill(['peer', 'role', 'state']));
    assert.ok(!text.includes(secret));
  });

  it('comes in pages, each room once, however many there are', async () => {
    const rooms = [];
    for (let i = 0; i < 60; i += 1) rooms.push((await roomOf(daemon.api(), newRoom('page'), 1))[0].room);
    const owner = new Owner(daemon.api());
    const first = expectStatus(await owner.get('rooms'), 200).json;
    assert.equal(first.more, true);
    const seen = (await owner.rooms()).map((r) => r.room).filter((room) => room.startsWith('page-'));
    assert.deepEqual(seen, rooms.sort());
  });

  it('refuses a cursor that is none, and a room that is none is 404', async () => {
    const owner = new Owner(daemon.api());
    for (const cursor of ['a%20b', '', '%00', 'x'.repeat(65), '%ff']) {
      expectProblem(await owner.get(`rooms?after=${cursor}`), 400, 'bad-cursor');
    }
    expectProblem(await owner.get(`rooms/${newRoom()}`), 404, 'room-not-found');
    expectProblem(await owner.get('rooms/a%20b'), 400, 'invalid-request');
    expectProblem(await owner.post(`rooms/${newRoom()}/close`), 404, 'room-not-found');
  });
});

describe('a room', { concurrency: 4 }, () => {
  let daemon;
  before(async () => {
    daemon = await Daemon.start({ workers: 2, config: { admin_key: ADMIN_KEY, hold_ms: 4000, grace_ms: 3000 } });
  });
  after(() => daemon?.stop());

  it('that the owner closes is over for all: held polls, sends and who comes back', async () => {
    const apis = (await daemon.connectEach()).map((connection) => Daemon.apiOn(connection));
    const ada = await Member.join(apis[0], newRoom());
    const bob = await Member.join(apis[1], ada.room);
    await ada.read();
    const poll = ada.raw({ after: ada.cursor, wait_ms: 4000, turn: 9 });
    assert.ok(await stillOpen(50, poll));
    const owner = new Owner(daemon.api());
    expectStatus(await owner.post(`rooms/${ada.room}/close`), 200);
    expectProblem(await poll, 410, 'room-closed');
    expectProblem(await bob.raw({ send: [bob.message('x')] }), 410, 'room-closed');
    const back = await apis[0].room(ada.room, 'join', { id: newId(), resume: ada.key });
    expectProblem(back, 410, 'room-closed');
    expectProblem(await owner.get(`rooms/${ada.room}`), 404, 'room-not-found');
    expectStatus(await owner.post(`rooms/${ada.room}/close`), 200);
  });

  it('that was closed may be made anew at once by who joins it', async () => {
    const [ada] = await roomOf(daemon.api(), newRoom(), 1);
    await new Owner(daemon.api()).post(`rooms/${ada.room}/close`);
    const bob = await Member.join(daemon.api(), ada.room);
    assert.deepEqual(bob.others, []);
    expectProblem(await ada.raw({}), 401, 'key-invalid');
  });

  it('that was closed leaves no file when its grace is over', async () => {
    const [ada] = await roomOf(daemon.api(), newRoom(), 1);
    const file = path.join(daemon.data, 'rooms', `${ada.room}.db`);
    await new Owner(daemon.api()).post(`rooms/${ada.room}/close`);
    await until('the file goes', () => !fs.existsSync(file), { withinMs: 30000, everyMs: 200 });
  });

  it('that the owner has opened stays when everybody has left, until it is closed', async () => {
    const owner = new Owner(daemon.api());
    const room = newRoom();
    assert.deepEqual(expectStatus(await owner.post(`rooms/${room}/open`), 200).json, { room, open: true });
    expectStatus(await owner.post(`rooms/${room}/open`), 200);
    const ada = await Member.join(daemon.api(), room);
    await ada.leave();
    const file = path.join(daemon.data, 'rooms', `${room}.db`);
    await until('who left is forgotten', async () => {
      const { json } = expectStatus(await owner.get(`rooms/${room}`), 200);
      return json.stays && json.people.length === 0;
    }, { withinMs: 20000 });
    assert.ok(fs.existsSync(file));
    expectStatus(await daemon.api().get(`/v1/rooms/${room}`), 200);
    expectStatus(await owner.post(`rooms/${room}/close`), 200);
    expectProblem(await owner.get(`rooms/${room}`), 404, 'room-not-found');
  });
});

describe('a member that the owner removes', { concurrency: 4 }, () => {
  let daemon;
  before(async () => { daemon = await Daemon.start({ workers: 2, config: { ...CONFIG, hold_ms: 4000, grace_ms: 3000 } }); });
  after(() => daemon?.stop());

  it('hears it at its held poll, the others are told, and it is no host that saves it', async () => {
    const apis = (await daemon.connectEach()).map((connection) => Daemon.apiOn(connection));
    const ada = await Member.join(apis[0], newRoom());
    const bob = await Member.join(apis[1], ada.room);
    assert.equal(ada.joined.role, 'host');
    await ada.read();
    const poll = ada.raw({ after: ada.cursor, wait_ms: 4000, turn: 9 });
    assert.ok(await stillOpen(50, poll));
    const owner = new Owner(daemon.api());
    const done = expectStatus(await owner.post(`rooms/${ada.room}/kick`, { peer: ada.peer }), 200);
    assert.deepEqual(done.json, { room: ada.room, peer: ada.peer, ban: false });
    expectProblem(await poll, 410, 'kicked');
    const told = await bob.event('peer-left', ada.peer);
    assert.equal(told.data.reason, 'kicked');
    expectStatus(await owner.post(`rooms/${ada.room}/kick`, { peer: ada.peer }), 200);
    const events = await owner.follow('it is in the feed', (all) => all.some((e) => e.peer === ada.peer && e.reason === 'kicked'));
    checkFeed(events.filter((e) => e.room === ada.room));
    const again = await Member.join(apis[0], ada.room);
    assert.equal(again.others.length, 1, 'without a ban it may come back');
  });

  it('and bans does not come back, as long as the room exists', async () => {
    const api = daemon.api();
    const [ada, bob] = await roomOf(api, newRoom(), 2);
    const owner = new Owner(api);
    expectStatus(await owner.post(`rooms/${ada.room}/kick`, { peer: bob.peer, ban: true }), 200);
    expectProblem(await api.room(ada.room, 'join', { id: newId() }), 403, 'banned');
  });

  it('must be one: nobody, no room, no peer', async () => {
    const api = daemon.api();
    const [ada] = await roomOf(api, newRoom(), 1);
    const owner = new Owner(api);
    const nobody = '01234567-89ab-4def-8123-456789abcdef';
    expectProblem(await owner.post(`rooms/${ada.room}/kick`, { peer: nobody }), 404, 'peer-not-found');
    expectProblem(await owner.post(`rooms/${newRoom()}/kick`, { peer: nobody }), 404, 'room-not-found');
    for (const body of [{}, { peer: '' }, { peer: 7 }, { peer: ada.peer, ban: 'yes' }, { peer: 'x'.repeat(65) }]) {
      expectProblem(await owner.post(`rooms/${ada.room}/kick`, body), 400, 'invalid-request');
    }
    expectStatus(await ada.raw({}), 200);
  });
});

describe('where rooms are opened by the owner', () => {
  let daemon;
  before(async () => {
    daemon = await Daemon.start({ config: { admin_key: ADMIN_KEY, rooms_open_by: 'admin' } });
  });
  after(() => daemon?.stop());

  it('nobody else makes one, and an opened one is joined as any other', async () => {
    const room = newRoom();
    for (const body of [{}, { resume: newId() }]) {
      expectProblem(await daemon.api().room(room, 'join', { id: newId(), ...body }), 404, 'room-not-found');
    }
    assert.ok(!fs.existsSync(path.join(daemon.data, 'rooms', `${room}.db`)));
    expectStatus(await new Owner(daemon.api()).post(`rooms/${room}/open`), 200);
    const [ada, bob] = await roomOf(daemon.api(), room, 2);
    await ada.say('hello', bob.peer);
    assert.equal((await bob.notes(1)).length, 1);
  });
});

describe('the feed', { concurrency: 4 }, () => {
  it('tells who came and went in each room in order, with the reason', async () => {
    const stack = await Stack.start({ config: { ...CONFIG, grace_ms: 500 } });
    try {
      const owner = new Owner(stack.api);
      const [ada, bob] = await roomOf(stack.api, newRoom(), 2);
      const again = await Member.join(stack.api, ada.room, { replaces: bob.key });
      await again.leave();
      await ada.leave();
      const events = await owner.follow('the room is closed', (all) => all.at(-1)?.type === 'room-closed',
        { withinMs: 20000 });
      assert.deepEqual(events.map(shortly), ['opened', `joined ${ada.peer}`, `joined ${bob.peer}`,
        `left ${bob.peer} replaced`, `joined ${again.peer}`, `left ${again.peer} left`,
        `left ${ada.peer} left`, 'closed']);
      checkFeed(events);
      assert.ok(events.every((e) => e.room === ada.room && Math.abs(e.time_ms - Date.now()) < 60000));
      assert.deepEqual((await owner.pull()).events, [], 'each is told once to who says what it has');
      assert.equal((await new Owner(stack.api).pull()).events.length, 8, 'and all to who asks from the beginning');
      const from = expectStatus(await owner.get(`events?after=${events[2].id}`), 200).json;
      assert.deepEqual(from.events.map((e) => e.order), [4, 5, 6, 7, 8], 'an id is a cursor');
    } finally {
      await stack.stop();
    }
  });

  it('tells of a member that lapses, and comes back', async () => {
    const daemon = await Daemon.start({ workers: 2, config: { ...CONFIG, hold_ms: 0, lease_ms: 10000, grace_ms: 20000, ttl_ms: 30000 } });
    try {
      const owner = new Owner(daemon.api());
      const ada = await Member.join(daemon.api(), newRoom());
      await ada.leave({ soon: true });
      await owner.follow('the lapse', (all) => all.some((e) => e.reason === 'lapsed'), { withinMs: 20000 });
      await ada.resume();
      const events = await owner.follow('the return', (all) => all.length === 4);
      assert.deepEqual(events.map((e) => e.type), ['room-opened', 'peer-joined', 'peer-left', 'peer-joined']);
      checkFeed(events);
    } finally {
      await daemon.stop();
    }
  });

  it('tells of a room that the owner opens and closes, and of who was in it', async () => {
    const daemon = await Daemon.start({ config: CONFIG });
    try {
      const owner = new Owner(daemon.api());
      const room = newRoom();
      await owner.post(`rooms/${room}/open`);
      const ada = await Member.join(daemon.api(), room);
      await owner.post(`rooms/${room}/close`);
      const events = await owner.follow('the end', (all) => all.length >= 4);
      assert.deepEqual(events.map(shortly), ['opened', `joined ${ada.peer}`, `left ${ada.peer} closed`, 'closed']);
      checkFeed(events);
      await Member.join(daemon.api(), room);
      await owner.follow('the same name is another room', (all) => all.length === 6);
      checkFeed(owner.events);
    } finally {
      await daemon.stop();
    }
  });

  it('refuses what is no cursor, and tells who comes from another feed that something may be missing', async () => {
    const daemon = await Daemon.start({ config: CONFIG });
    try {
      const owner = new Owner(daemon.api());
      await roomOf(daemon.api(), newRoom(), 3);
      await owner.follow('all', (all) => all.length === 4);
      for (const cursor of ['x', '1', '', `${owner.next}0x`, '0123456789abcdef.-1', '%00', '%zz']) {
        expectProblem(await owner.get(`events?after=${cursor}`), 400, 'bad-cursor');
      }
      const [epoch, id] = owner.next.split('.');
      for (const cursor of [`${'0'.repeat(16)}.1`, `${epoch}.${Number(id) + 1}`]) {
        const { json } = expectStatus(await owner.get(`events?after=${cursor}`), 200);
        assert.equal(json.gap, true, cursor);
        assert.equal(json.events.length, 4);
      }
      assert.equal((await owner.pull()).gap, undefined);
    } finally {
      await daemon.stop();
    }
  });

  it('that was switched on later begins with who is there, and goes when it is switched off', async () => {
    const daemon = await Daemon.start({ config: { ...CONFIG, events: 'off' } });
    const file = path.join(daemon.data, 'events.db');
    try {
      const owner = new Owner(daemon.api());
      const [ada, bob] = await roomOf(daemon.api(), newRoom(), 2);
      expectProblem(await owner.get('events'), 404, 'not-found');
      assert.ok(!fs.existsSync(file));
      daemon.workersMayChange = true;
      daemon.configure(CONFIG);
      daemon.child.kill('SIGHUP');
      await until('it is on', async () => (await owner.get('events')).status === 200);
      await bob.leave();
      const events = await owner.follow('who left', (all) => all.length === 4);
      assert.deepEqual(events.map(shortly), ['opened', `joined ${ada.peer}`, `joined ${bob.peer}`, `left ${bob.peer} left`]);
      daemon.configure({ ...CONFIG, events: 'off' });
      daemon.child.kill('SIGHUP');
      await until('the file goes', () => !fs.existsSync(file), { withinMs: 30000, everyMs: 100 });
    } finally {
      await daemon.stop();
    }
  });
});

describe('the feed loses and doubles nothing', { concurrency: 4 }, () => {
  function fault(point) {
    const dir = newRunDir();
    const file = path.join(dir, 'armed');
    return {
      env: { KLATCH_FAULT: `${point}:${file}` },
      arm: () => fs.writeFileSync(file, ''),
      fired: () => !fs.existsSync(file),
      remove: () => fs.rmSync(dir, { recursive: true }),
    };
  }

  for (const point of ['join-committed', 'events-put', 'leave-committed', 'events-moved']) {
    it(`where a worker is killed at ${point}`, async () => {
      const { env, arm, fired, remove } = fault(point);
      const daemon = await Daemon.start({ workers: 2, config: { ...CONFIG, grace_ms: 500 }, env });
      daemon.workersMayChange = true;
      try {
        const [one, two] = (await daemon.connectEach()).map((connection) => Daemon.apiOn(connection));
        const ada = await Member.join(two, newRoom());
        const bob = await Member.join(two, ada.room);
        arm();
        if (point === 'leave-committed') await assert.rejects(bob.via(one).leave());
        else await assert.rejects(one.room(ada.room, 'join', { id: newId(), replaces: bob.key }));
        assert.ok(fired());
        const owner = new Owner(daemon.api());
        const enough = point === 'leave-committed' ? 4 : 5;
        await owner.follow('all events', (all) => all.length >= enough, { withinMs: 20000 });
        await ada.leave();
        await owner.follow('the end', (all) => all.some((e) => e.reason === 'left' && e.peer === ada.peer));
        checkFeed(owner.events);
        assert.equal(owner.events.length, enough + 1, JSON.stringify(owner.events.map(shortly)));
      } finally {
        await daemon.stop();
        remove();
      }
    });
  }

  it('where the owner closes a room and the worker is killed at close-committed', async () => {
    const { env, arm, fired, remove } = fault('close-committed');
    const daemon = await Daemon.start({ workers: 2, config: { ...CONFIG, grace_ms: 1000 }, env });
    daemon.workersMayChange = true;
    try {
      const owner = new Owner(daemon.api());
      const [ada] = await roomOf(daemon.api(), newRoom(), 1);
      arm();
      await assert.rejects(owner.post(`rooms/${ada.room}/close`));
      assert.ok(fired());
      await owner.follow('the end', (all) => all.at(-1)?.type === 'room-closed', { withinMs: 20000 });
      assert.deepEqual(owner.events.map((e) => e.type), ['room-opened', 'peer-joined', 'peer-left', 'room-closed']);
      checkFeed(owner.events);
    } finally {
      await daemon.stop();
      remove();
    }
  });

  it('where workers are killed all the time while people come and go', async () => {
    const daemon = await Daemon.start({ workers: 2, config: { ...CONFIG, grace_ms: 500 } });
    daemon.workersMayChange = true;
    const owner = new Owner(daemon.api());
    const stop = new AbortController();
    const stays = []; // peers whose join was answered
    const retried = async (call) => until('an answer', () => call().catch(() => false), { withinMs: 20000 });
    const come = async () => {
      const rooms = [newRoom(), newRoom()];
      for (let i = 0; i < 12; i += 1) {
        const body = { id: newId() };
        const room = rooms[i % 2];
        const joined = await retried(() => daemon.api().room(room, 'join', body));
        expectStatus(joined, 201);
        stays.push(joined.json.peer);
        const left = await retried(() => daemon.api().room(room, 'leave', { key: joined.json.key }));
        assert.ok([204, 404, 410].includes(left.status), left.text);
      }
    };
    const kill = (async () => {
      while (!stop.signal.aborted) {
        const [pid] = daemon.workers();
        if (pid !== undefined) process.kill(pid, 'SIGKILL');
        await stillOpen(120, new Promise(() => {}));
      }
    })();
    try {
      await Promise.all([come(), come(), come()]);
    } finally {
      stop.abort();
      await kill;
    }
    try {
      await owner.follow('every room is closed', (all) => {
        const open = new Map();
        for (const e of all) open.set(e.room, e.type === 'room-closed');
        return open.size === 6 && [...open.values()].every(Boolean);
      }, { withinMs: 40000 });
      checkFeed(owner.events);
      const joined = new Set(owner.events.filter((e) => e.type === 'peer-joined').map((e) => e.peer));
      for (const peer of stays) assert.ok(joined.has(peer), peer);
    } finally {
      await daemon.stop();
    }
  });

  it('through plain CGI', async () => {
    const host = new CgiBin({ config: { ...CONFIG, grace_ms: 0 } });
    try {
      const api = host.api();
      const owner = new Owner(api);
      const ada = await Member.join(api, newRoom());
      const bob = await Member.join(api, ada.room);
      await bob.leave();
      await ada.leave();
      const events = await owner.follow('the end', (all) => all.at(-1)?.type === 'room-closed');
      assert.deepEqual(events.map(shortly), ['opened', `joined ${ada.peer}`, `joined ${bob.peer}`,
        `left ${bob.peer} left`, `left ${ada.peer} left`, 'closed']);
      checkFeed(events);
    } finally {
      host.stop();
    }
  });

  it('where the feed is locked for a while: what came is told after', async () => {
    const daemon = await Daemon.start({ workers: 2, config: CONFIG });
    try {
      const owner = new Owner(daemon.api());
      await roomOf(daemon.api(), newRoom(), 1);
      await owner.follow('the first', (all) => all.length === 2);
      const { lockRoom } = await import('./lib/data.mjs');
      const lock = await lockRoom(path.join(daemon.data, 'events.db'));
      const [ada] = await roomOf(daemon.api(), newRoom(), 2);
      await lock.release();
      const events = await owner.follow('the others', (all) => all.length === 5, { withinMs: 20000 });
      assert.deepEqual(events.slice(2).map((e) => [e.room, e.order]), [1, 2, 3].map((n) => [ada.room, n]));
    } finally {
      await daemon.stop();
    }
  });
});

describe('the figures', { concurrency: 4 }, () => {
  let stack;
  before(async () => { stack = await Stack.start({ config: { admin_key: ADMIN_KEY, hold_ms: 4000 } }); });
  after(() => stack?.stop());

  it('are text that Prometheus reads, each with a type and a word of help', async () => {
    const { text } = await new Owner(stack.api).get('metrics');
    const families = readPrometheus(text);
    for (const family of families) {
      assert.match(family.name, /^klatch_[a-z_]+$/);
      assert.ok(['gauge', 'counter'].includes(family.type), family.name);
      assert.match(family.help, /\.$/);
      for (const [name] of family.samples) {
        assert.equal(name, family.type === 'counter' ? `${family.name}_total` : family.name);
      }
    }
    const names = families.map((family) => family.name);
    assert.equal(new Set(names).size, names.length);
    for (const name of ['klatch_rooms', 'klatch_people', 'klatch_polls_held', 'klatch_polls_budget',
      'klatch_requests', 'klatch_errors', 'klatch_messages_sent', 'klatch_disk_free_bytes']) {
      assert.ok(names.includes(name), name);
    }
    const page = fs.readFileSync(path.join(ROOT, 'deploy/ADMIN.md'), 'utf8');
    const table = page.split('\n').filter((line) => line.startsWith('| `klatch_')).join();
    const told = families.map(({ name, type }) => (type === 'counter' ? `${name}_total` : name)).sort();
    const errors = families.find(({ name }) => name === 'klatch_errors').samples.map(([, labels]) => labels.code);
    const explained = [...fs.readFileSync(path.join(ROOT, 'deploy/API.md'), 'utf8').matchAll(/^\| `([a-z-]+)` \| \d{3} \|/gm)];
    assert.deepEqual(errors.sort(), [...explained.map((match) => match[1]), 'other'].sort(), 'each code is counted by itself');
    assert.deepEqual([...table.matchAll(/`(klatch_[a-z_]+)`/g)].map((match) => match[1]).sort(), told, 'deploy/ADMIN.md has each');
  });

  it('count people, rooms, messages, calls and errors of all workers', async () => {
    const daemon = await Daemon.start({ workers: 2, config: { admin_key: ADMIN_KEY, hold_ms: 4000 } });
    try {
      const apis = (await daemon.connectEach()).map((connection) => Daemon.apiOn(connection));
      const owner = new Owner(apis[0]);
      const ada = await Member.join(apis[0], newRoom());
      const bob = await Member.join(apis[1], ada.room);
      const eve = await Member.join(apis[1], newRoom());
      for (const member of [ada, bob]) await member.say('x'.repeat(98));
      await ada.raw({ key: 'nonsense' });
      assert.equal(await owner.figure('klatch_people'), 3);
      assert.equal(await owner.figure('klatch_rooms'), 2);
      assert.equal(await owner.figure('klatch_messages_sent_total'), 2);
      assert.equal(await owner.figure('klatch_message_bytes_total'), 200);
      assert.equal(await owner.figure('klatch_errors_total', { code: 'key-invalid' }), 1);
      const joins = { call: 'POST /v1/rooms/{room}/join', status: '2xx' };
      assert.equal(await owner.figure('klatch_requests_total', joins), 3);
      await eve.leave();
      assert.equal(await owner.figure('klatch_people'), 2);
    } finally {
      await daemon.stop();
    }
  });

  it('know how many polls are held, also after who held them was killed, and forget no count', async () => {
    const daemon = await Daemon.start({ workers: 2, config: { admin_key: ADMIN_KEY, hold_ms: 4000 } });
    try {
      const [one, two] = (await daemon.connectEach()).map((connection) => Daemon.apiOn(connection));
      const [ada, bob] = await roomOf(two, newRoom(), 2);
      const owner = new Owner(daemon.api());
      await ada.via(one).say('counted');
      await bob.read();
      const poll = bob.via(one).poll(4000).then(() => 'answered', () => 'lost');
      await until('one is held', async () => await owner.figure('klatch_polls_held') === 1);
      const sent = await owner.figure('klatch_messages_sent_total');
      await daemon.killWorker(daemon.workers()[0]);
      assert.equal(await poll, 'lost');
      await until('none is held', async () => await owner.figure('klatch_polls_held') === 0);
      assert.equal(await owner.figure('klatch_messages_sent_total'), sent);
      await until('two processes serve', async () => await owner.figure('klatch_processes') === 2);
    } finally {
      await daemon.stop();
    }
  });

  it('are those of all processes through plain CGI too', async () => {
    const host = new CgiBin({ config: { admin_key: ADMIN_KEY, hold_ms: 20000, lease_ms: 60000, ttl_ms: 90000 } });
    try {
      const api = host.api();
      const [ada, bob] = await roomOf(api, newRoom(), 2);
      await ada.say('one');
      const owner = new Owner(api);
      assert.equal(await owner.figure('klatch_people'), 2);
      assert.equal(await owner.figure('klatch_messages_sent_total'), 1);
      assert.equal(await owner.figure('klatch_polls_budget'), 8);
      const poll = ada.poll(20000);
      await until('one is held', async () => await owner.figure('klatch_polls_held') === 1);
      await bob.say('enough', ada.peer);
      await poll;
    } finally {
      host.stop();
    }
  });
});

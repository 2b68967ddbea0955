// What the site's owner asks for with the admin key: rooms and figures. events.test.mjs is about the feed.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe } from 'node:test';
import { expectProblem, expectStatus, newId, newRoom } from './lib/api.mjs';
import { CgiBin } from './lib/cgi.mjs';
import { Daemon } from './lib/daemon.mjs';
import { it } from './lib/it.mjs';
import { Member, roomOf } from './lib/member.mjs';
import { ADMIN_KEY, Owner, checkFeed, readPrometheus } from './lib/owner.mjs';
import { ROOT } from './lib/run-dir.mjs';
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

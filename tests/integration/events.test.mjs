// The feed of who came and went: in order, nothing lost and nothing twice, whoever is killed.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe } from 'node:test';
import { expectProblem, expectStatus, newId, newRoom } from './lib/api.mjs';
import { CgiBin } from './lib/cgi.mjs';
import { Daemon } from './lib/daemon.mjs';
import { lockRoom } from './lib/data.mjs';
import { it } from './lib/it.mjs';
import { Member, roomOf } from './lib/member.mjs';
import { ADMIN_KEY, Owner, checkFeed, shortly } from './lib/owner.mjs';
import { newRunDir } from './lib/run-dir.mjs';
import { Stack } from './lib/stack.mjs';
import { stillOpen, until } from './lib/until.mjs';

const CONFIG = { admin_key: ADMIN_KEY, events: 'on' };

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
        // The room may have been closed by now.
        const people = owner.events.filter((e) => e.type !== 'room-closed');
        assert.equal(people.length, enough + 1, JSON.stringify(owner.events.map(shortly)));
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

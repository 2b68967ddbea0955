// Processes killed at the worst moments: nothing lost, nothing doubled, nobody else harmed.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { expectStatus, newId, newRoom } from './lib/api.mjs';
import { Daemon } from './lib/daemon.mjs';
import { it } from './lib/it.mjs';
import { Member, dataOf, notesOf, roomOf } from './lib/member.mjs';
import { newRunDir } from './lib/run-dir.mjs';
import { Stack } from './lib/stack.mjs';
import { RUNG_MS, now, stillOpen } from './lib/until.mjs';

const CONFIG = { hold_ms: 3000 };
const LONG = { hold_ms: 20000, lease_ms: 60000, ttl_ms: 90000 };
const LOST = /closed|ECONNRESET|EPIPE/;

/** A file that arms one point of the binary, in the process that reaches it first. */
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

/** Two workers with a kept connection into each, and one point armed by `arm()`. */
async function withFault(point, run, config = CONFIG) {
  const { env, arm, fired, remove } = fault(point);
  const daemon = await Daemon.start({ workers: 2, config, env });
  daemon.workersMayChange = true;
  try {
    const [one, two] = (await daemon.connectEach()).map((connection) => Daemon.apiOn(connection));
    await run({ daemon, one, two, arm, fired });
  } finally {
    await daemon.stop();
    remove();
  }
}

describe('a worker killed', { concurrency: 8 }, () => {
  for (const point of ['send-committed', 'send-rung']) {
    it(`at ${point}: the retry through another, after the receiver has acknowledged, is one message`,
      async () => withFault(point, async ({ daemon, one, two, arm, fired }) => {
        const ada = await Member.join(one, newRoom());
        const bob = await Member.join(two, ada.room);
        await ada.read();
        const message = ada.message('once', { to: bob.peer });
        arm();
        await assert.rejects(ada.send(message), LOST, 'the answer was lost');
        assert.ok(fired());
        assert.deepEqual(dataOf(await bob.notes(1)), ['once'], 'committed');
        await bob.read();
        await bob.say('acknowledged', ada.peer);
        const [sent] = await ada.via(two).send(message);
        assert.equal(typeof sent.seq, 'number');
        assert.deepEqual(await ada.via(daemon.api()).send(message), [sent]);
        await ada.via(two).say('end', bob.peer);
        assert.deepEqual(dataOf(await bob.notes(1)), ['end']);
      }));
  }

  it('between commit and ring: the retry rings, so that who waits need not wait for a re-check',
    async () => withFault('send-committed', async ({ daemon, one, two, arm, fired }) => {
      const ada = await Member.join(one, newRoom());
      const bob = await Member.join(two, ada.room);
      await ada.read();
      const poll = bob.poll(20000);
      assert.ok(await stillOpen(50, poll));
      const message = ada.message('rung late', { to: bob.peer });
      arm();
      await assert.rejects(ada.send(message), LOST);
      assert.ok(fired());
      assert.ok(await stillOpen(150, poll), 'the ring was lost with its process');
      const since = now();
      await ada.via(daemon.api()).send(message);
      assert.deepEqual(dataOf((await poll).messages), ['rung late']);
      assert.ok(now() - since < RUNG_MS, `${now() - since} ms`);
    }, LONG));

  it('at join-committed: the retried join is one member, told of once',
    async () => withFault('join-committed', async ({ daemon, one, two, arm, fired }) => {
      const ada = await Member.join(two, newRoom());
      const id = newId();
      arm();
      await assert.rejects(one.room(ada.room, 'join', { id, name: 'Bob' }), LOST);
      assert.ok(fired());
      const bob = await Member.join(daemon.api(), ada.room, { id, name: 'Bob' });
      assert.deepEqual(bob.others.map((p) => p.peer), [ada.peer]);
      await bob.say('here');
      const seen = await ada.collect((all) => notesOf(all).length > 0);
      assert.deepEqual(seen.map((m) => m.type), ['peer-joined', 'note']);
      assert.equal(seen[0].data.peer, bob.peer);
      assert.equal(seen[1].from, bob.peer);
    }));

  it('at join-committed of a reload: the retry replaces once',
    async () => withFault('join-committed', async ({ daemon, one, two, arm, fired }) => {
      const ada = await Member.join(two, newRoom());
      const old = await Member.join(two, ada.room);
      const id = newId();
      arm();
      await assert.rejects(one.room(ada.room, 'join', { id, replaces: old.key }), LOST);
      assert.ok(fired());
      const fresh = await Member.join(daemon.api(), ada.room, { id, replaces: old.key });
      assert.deepEqual(fresh.others.map((p) => p.peer), [ada.peer]);
      await fresh.say('here');
      const seen = await ada.collect((all) => notesOf(all).length > 0);
      assert.deepEqual(seen.map((m) => m.type).sort(), ['note', 'peer-joined', 'peer-joined', 'peer-left']);
    }));

  it('at leave-committed: the retried leave is well, and told of once',
    async () => withFault('leave-committed', async ({ daemon, one, two, arm, fired }) => {
      const ada = await Member.join(two, newRoom());
      const bob = await Member.join(one, ada.room);
      await ada.read();
      arm();
      await assert.rejects(bob.leave(), LOST);
      assert.ok(fired());
      await bob.via(daemon.api()).leave();
      const eve = await Member.join(daemon.api(), ada.room);
      await eve.say('end');
      const seen = await ada.collect((all) => notesOf(all).length > 0);
      assert.deepEqual(seen.map((m) => m.type), ['peer-left', 'peer-joined', 'note']);
    }));

  it('between send and poll loses nothing', async () => withFault('none', async ({ daemon, one, two }) => {
    const ada = await Member.join(one, newRoom());
    const bob = await Member.join(two, ada.room);
    await ada.say('before', bob.peer);
    await daemon.killWorker(daemon.workers()[0]);
    assert.deepEqual(dataOf(await bob.notes(1)), ['before']);
  }));

  it('with a poll parked in it: the next poll gets what came meanwhile',
    async () => withFault('none', async ({ daemon, one, two }) => {
      const ada = await Member.join(one, newRoom());
      const bob = await Member.join(two, ada.room);
      const poll = bob.poll(20000);
      poll.catch(() => {});
      assert.ok(await stillOpen(50, poll));
      await daemon.killWorker(daemon.workers()[1]);
      await assert.rejects(poll, LOST);
      await ada.say('meanwhile', bob.peer);
      const again = bob.via(daemon.api());
      assert.deepEqual(dataOf(await again.notes(1)), ['meanwhile']);
      assert.deepEqual((await ada.poll(200)).messages.filter((m) => m.type === 'peer-left'), []);
    }, LONG));
});

describe('behind nginx a killed worker', { concurrency: 8 }, () => {
  for (const point of ['send-committed', 'send-rung', 'join-committed', 'leave-committed']) {
    it(`costs nobody a request: ${point}`, async () => {
      const { env, arm, fired, remove } = fault(point);
      const stack = await Stack.start({ config: CONFIG, env });
      stack.workersMayChange = true;
      try {
        const [ada, bob] = await roomOf(stack.api, newRoom(), 2);
        const poll = bob.collect((all) => all.some((m) => m.data === 'end'));
        arm();
        await ada.say('once');
        const eve = await Member.join(stack.api, ada.room);
        await eve.leave();
        assert.ok(fired());
        await ada.say('end');
        assert.deepEqual((await poll).map((m) => [m.type, m.data.peer ?? m.data]), [
          ['note', 'once'], ['peer-joined', eve.peer], ['peer-left', eve.peer], ['note', 'end']]);
      } finally {
        await stack.stop();
        remove();
      }
    });
  }
});

describe('workers killed every 400 ms under load', () => {
  const LOAD_MS = 8000;
  const LOAD_MS_MAX = 60000;
  const PAIRS = 10;
  const KILLS = 15;
  const REQUESTS = 500;

  it('cost not one failed request, not one message, and double none', async () => {
    const stack = await Stack.start({ config: CONFIG });
    const { api } = stack;
    let kills = 0;
    let requests = 0;
    try {
      const counted = new api.constructor((call) => {
        requests += 1;
        return api.send(call);
      });
      const pairs = await Promise.all(Array.from({ length: PAIRS }, () => roomOf(counted, newRoom(), 2)));
      const since = now();
      // A machine with much to do takes longer for as much.
      const enough = () => kills >= KILLS && requests > REQUESTS;
      const under = () => now() - since < LOAD_MS || (!enough() && now() - since < LOAD_MS_MAX);

      const talk = async (from, to) => {
        let count = 0;
        while (under()) {
          const answer = await from.raw({ send: [from.message([from.peer, count], { to: to.peer })] });
          if (answer.status === 507) continue;
          expectStatus(answer, 200);
          count += 1;
        }
        return count;
      };
      const listen = async (member, done) => {
        const got = [];
        while (under() || got.length < (await Promise.race([done, Infinity]))) {
          assert.ok(now() - since < LOAD_MS_MAX + 10000, `${got.length} of ${await done} came`);
          got.push(...notesOf((await member.poll(150)).messages));
        }
        return got;
      };
      const visit = async () => {
        const room = newRoom('visit');
        while (under()) {
          const id = newId();
          const { json } = expectStatus(await counted.room(room, 'join', { id }), 201);
          expectStatus(await counted.room(room, 'exchange', { key: json.key, after: json.cursor }), 200);
          expectStatus(await counted.room(room, 'leave', { key: json.key }), 204);
        }
      };
      const kill = async () => {
        while (under()) {
          await pause(400);
          const pids = stack.workers();
          if (pids.length === 0) continue;
          stack.killWorker(pids[kills % pids.length]);
          kills += 1;
        }
      };

      const works = [kill(), visit(), visit()];
      for (const [ada, bob] of pairs) {
        const counts = [talk(ada, bob), talk(bob, ada)];
        works.push(...[[ada, bob, counts[1]], [bob, ada, counts[0]]].map(async ([to, from, count]) => {
          const got = await listen(to, count);
          const expected = Array.from({ length: await count }, (_, i) => [from.peer, i]);
          assert.deepEqual(got.map((m) => m.data), expected);
        }));
      }
      await Promise.all(works);
      assert.ok(enough(), `${kills} kills, ${requests} requests`);
    } finally {
      await stack.stop();
    }
  });
});

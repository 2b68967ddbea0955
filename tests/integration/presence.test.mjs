import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import { expectProblem, newId, newRoom } from './lib/api.mjs';
import { it } from './lib/it.mjs';
import { Member, dataOf, notesOf, roomOf } from './lib/member.mjs';
import { Stack } from './lib/stack.mjs';
import { now, stillOpen } from './lib/until.mjs';

const LEASE_MS = 12000;
const GRACE_MS = 4000;
const SLACK_MS = 2500;
/** Where nothing else would come soon after. */
const MORE_SLACK_MS = 8000;
// Leases are written at most every third of their length, so one may end that much early.
const LEASE_LEAST_MS = (LEASE_MS * 2) / 3 - 200;

describe('presence', { concurrency: 32 }, () => {
  let stack;
  let api;
  before(async () => {
    stack = await Stack.start({
      config: {
        hold_ms: 1000, lease_ms: LEASE_MS, grace_ms: GRACE_MS, ttl_ms: 20000, members_max: 6,
      },
    });
    api = stack.api;
  });
  after(() => stack?.stop());

  /** Poll on, as a client does, until the promise settles. */
  async function keepPolling(member, promise) {
    const done = new AbortController();
    promise.then(() => done.abort(), () => done.abort());
    const messages = [];
    while (!done.signal.aborted) messages.push(...(await member.poll(1000)).messages);
    return messages;
  }

  /** Resuming with a key that is no longer good gives nobody's place: the join is a new one's. */
  async function notHonoured(other, gone) {
    const late = await Member.join(api, gone.room, { resume: gone.key, after: gone.cursor });
    assert.notEqual(late.peer, gone.peer);
    assert.ok(!late.joined.resumed);
    assert.ok(late.others.some((p) => p.peer === other.peer));
    await late.leave();
  }

  const lapse = (watcher, member) => watcher.event('peer-left', member.peer, { withinMs: 30000 });

  it('lapses with the lease, and says so once to each', async () => {
    const [silent, ...watchers] = await roomOf(api, newRoom(), 5);
    const since = now();
    const events = await Promise.all(watchers.map(async (watcher) => {
      const event = await lapse(watcher, silent);
      return { event, ms: now() - since };
    }));
    for (const { event, ms } of events) {
      assert.equal(event.from, null);
      assert.equal(event.data.reason, 'lapsed');
      assert.equal(event.seq, events[0].event.seq, 'one event');
      assert.ok(ms > LEASE_LEAST_MS && ms < LEASE_MS + MORE_SLACK_MS, `${ms} ms`);
    }
    const rest = await Promise.all(watchers.map((watcher) => watcher.poll(1000)));
    for (const json of rest) assert.deepEqual(json.messages, []);
    const late = await Member.join(api, silent.room);
    assert.equal(late.others.length, 4);
  });

  it('wakes a parked poll when a lease ends, before the hold is over', async () => {
    // Here a hold is longer than any lease has left, so only the lease's end can answer.
    const own = await Stack.start({
      workers: 1, config: { hold_ms: 20000, lease_ms: 50000, grace_ms: 1000, ttl_ms: 71000 },
    });
    try {
      const [ada, bob] = await roomOf(own.api, newRoom(), 2);
      await bob.leave({ soon: true });
      const { messages, ms } = await own.api.room(ada.room, 'exchange',
        { key: ada.key, after: ada.cursor, wait_ms: 20000 }).then((a) => ({ ...a.json, ms: a.ms }));
      assert.deepEqual(messages.map((m) => [m.type, m.data.peer]), [['peer-left', bob.peer]]);
      assert.ok(ms > 3500 && ms < 5000 + MORE_SLACK_MS, `${ms} ms after a leave with soon, of a hold of 20 s`);
    } finally {
      await own.stop();
    }
  });

  it('tells a poll of a lease that was near its end when it was parked', async () => {
    const own = await Stack.start({
      workers: 1, config: { hold_ms: 4000, lease_ms: 18000, grace_ms: 1000, ttl_ms: 23000 },
    });
    try {
      const ada = await Member.join(own.api, newRoom());
      const silent = await Member.join(own.api, ada.room);
      const since = now();
      await ada.event('peer-joined', silent.peer);
      let seen = [];
      let parked = now();
      while (seen.length === 0) {
        parked = now();
        seen = (await ada.poll(4000)).messages;
      }
      assert.equal(seen[0].data.peer, silent.peer);
      assert.ok(now() - since > 17500, `${now() - since} ms`);
      assert.ok(now() - parked < 3900, `${now() - parked} ms of a hold of 4 s`);
    } finally {
      await own.stop();
    }
  });

  it('keeps a member that calls anything', async () => {
    const [ada, ...others] = await roomOf(api, newRoom(), 4);
    const [byPoll, bySend, byGet] = others;
    const since = now();
    while (now() - since < LEASE_MS + SLACK_MS) {
      const seen = await ada.poll(1000);
      assert.deepEqual(seen.messages.filter((m) => m.type === 'peer-left'), []);
      await Promise.all([byPoll.poll(1), bySend.raw({}),
        api.get(`/v1/rooms/${ada.room}/messages?after=${byGet.cursor}`, { headers: { 'x-klatch-key': byGet.key } })]);
    }
  });

  it('announces nothing of a member that resumes in time', async () => {
    const [ada, bob] = await roomOf(api, newRoom(), 2, { name: 'N', meta: [1] });
    await ada.say('while away', bob.peer);
    const back = await bob.resume();
    assert.equal(back.peer, bob.peer);
    assert.notEqual(back.key, bob.key);
    assert.deepEqual(back.others.map((p) => p.peer), [ada.peer]);
    assert.deepEqual(dataOf(await back.notes(1)), ['while away']);
    await back.say('back');
    const seen = await ada.collect((all) => notesOf(all).length > 0);
    assert.deepEqual(seen.map((m) => m.type), ['note']);
  });

  it('gives a resumed member its former cursor, from which nothing is lost', async () => {
    const [ada, bob] = await roomOf(api, newRoom(), 2);
    await ada.send(ada.message(1), ada.message(2, { to: bob.peer }));
    await bob.raw({ after: bob.cursor });
    const back = await bob.resume();
    assert.equal(back.cursor, bob.cursor);
    assert.deepEqual(dataOf(await back.read()), [1, 2]);
  });

  it('keeps the former key for resume alone until the new one is used', async () => {
    const [ada, bob] = await roomOf(api, newRoom(), 2);
    const lost = await bob.resume();
    expectProblem(await bob.raw({ after: bob.cursor }), 410, 'session-expired');
    expectProblem(await bob.raw({ send: [bob.message('no')] }), 410, 'session-expired');
    expectProblem(await api.room(ada.room, 'leave', { key: bob.key }), 410, 'session-expired');
    const again = await bob.resume();
    assert.equal(again.peer, lost.peer);
    assert.notEqual(again.key, lost.key);
    await again.say('with the newest key');
    const seen = await ada.collect((all) => notesOf(all).length > 0);
    assert.deepEqual(seen.map((m) => [m.type, m.data]), [['note', 'with the newest key']]);
    await notHonoured(again, bob);
    await again.say('not disturbed');
  });

  it('brings a lapsed member back in its grace, and says resumed', async () => {
    const [ada, bob, eve] = await roomOf(api, newRoom(), 3);
    const watching = keepPolling(eve, lapse(ada, bob));
    await watching;
    await ada.say('in the grace', bob.peer);
    const back = await bob.resume();
    assert.equal(back.peer, bob.peer);
    const event = await ada.event('peer-joined', bob.peer);
    assert.equal(event.data.resumed, true);
    assert.ok(dataOf(await back.notes(1)).includes('in the grace'));
    await eve.event('peer-joined', bob.peer);
  });

  it('takes mail for a lapsed member until its grace is over, then no more', async () => {
    const [ada, bob] = await roomOf(api, newRoom(), 2);
    await lapse(ada, bob);
    const since = now();
    const answers = [];
    do {
      await ada.poll(300);
      answers.push(await ada.raw({ send: [ada.message('x', { to: bob.peer })] }));
    } while (answers.at(-1).status === 200 && now() - since < GRACE_MS + MORE_SLACK_MS);
    assert.ok(answers.length > 1, 'taken at first');
    expectProblem(answers.at(-1), 404, 'peer-not-found');
    assert.ok(now() - since > GRACE_MS - SLACK_MS);
    const gone = await bob.raw({ after: bob.cursor });
    expectProblem(gone, gone.status === 401 ? 401 : 410, ['key-invalid', 'session-expired']);
    await notHonoured(ada, bob);
  });

  it('does not count a resuming member against the limit', async () => {
    const members = await roomOf(api, newRoom(), 6);
    const [bob, ...others] = members;
    await Promise.all(others.map((member) => lapse(member, bob)));
    others.push(await Member.join(api, bob.room));
    expectProblem(await api.room(bob.room, 'join', { id: newId() }), 409, 'room-full');
    const back = await bob.resume();
    assert.equal(back.others.length, 6);
  });

  it('shortens the lease to 5 s by a leave with soon', async () => {
    const [ada, bob] = await roomOf(api, newRoom(), 2);
    const since = now();
    await bob.leave({ soon: true });
    const event = await lapse(ada, bob);
    const ms = now() - since;
    assert.ok(ms > 4000 && ms < 5000 + SLACK_MS, `${ms} ms`);
    assert.ok(['left', 'lapsed'].includes(event.data.reason), event.data.reason);
  });

  it('forgets a leave with soon when the tab was only reloaded', async () => {
    const [ada, bob, eve] = await roomOf(api, newRoom(), 3);
    await bob.leave({ soon: true });
    await eve.leave({ soon: true });
    const back = await bob.resume();
    const replaced = await Member.join(api, ada.room, { replaces: eve.key });
    const seen = [];
    const since = now();
    while (now() - since < 5000 + SLACK_MS) {
      seen.push(...(await ada.poll(1000)).messages);
      await Promise.all([back.raw({}), replaced.raw({})]);
    }
    assert.deepEqual(seen.map((m) => [m.type, m.data.peer, m.data.reason]).sort(), [
      ['peer-joined', replaced.peer, undefined], ['peer-left', eve.peer, 'replaced']].sort());
  });

  it('tells of a lapse of two at the same time once each', async () => {
    const [ada, bob, eve] = await roomOf(api, newRoom(), 3);
    await Promise.all([bob.leave({ soon: true }), eve.leave({ soon: true })]);
    const gone = new Set();
    const seen = await ada.collect((all) => {
      for (const m of all) if (m.type === 'peer-left') gone.add(m.data.peer);
      return gone.size === 2;
    });
    assert.equal(seen.length, 2);
    assert.deepEqual((await ada.poll(1000)).messages, []);
  });

  it('deletes a room when the grace of its last member is over', async () => {
    const [ada, bob] = await roomOf(api, newRoom(), 2);
    await bob.leave();
    await ada.leave({ soon: true });
    const since = now();
    let status;
    do {
      status = (await api.get(`/v1/rooms/${ada.room}`)).status;
      await stillOpen(250, new Promise(() => {}));
    } while (status === 200 && now() - since < 5000 + GRACE_MS + 12000);
    assert.equal(status, 404);
    assert.ok(now() - since > 4000, `${now() - since} ms`);
    const gone = await ada.raw({ after: ada.cursor });
    expectProblem(gone, gone.status === 410 ? 410 : 404, ['session-expired', 'room-not-found']);
  });
});

describe('a hang-up', { concurrency: 8 }, () => {
  let stack;
  let api;
  before(async () => {
    stack = await Stack.start({
      config: { hold_ms: 10000, lease_ms: 45000, grace_ms: 1000, ttl_ms: 60000 },
    });
    api = stack.api;
  });
  after(() => stack?.stop());

  const hangUp = async (member, waited = 200) => {
    const signal = new AbortController();
    const poll = member.poll(10000, { signal: signal.signal });
    poll.catch(() => {});
    assert.ok(await stillOpen(waited, poll));
    signal.abort();
    await assert.rejects(poll);
  };

  it('at a parked poll shortens the lease to 10 s', async () => {
    const [ada, bob] = await roomOf(api, newRoom(), 2);
    const since = now();
    await hangUp(bob);
    const event = await ada.event('peer-left', bob.peer, { withinMs: 30000 });
    const ms = now() - since;
    assert.equal(event.data.reason, 'lapsed');
    assert.ok(ms > 8500 && ms < 10000 + MORE_SLACK_MS, `${ms} ms, where a lease has 45 s`);
  });

  it('is forgotten when the next poll comes', async () => {
    const [ada, bob] = await roomOf(api, newRoom(), 2);
    await hangUp(bob);
    const since = now();
    while (now() - since < 10000 + SLACK_MS) {
      const [seen] = await Promise.all([ada.poll(2000), bob.poll(2000)]);
      assert.deepEqual(seen.messages, []);
    }
  });

  it('of an older poll says nothing of the newer one, though both come at once', async () => {
    const rooms = await Promise.all(Array.from({ length: 40 }, () => roomOf(api, newRoom(), 2)));
    await Promise.all(rooms.map(async ([ada, bob]) => {
      const signal = new AbortController();
      const old = bob.raw({ after: bob.cursor, wait_ms: 10000, turn: 1 }, { signal: signal.signal });
      old.catch(() => {});
      assert.ok(await stillOpen(100, old));
      bob.turn = 1;
      const next = bob.poll(10000);
      signal.abort();
      const since = now();
      while (now() - since < 10000 + SLACK_MS) assert.deepEqual((await ada.poll(2000)).messages, []);
      assert.deepEqual((await next).messages, []);
    }));
  });
});

import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import { expectProblem, expectStatus, newRoom } from './lib/api.mjs';
import { Daemon } from './lib/daemon.mjs';
import { it } from './lib/it.mjs';
import { Member, dataOf, notesOf, roomOf } from './lib/member.mjs';
import { Stack } from './lib/stack.mjs';
import { now, stillOpen } from './lib/until.mjs';

const MAILBOX_MESSAGES_MAX = 400;
const QUARTER = MAILBOX_MESSAGES_MAX / 4;
const HOLD_MS = 20000;

describe('exchanging messages', { concurrency: 16 }, () => {
  let stack;
  let api;
  before(async () => {
    stack = await Stack.start({
      config: {
        hold_ms: HOLD_MS, lease_ms: 60000, ttl_ms: 90000, mailbox_messages_max: MAILBOX_MESSAGES_MAX, mailbox_bytes_max: 1048576,
      },
    });
    api = stack.api;
  });
  after(() => stack?.stop());

  const readPath = (m, query) => `/v1/rooms/${m.room}/messages${query}`;

  it('brings a message to its addressee and to nobody else', async () => {
    const [ada, bob, eve] = await roomOf(api, newRoom(), 3);
    const earliest = Date.now() - 1000;
    const sent = await ada.say({ sdp: 'v=0' }, bob.peer);
    const [message] = await bob.notes(1);
    assert.deepEqual({ ...message, sent_ms: 0 },
      { seq: sent.seq, from: ada.peer, to: bob.peer, type: 'note', data: { sdp: 'v=0' }, sent_ms: 0 });
    assert.ok(message.sent_ms >= earliest && message.sent_ms <= Date.now() + 1000, 'wall time');
    assert.deepEqual(await eve.read(), []);
    assert.deepEqual(await ada.read(), []);
  });

  it('brings a message without an addressee to everybody else', async () => {
    const [ada, bob, eve] = await roomOf(api, newRoom(), 3);
    await ada.say('all');
    for (const member of [bob, eve]) {
      const [message] = await member.notes(1);
      assert.equal(message.data, 'all');
      assert.ok(message.to === undefined || message.to === null);
    }
    assert.deepEqual(await ada.read(), [], 'one\'s own messages do not come back');
  });

  it('only sends where no cursor is given', async () => {
    const [ada, bob] = await roomOf(api, newRoom(), 2);
    await bob.say('waiting');
    const { json } = expectStatus(await ada.raw({ send: [ada.message('x')] }), 200);
    assert.equal(json.sent.length, 1);
    assert.deepEqual(json.messages ?? [], []);
    assert.deepEqual(dataOf(await ada.read()), ['waiting']);
  });

  it('acknowledges, sends and waits in one request', async () => {
    const [ada, bob] = await roomOf(api, newRoom(), 2);
    const started = now();
    const both = ada.exchange({ send: [ada.message('ping', { to: bob.peer })], wait_ms: HOLD_MS });
    const [ping] = await bob.notes(1);
    await bob.say(`re: ${ping.data}`, ada.peer);
    const json = await both;
    assert.deepEqual(dataOf(json.messages), ['re: ping']);
    assert.equal(json.sent[0].seq, ping.seq);
    assert.ok(now() - started < HOLD_MS, 'woken, not expired');
  });

  it('counts up one seq for the room, in the order of sending', async () => {
    const [ada, bob, eve] = await roomOf(api, newRoom(), 3);
    const batch = Array.from({ length: 20 }, (_, i) => ada.message(i));
    const sent = await ada.send(...batch);
    assert.deepEqual(sent.map((s) => s.id), batch.map((m) => m.id));
    await eve.say('after');
    const seen = await bob.notes(21);
    assert.deepEqual(dataOf(seen).slice(0, 20), batch.map((m) => m.data));
    assert.deepEqual(seen.slice(0, 20).map((m) => m.seq), sent.map((s) => s.seq));
    for (let i = 1; i < seen.length; i += 1) assert.ok(seen[i].seq > seen[i - 1].seq);
  });

  it('wakes a poll by a send in either way', async () => {
    const [ada, bob] = await roomOf(api, newRoom(), 2);
    for (const way of [() => ada.say('a', bob.peer), () => ada.exchange({ send: [ada.message('b')] })]) {
      const poll = bob.poll(HOLD_MS);
      assert.ok(await stillOpen(100, poll), 'held while there is nothing');
      const started = now();
      await way();
      assert.equal(dataOf((await poll).messages).length, 1);
      assert.ok(now() - started < HOLD_MS / 2, 'woken, not expired');
    }
  });

  it('reads with GET, the key in a header', async () => {
    const [ada, bob] = await roomOf(api, newRoom(), 2);
    for (const headers of [{ 'X-Klatch-Key': bob.key }, { Authorization: `Bearer ${bob.key}` }]) {
      const poll = api.get(readPath(bob, `?after=${bob.cursor}&wait_ms=${HOLD_MS}&turn=${bob.turn += 1}`), { headers });
      await ada.say('for you', bob.peer);
      const { json } = expectStatus(await poll, 200);
      assert.deepEqual(dataOf(json.messages), ['for you']);
      bob.take(json);
    }
  });

  it('sends with the key in a header', async () => {
    const [ada, bob] = await roomOf(api, newRoom(), 2);
    expectStatus(await api.room(ada.room, 'messages', { send: [ada.message('h')] },
      { headers: { 'X-Klatch-Key': ada.key } }), 200);
    assert.deepEqual(dataOf(await bob.notes(1)), ['h']);
  });

  it('takes no key from the URL', async () => {
    const [ada] = await roomOf(api, newRoom(), 1);
    expectProblem(await api.get(readPath(ada, `?after=${ada.cursor}&key=${ada.key}`), { nonsense: true }), 401, 'key-invalid');
    expectProblem(await api.room(ada.room, `exchange?key=${ada.key}`, { after: ada.cursor }, { nonsense: true }), 401, 'key-invalid');
  });

  it('holds a poll for its wait and no longer than the hold', async () => {
    const daemon = await Daemon.start({ config: { hold_ms: 2000 } });
    try {
      const [ada, bob, eve] = await roomOf(daemon.api(), newRoom(), 3);
      const ends = [];
      const wait = async (member, ms) => {
        const answer = expectStatus(await member.raw({ after: member.cursor, wait_ms: ms }), 200);
        ends.push(ms);
        assert.deepEqual(answer.json.messages, []);
        assert.ok(!answer.json.more);
        assert.equal(typeof answer.json.next, 'string');
        return answer.ms;
      };
      const [short, long] = await Promise.all([wait(ada, 400), wait(bob, 1e9), wait(eve, 0)]);
      assert.deepEqual(ends, [0, 400, 1e9]);
      assert.ok(short >= 300, `${short} ms of 400`);
      assert.ok(long >= 1600 && long < 20000, `${long} ms of a hold`);
    } finally {
      await daemon.stop();
    }
  });

  it('gives at most 100 messages at once and says that there are more', async () => {
    const [ada, bob, eve] = await roomOf(api, newRoom(), 3);
    const notes = (m, n) => Array.from({ length: n }, (_, i) => m.message(`${m.peer}${i}`, { to: bob.peer }));
    await ada.send(...notes(ada, 75));
    await eve.send(...notes(eve, 75));
    const first = await bob.exchange();
    assert.equal(first.messages.length, 100);
    assert.equal(first.more, true);
    const second = await bob.exchange({ wait_ms: HOLD_MS });
    assert.equal(second.messages.length, 50);
    assert.ok(!second.more);
    const seqs = [...first.messages, ...second.messages].map((m) => m.seq);
    assert.equal(new Set(seqs).size, 150);
    assert.deepEqual(seqs, [...seqs].sort((a, b) => a - b));
  });

  it('splits answers that would be over 128 kB, and loses nothing', async () => {
    const [ada, bob] = await roomOf(api, newRoom(), 2);
    const big = ['x', 'y', 'z'].map((c) => c.repeat(60000));
    for (const text of big) await ada.say(text, bob.peer);
    const got = [];
    for (let i = 0; got.length < 3; i += 1) {
      assert.ok(i < 4, `${got.length} after ${i} answers`);
      const json = await bob.exchange();
      got.push(...dataOf(json.messages));
      assert.equal(json.more ?? false, got.length < 3);
    }
    assert.deepEqual(got, big);
  });

  it('carries a message of 65,536 bytes, and refuses one more byte', async () => {
    const [ada, bob] = await roomOf(api, newRoom(), 2);
    const most = `"${'m'.repeat(65534)}"`;
    const body = (data) => `{"key":"${ada.key}","send":[{"id":"${ada.nextId()}","type":"big","data":${data}}]}`;
    expectStatus(await api.room(ada.room, 'messages', body(most)), 200);
    expectProblem(await api.room(ada.room, 'messages', body(`"${'m'.repeat(65535)}"`)), 413, 'message-too-large');
    const seen = await bob.notes(1);
    assert.equal(seen[0].data.length, 65534);
    assert.deepEqual(await bob.read(), []);
  });

  it('carries messages that JSON makes longer, up to the limit', async () => {
    const [ada, bob] = await roomOf(api, newRoom(), 2);
    const data = `"${'\\u0001'.repeat(10922)}"`;
    for (let i = 0; i < 3; i += 1) {
      expectStatus(await api.room(ada.room, 'messages',
        `{"key":"${ada.key}","send":[{"id":"${ada.nextId()}","type":"esc","data":${data}}]}`), 200);
    }
    const seen = await bob.notes(3);
    for (const message of seen) assert.equal(message.data, '\u0001'.repeat(10922));
  });

  it('sends all or nothing', async () => {
    const [ada, bob] = await roomOf(api, newRoom(), 2);
    const wrong = [
      [404, 'peer-not-found', { id: 'w1', type: 'note', data: 1, to: 'nobody' }],
      [400, 'invalid-request', { id: 'w2', type: 'peer-joined', data: 1 }],
      [400, 'invalid-request', { id: 'w3', type: 'note' }],
      [413, 'message-too-large', { id: 'w4', type: 'note', data: 'x'.repeat(65536) }],
    ];
    for (const [status, code, bad] of wrong) {
      const batch = [ada.message('before'), bad, ada.message('behind')];
      expectProblem(await ada.raw({ send: batch }), status, code);
    }
    await ada.say('end');
    assert.deepEqual(dataOf(await bob.notes(1)), ['end']);
  });

  it('makes a retry one message', async () => {
    const [ada, bob, eve] = await roomOf(api, newRoom(), 3);
    const message = ada.message('once');
    const [first] = await ada.send(message);
    assert.deepEqual(await ada.send(message), [first]);
    assert.deepEqual(dataOf(await bob.notes(1)), ['once']);
    assert.deepEqual(await bob.read(), [], 'acknowledged');
    assert.deepEqual(await eve.read().then(dataOf), ['once']);
    assert.deepEqual(await eve.read(), [], 'acknowledged by all');
    const again = await ada.exchange({ send: [message, ada.message('new'), message] });
    assert.deepEqual(again.sent.map((s) => s.seq === first.seq), [true, false, true]);
    assert.deepEqual(dataOf(await bob.notes(1)), ['new']);
    assert.deepEqual(await bob.read(), []);
    const twice = ada.message('twice in one request');
    const [one, two] = await ada.send(twice, twice);
    assert.deepEqual(one, two);
    assert.deepEqual(dataOf(await bob.notes(1)), ['twice in one request']);
    assert.deepEqual(await bob.read(), []);
  });

  it('keeps the same id of two senders apart', async () => {
    const [ada, bob, eve] = await roomOf(api, newRoom(), 3);
    const message = { id: 'same', type: 'note', data: 1 };
    const [a] = await ada.send(message);
    const [b] = await bob.send(message);
    assert.notEqual(a.seq, b.seq);
    assert.equal((await eve.notes(2)).length, 2);
  });

  it('takes twenty sends of the same id at once as one', async () => {
    const [ada, bob] = await roomOf(api, newRoom(), 2);
    const message = ada.message('race');
    const sent = await Promise.all(Array.from({ length: 20 }, () => ada.send(message)));
    assert.equal(new Set(sent.map(([s]) => s.seq)).size, 1);
    await ada.say('end');
    assert.deepEqual(dataOf(await bob.notes(2)), ['race', 'end']);
  });

  it('knows ids for long after their messages went', async () => {
    const [ada, bob] = await roomOf(api, newRoom(), 2);
    const first = ada.message(0);
    const [sent] = await ada.send(first);
    const batch = QUARTER / 2;
    for (let round = 0; round < 18; round += 1) {
      await ada.send(...Array.from({ length: batch }, (_, i) => ada.message([round, i], { to: bob.peer })));
      await bob.notes(batch + (round === 0 ? 1 : 0));
      await bob.read();
    }
    assert.deepEqual(await ada.send(first), [sent], '900 ids later');
    assert.deepEqual(await bob.read(), []);
  });

  it('lets a sender fill a quarter of the mailbox, then refuses and drops nothing', async () => {
    const [ada, bob, eve] = await roomOf(api, newRoom(), 3);
    const batch = (n) => Array.from({ length: n }, () => ada.message('fill', { to: bob.peer }));
    await ada.send(...batch(QUARTER - 10));
    expectProblem(await ada.raw({ send: batch(11) }), 507, 'mailbox-full');
    await ada.send(...batch(10));
    expectProblem(await ada.raw({ send: batch(1) }), 507, 'mailbox-full');
    await eve.say('others still can', bob.peer);
    assert.equal((await bob.notes(QUARTER + 1)).length, QUARTER + 1);
    await bob.read();
    await ada.send(...batch(QUARTER));
    assert.equal((await bob.notes(QUARTER)).length, QUARTER);
  });

  it('counts bytes as well', async () => {
    const [ada, bob] = await roomOf(api, newRoom(), 2);
    const big = 'x'.repeat(60000);
    for (let i = 0; i < 4; i += 1) await ada.say(big, bob.peer);
    expectProblem(await ada.raw({ send: [ada.message(big, { to: bob.peer })] }), 507, 'mailbox-full');
    assert.equal((await bob.notes(4)).length, 4);
  });

  it('applies an acknowledgement even when the send with it fails', async () => {
    const [ada, bob] = await roomOf(api, newRoom(), 2);
    const batch = (n) => Array.from({ length: n }, () => ada.message('fill', { to: bob.peer }));
    await ada.send(...batch(QUARTER));
    expectProblem(await ada.raw({ send: batch(1) }), 507, 'mailbox-full');
    const seen = await bob.exchange();
    assert.equal(seen.messages.length, QUARTER);
    expectProblem(await bob.raw({ after: seen.next, send: [bob.message(1, { to: 'nobody' })] }),
      404, 'peer-not-found');
    await ada.send(...batch(QUARTER));
  });

  it('makes room for itself by the acknowledgement that comes with the send', async () => {
    const [ada, bob] = await roomOf(api, newRoom(), 2);
    await ada.send(...Array.from({ length: QUARTER }, () => ada.message('x')));
    const seen = await bob.exchange();
    assert.equal(seen.messages.length, QUARTER);
    await bob.exchange({ send: [bob.message('thanks')] });
    await ada.send(ada.message('there is room'));
  });

  it('lets the newest poll win', async () => {
    const [ada, bob] = await roomOf(api, newRoom(), 2);
    const cursor = bob.cursor;
    const body = (turn) => ({ after: cursor, wait_ms: HOLD_MS, turn });
    const second = bob.raw(body(2));
    assert.ok(await stillOpen(150, second));
    const third = bob.raw(body(3));
    const ended = expectStatus(await second, 200);
    assert.equal(ended.json.superseded, true);
    assert.deepEqual(ended.json.messages ?? [], [], 'it takes nothing');
    assert.ok(ended.ms < HOLD_MS, 'at once');
    const late = expectStatus(await bob.raw(body(1)), 200);
    assert.equal(late.json.superseded, true, 'the lower turn ends, though it came last');
    assert.ok(late.ms < HOLD_MS / 2);
    assert.ok(await stillOpen(50, third), 'the newest is still held');
    await ada.say('to the newest', bob.peer);
    assert.deepEqual(dataOf((await third).json.messages), ['to the newest']);
  });

  it('lets the later poll win where turns are not counted', async () => {
    const [ada, bob] = await roomOf(api, newRoom(), 2);
    const first = bob.raw({ after: bob.cursor, wait_ms: HOLD_MS });
    assert.ok(await stillOpen(150, first));
    const second = bob.raw({ after: bob.cursor, wait_ms: HOLD_MS });
    assert.equal((await first).json.superseded, true);
    await ada.say('x', bob.peer);
    assert.deepEqual(dataOf((await second).json.messages), ['x']);
  });

  it('supersedes nothing by a call that does not wait', async () => {
    const [ada, bob] = await roomOf(api, newRoom(), 2);
    const poll = bob.raw({ after: bob.cursor, wait_ms: HOLD_MS, turn: 1 });
    assert.ok(await stillOpen(100, poll));
    for (const body of [{ after: bob.cursor, turn: 9 }, { after: bob.cursor, wait_ms: 0 },
      { send: [bob.message('x')] }]) expectStatus(await bob.raw(body), 200);
    assert.ok(await stillOpen(100, poll));
    await ada.say('y', bob.peer);
    const { json } = await poll;
    assert.ok(!json.superseded);
    assert.deepEqual(dataOf(json.messages), ['y']);
  });

  it('keeps the polls of different members apart', async () => {
    const members = await roomOf(api, newRoom(), 8);
    const [ada, ...others] = members;
    const polls = others.map((member) => member.poll(HOLD_MS));
    await Promise.all(polls.map(async (poll) => assert.ok(await stillOpen(150, poll))));
    await ada.say('all of you');
    for (const poll of polls) assert.deepEqual(dataOf((await poll).messages), ['all of you']);
  });

  it('knows peers and keys of this room only', async () => {
    const [ada] = await roomOf(api, newRoom(), 1);
    const [bob, eve] = await roomOf(api, newRoom(), 2);
    expectProblem(await ada.raw({ send: [ada.message(1, { to: bob.peer })] }), 404, 'peer-not-found');
    expectProblem(await api.room(bob.room, 'exchange', { key: ada.key, after: bob.cursor }), 401, 'key-invalid');
    expectProblem(await api.room(bob.room, 'exchange', { key: bob.peer, after: bob.cursor }), 401, 'key-invalid');
    expectProblem(await api.room(bob.room, 'leave', { key: ada.key }), 401, 'key-invalid');
    expectProblem(await api.room(newRoom(), 'exchange', { key: ada.key }), 404, 'room-not-found');
    await eve.say('still whole');
    assert.deepEqual(dataOf(await bob.notes(1)), ['still whole']);
  });

  it('brings the usual types and those of others as they are', async () => {
    const [ada, bob] = await roomOf(api, newRoom(), 2);
    const types = ['offer', 'answer', 'candidate', 'sealed', 'peer', 'x-peer-y', 'roommate'];
    await ada.send(...types.map((type) => ({ id: type, type, data: null })));
    const seen = await bob.notes(types.length);
    assert.deepEqual(seen.map((m) => m.type), types);
    assert.ok(seen.every((m) => m.data === null));
  });

  it('gives everybody the same order, though eight send at once', async () => {
    const members = await roomOf(api, newRoom(), 8);
    await Promise.all(members.map(async (member) => {
      for (let i = 0; i < 5; i += 1) await member.say([member.peer, i]);
    }));
    const seen = await Promise.all(members.map((member) => member.notes(35)));
    const order = new Map();
    for (const list of seen) {
      assert.equal(notesOf(list).length, 35);
      for (const message of list) {
        const text = JSON.stringify(message.data);
        assert.equal(order.get(message.seq) ?? text, text, 'one seq is one message');
        order.set(message.seq, text);
      }
    }
    assert.equal(order.size, 40);
    for (const [i, member] of members.entries()) {
      const own = seen.filter((_, j) => j !== i)
        .map((list) => list.filter((m) => m.from === member.peer).map((m) => m.data[1]));
      for (const list of own) assert.deepEqual(list, [0, 1, 2, 3, 4]);
    }
    assert.equal(members.length, 8);
  });
});

describe('a member alone', () => {
  it('is served the same way by all names of the entry point', async () => {
    const stack = await Stack.start({ workers: 1 });
    try {
      const room = newRoom();
      const ada = await Member.join(stack.entry('/cgi-bin/klatch.fcgi'), room);
      const bob = await Member.join(stack.api, room);
      await ada.say('hello', bob.peer);
      assert.deepEqual(dataOf(await bob.notes(1)), ['hello']);
    } finally {
      await stack.stop();
    }
  });
});

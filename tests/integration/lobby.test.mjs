// The lobby, the password and bans: who comes in, who waits, who stays out.
import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import { expectProblem, expectStatus, newId, newRoom } from './lib/api.mjs';
import { CgiBin } from './lib/cgi.mjs';
import { it } from './lib/it.mjs';
import { Member, roomOf } from './lib/member.mjs';
import { Stack } from './lib/stack.mjs';

/** Long enough for a slow machine: who was sent out is told so until its grace is over. */
const GRACE = { grace_ms: 40000, ttl_ms: 70000 };
const act = (member, what, body = {}) => member.api.room(member.room, what, { key: member.key, ...body });
const set = async (host, body) => expectStatus(await act(host, 'settings', body), 200).json;
const join = (api, room, body) => api.room(room, 'join', { id: newId(), ...body });
const parked = (member) => member.raw({ after: member.cursor, wait_ms: 20000, turn: (member.turn += 1) });

async function knock(api, room, body) {
  const { json } = expectStatus(await join(api, room, body), 202);
  return new Member(api, room, json);
}

/** A room with a lobby, its host, and somebody else in it. */
async function withLobby(api) {
  const members = await roomOf(api, newRoom(), 2);
  await set(members[0], { lobby: true });
  await Promise.all(members.map((member) => member.read()));
  return members;
}

/** What holds for every way to run the program. */
function suite(api) {
  it('lets in who knocks when the host admits them', async () => {
    const [host, other] = await withLobby(api());
    const ann = await knock(api(), host.room, { name: 'Ann', meta: { hat: 1 } });
    assert.deepEqual(Object.keys(ann.joined).sort(),
      ['cursor', 'features', 'hosts_present', 'key', 'limits', 'peer', 'poll', 'waiting']);
    assert.deepEqual([ann.joined.waiting, ann.joined.hosts_present], [true, 1]);
    assert.deepEqual((await host.event('peer-knocking')).data, { peer: ann.peer, name: 'Ann', meta: { hat: 1 } });
    await other.say('before');
    const poll = parked(ann);
    expectStatus(await act(host, 'admit', { peer: ann.peer }), 200);
    const answer = expectStatus(await poll, 200).json;
    assert.deepEqual(answer.messages.map(({ type, data, from }) => [type, data, from]), [['room-admitted', {}, null]]);
    const seen = await other.collect((all) => all.length > 0);
    assert.deepEqual(seen.map(({ type, data }) => [type, data.peer, data.name]), [['peer-joined', ann.peer, 'Ann']]);
    ann.take(answer);
    const inside = await ann.resume();
    assert.equal(inside.peer, ann.peer);
    assert.deepEqual([inside.joined.role, inside.joined.settings.lobby], ['member', true]);
    assert.deepEqual(inside.others.map(({ peer }) => peer), [host.peer, other.peer]);
    await other.say('after');
    assert.equal((await inside.notes(1))[0].data, 'after');
  });

  it('refuses who knocks, whose parked poll ends at once', async () => {
    const [host, other] = await withLobby(api());
    const ann = await knock(api(), host.room);
    const poll = parked(ann);
    expectStatus(await act(host, 'kick', { peer: ann.peer }), 200);
    const ended = expectProblem(await poll, 403, 'refused');
    assert.ok(ended.ms < 10000, `${ended.ms} ms`);
    assert.deepEqual((await host.event('peer-withdrew')).data, { peer: ann.peer, reason: 'refused' });
    expectProblem(await ann.raw({}), 403, 'refused');
    expectProblem(await join(api(), host.room, { resume: ann.key }), 403, 'refused');
    assert.deepEqual(await other.read(), [], 'it is the host\'s alone');
    await knock(api(), host.room);
  });

  it('asks for the password, and lets in who knows it', async () => {
    const [host] = await roomOf(api(), newRoom(), 1);
    const { json } = expectStatus(await act(host, 'settings', { password: 'wörd' }), 200);
    assert.equal(json.password, true);
    expectProblem(await join(api(), host.room), 401, 'password-missing');
    expectProblem(await join(api(), host.room, { password: 'word' }), 403, 'password-wrong');
    const ann = await Member.join(api(), host.room, { password: 'wörd' });
    assert.equal(ann.joined.settings.password, true);
    assert.equal((await ann.resume()).peer, ann.peer);
    assert.equal((await set(host, { password: null })).password, false);
    expectStatus(await join(api(), host.room), 201);
  });

  it('keeps out whose address is banned, but not who is in', async () => {
    const [host, other, third] = await roomOf(api(), newRoom(), 3);
    expectStatus(await act(host, 'kick', { peer: other.peer, ban: true }), 200);
    expectProblem(await join(api(), host.room), 403, 'banned');
    assert.equal((await third.resume()).peer, third.peer);
    expectStatus(await join(api(), newRoom()), 201);
  });
}

/** Wrong passwords, one after the other. */
async function guess(api, room, count) {
  const answers = [];
  for (let i = 0; i < count; i += 1) answers.push(await join(api, room, { password: `guess ${i}` }));
  return answers.map(({ status }) => status);
}

/**
 * Guess, until neither a wrong password nor the right one is looked at: each six seconds one more is, and
 * so many may pass on a slow machine before both were tried.
 */
async function useUp(api, room) {
  for (;;) {
    const wrong = await join(api, room, { password: 'wrong' });
    if (wrong.status === 403) continue;
    const right = await join(api, room, { password: 'right' });
    if (right.status !== 201) return [wrong, right];
    await new Member(api, room, right.json).leave();
  }
}

describe('wrong passwords', () => {
  it('are looked at ten times a minute, and then none is, not even the right one', async () => {
    const bin = new CgiBin({ config: { joins_per_minute: 1000, lease_ms: 60000, ttl_ms: 90000 } });
    try {
      const api = bin.api();
      const elsewhere = bin.api({ env: { REMOTE_ADDR: '192.0.2.9' } });
      const [host] = await roomOf(api, newRoom(), 1);
      const [another] = await roomOf(api, newRoom(), 1);
      for (const one of [host, another]) await set(one, { password: 'right' });
      for (let i = 0; i < 12; i += 1) {
        const answer = expectStatus(await join(api, host.room, { password: 'right' }), 201);
        await new Member(api, host.room, answer.json).leave();
      }
      assert.deepEqual(await guess(api, host.room, 10), Array(10).fill(403));
      for (const answer of await useUp(api, host.room)) {
        const refused = expectProblem(answer, 429, 'rate-limited');
        const seconds = Number(refused.headers['retry-after']);
        assert.ok(seconds >= 1 && seconds <= 60, `${seconds} s`);
      }
      expectProblem(await join(api, host.room), 401, 'password-missing');
      expectStatus(await join(elsewhere, host.room, { password: 'right' }), 201);
      expectStatus(await join(api, another.room, { password: 'right' }), 201);
      assert.equal((await host.resume({ password: 'nonsense' })).peer, host.peer);
    } finally {
      bin.stop();
    }
  });

  it('are counted by all workers together', async () => {
    const stack = await Stack.start({ workers: 2, config: { joins_per_minute: 1000 } });
    try {
      const [host] = await roomOf(stack.api, newRoom(), 1);
      await set(host, { password: 'right' });
      const answers = await Promise.all(Array.from({ length: 15 }, () => guess(stack.api, host.room, 1)));
      const count = (status) => answers.flat().filter((one) => one === status).length;
      assert.ok(count(403) <= 10 && count(429) >= 5, String(answers));
    } finally {
      await stack.stop();
    }
  });

  it('need one that is a string of 1 to 256 bytes', async () => {
    const bin = new CgiBin();
    try {
      const [host] = await roomOf(bin.api(), newRoom(), 1);
      for (const password of ['', 'ü'.repeat(129), 7, ['x'], { a: 1 }, true, 'a\0b']) {
        expectProblem(await act(host, 'settings', { password }), 400, 'invalid-request');
        expectProblem(await join(bin.api(), host.room, { password }), 400, 'invalid-request');
      }
      await set(host, { password: 'ü'.repeat(128) });
      expectStatus(await join(bin.api(), host.room, { password: 'ü'.repeat(128) }), 201);
      expectStatus(await act(host, 'settings', { password: null, lobby: true, locked: false }), 200);
      expectStatus(await join(bin.api(), host.room), 202);
    } finally {
      bin.stop();
    }
  });
});

describe('lobby, behind nginx', () => {
  let stack;
  before(async () => { stack = await Stack.start({ workers: 2, config: { ...GRACE, room_info: 'on', members_max: 4 } }); });
  after(() => stack?.stop());
  suite(() => stack.api);

  it('lets who waits poll and leave, and nothing else', async () => {
    const [host, other] = await withLobby(stack.api);
    const ann = await knock(stack.api, host.room);
    assert.deepEqual((await ann.exchange()).messages, []);
    expectProblem(await ann.raw({ send: [ann.message('x')] }), 403, 'not-permitted');
    expectProblem(await act(ann, 'ice'), 403, 'not-permitted');
    for (const what of ['admit', 'kick', 'host']) {
      expectProblem(await act(ann, what, { peer: ann.peer }), 403, 'not-permitted');
      expectProblem(await act(ann, what, { peer: other.peer }), 403, 'not-permitted');
    }
    expectProblem(await act(ann, 'settings', { lobby: false }), 403, 'not-permitted');
    expectProblem(await act(host, 'admit', { peer: 'nobody' }), 404, 'peer-not-found');
    await ann.leave();
    assert.equal((await host.event('peer-withdrew', ann.peer)).data.reason, 'left');
    expectProblem(await act(host, 'admit', { peer: ann.peer }), 404, 'peer-not-found');
  });
});

describe('lobby, as a plain CGI program', () => {
  let bin;
  before(() => { bin = new CgiBin({ config: { ...GRACE, room_info: 'on' } }); });
  after(() => bin?.stop());
  suite(() => bin.api());
});

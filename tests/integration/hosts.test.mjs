// Hosts: who is one, what they may do, what others are told, and who is next.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe } from 'node:test';
import { expectProblem, expectStatus, newId, newRoom } from './lib/api.mjs';
import { CgiBin } from './lib/cgi.mjs';
import { Daemon } from './lib/daemon.mjs';
import { it } from './lib/it.mjs';
import { Member, roomOf } from './lib/member.mjs';
import { BIN } from './lib/run-dir.mjs';
import { Stack } from './lib/stack.mjs';

const OPEN = { locked: false, lobby: false, password: false };
/** Long enough for a slow machine: who was sent out is told so until its grace is over. */
const GRACE = { grace_ms: 40000, ttl_ms: 70000 };
const act = (member, what, body = {}, more = {}) => member.api.room(member.room, what, { key: member.key, ...body }, more);
const join = (api, room, body) => api.room(room, 'join', { id: newId(), ...body });

/** A call that waits, and what it is answered when its member is gone. */
const parked = (member) => member.raw({ after: member.cursor, wait_ms: 20000, turn: (member.turn += 1) });

/** What holds for every way to run the program. */
function suite(api) {
  it('says who is host to everybody who comes', async () => {
    const [host, other] = await roomOf(api(), newRoom(), 2);
    assert.deepEqual([host.joined.role, host.joined.settings, host.joined.hosts, host.joined.knocking],
      ['host', OPEN, [host.peer], []]);
    assert.deepEqual([other.joined.role, other.joined.settings, other.joined.hosts, other.joined.knocking],
      ['member', OPEN, [host.peer], undefined]);
    assert.ok(other.joined.features.includes('hosts'));
  });

  it('locks and opens a room, told to all', async () => {
    const [host, other] = await roomOf(api(), newRoom(), 2);
    const { json } = expectStatus(await act(host, 'settings', { locked: true }), 200);
    assert.deepEqual(json, { ...OPEN, locked: true, hosts: [host.peer] });
    assert.deepEqual((await other.event('room-updated')).data, json);
    assert.deepEqual((await host.event('room-updated')).data, json);
    expectProblem(await join(api(), host.room), 423, 'room-locked');
    assert.equal((await other.resume()).peer, other.peer);
    assert.deepEqual(expectStatus(await api().get(`/v1/rooms/${host.room}`), 200).json,
      { room: host.room, peers: 2, ...OPEN, locked: true });
    expectStatus(await act(host, 'settings', { locked: false }), 200);
    expectStatus(await join(api(), host.room), 201);
  });

  it('sends somebody out, whose parked poll ends at once', async () => {
    const [host, other, third] = await roomOf(api(), newRoom(), 3);
    const poll = parked(other);
    expectStatus(await act(host, 'kick', { peer: other.peer }), 200);
    const ended = expectProblem(await poll, 410, 'kicked');
    assert.ok(ended.ms < 10000, `${ended.ms} ms`);
    assert.deepEqual((await third.event('peer-left')).data, { peer: other.peer, reason: 'kicked' });
    expectProblem(await other.raw({}), 410, 'kicked');
    expectProblem(await act(other, 'ice'), 410, 'kicked');
    expectProblem(await join(api(), host.room, { resume: other.key }), 410, 'kicked');
    expectStatus(await act(host, 'kick', { peer: other.peer }), 200);
    expectStatus(await join(api(), host.room), 201);
  });

  it('hands the part on, and makes the longest present one host when the last has left', async () => {
    const [host, second, third] = await roomOf(api(), newRoom(), 3);
    expectStatus(await act(host, 'host', { peer: third.peer }), 200);
    assert.deepEqual((await second.event('room-updated')).data.hosts, [third.peer]);
    expectProblem(await act(host, 'settings', { locked: true }), 403, 'not-permitted');
    const again = await third.resume();
    assert.equal(again.joined.role, 'host');
    await second.read();
    await again.leave();
    assert.deepEqual((await second.event('room-updated')).data.hosts, [host.peer]);
    assert.equal((await host.resume()).joined.role, 'host');
  });
}

describe('hosts, behind nginx', () => {
  let stack;
  before(async () => { stack = await Stack.start({ workers: 2, config: { ...GRACE, room_info: 'on' } }); });
  after(() => stack?.stop());
  suite(() => stack.api);

  it('refuses the host\'s calls to everybody else', async () => {
    const [host, other, third] = await roomOf(stack.api, newRoom(), 3);
    for (const what of ['admit', 'kick', 'host']) {
      for (const peer of [third.peer, other.peer, host.peer]) {
        expectProblem(await act(other, what, { peer }), 403, 'not-permitted');
      }
      expectProblem(await act({ ...other, api: stack.api, room: other.room, key: 'x' }, what, { peer: 'x' }), 401, 'key-invalid');
      expectProblem(await stack.api.room(host.room, what, { peer: other.peer }), 401, 'key-invalid');
      expectProblem(await act(host, what), 400, 'invalid-request');
      expectProblem(await act(host, what, { peer: 7 }), 400, 'invalid-request');
      expectProblem(await act(host, what, { peer: '' }), 400, 'invalid-request');
      expectProblem(await act(host, what, { peer: 'nobody' }), 404, 'peer-not-found');
    }
    expectProblem(await act(other, 'settings', { locked: true }), 403, 'not-permitted');
    expectProblem(await act(other, 'settings', {}), 403, 'not-permitted');
    expectProblem(await act(host, 'kick', { peer: host.peer }, { nonsense: true }), 400, 'invalid-request');
    expectProblem(await act(host, 'kick', { peer: other.peer, ban: 'yes' }), 400, 'invalid-request');
    expectStatus(await act(host, 'host', { peer: host.peer }), 200);
    for (const body of [{ locked: 1 }, { locked: 'true' }, { locked: null }, { lobby: [] }]) {
      expectProblem(await act(host, 'settings', body), 400, 'invalid-request');
    }
    expectProblem(await act(host, 'settings', { locked: 'x'.repeat(3000) }), 413, 'message-too-large');
    expectProblem(await stack.api.get(`/v1/rooms/${host.room}/kick`), 405, 'method-not-allowed');
    assert.deepEqual((await other.read()), [], 'nothing happened');
  });

  it('refuses the calls of a host that has lapsed, left or been replaced', async () => {
    const own = await Daemon.start({ config: { hold_ms: 1000, lease_ms: 12000, grace_ms: 4000, ttl_ms: 20000 } });
    try {
      const [host, other, third] = await roomOf(own.api(), newRoom(), 3);
      const next = await Member.join(own.api(), host.room, { replaces: host.key });
      assert.equal(next.joined.role, 'host');
      expectProblem(await act(host, 'kick', { peer: other.peer }), 410, 'session-expired');
      await next.leave({ soon: true });
      await other.event('peer-left', next.peer, { withinMs: 15000 });
      expectProblem(await act(next, 'kick', { peer: third.peer }), 410, 'session-expired');
      // Nobody says anything from here on: the end of its grace wakes who waits.
      const told = await other.event('room-updated', undefined, { withinMs: 20000 });
      assert.equal(told.data.hosts.length, 1);
      assert.notEqual(told.data.hosts[0], next.peer);
    } finally {
      await own.stop();
    }
  });

  it('wakes a parked poll at the end of a host\'s grace, before the hold is over', async () => {
    const own = await Daemon.start({ config: { hold_ms: 20000, lease_ms: 50000, grace_ms: 2000, ttl_ms: 72000 } });
    try {
      const [host, other] = await roomOf(own.api(), newRoom(), 2);
      await host.leave({ soon: true });
      await other.event('peer-left', host.peer, { withinMs: 15000 });
      const { messages } = await other.poll(20000);
      assert.deepEqual(messages.map(({ type, data }) => [type, data.hosts]), [['room-updated', [other.peer]]]);
    } finally {
      await own.stop();
    }
  });
});

describe('hosts, as a plain CGI program', () => {
  let bin;
  before(() => { bin = new CgiBin({ config: { ...GRACE, room_info: 'on' } }); });
  after(() => bin?.stop());
  suite(() => bin.api());
});

describe('hosts, killed', () => {
  it('keeps what was answered, and tells it once, when a worker dies after the commit', async () => {
    const own = new Daemon({ workers: 1, config: GRACE });
    own.workersMayChange = true;
    const flag = path.join(own.dir, 'kill');
    own.env = { KLATCH_FAULT: `host-committed:${flag}` };
    own.spawn([BIN]);
    try {
      await own.ready();
      const [host, other, third] = await roomOf(own.api(), newRoom(), 3);
      const poll = parked(other).catch((error) => error);
      fs.writeFileSync(flag, '');
      await act(host, 'kick', { peer: other.peer }).then(() => assert.fail('it was killed'), () => {});
      await poll;
      expectStatus(await act(host, 'kick', { peer: other.peer }), 200);
      expectProblem(await other.raw({}), 410, 'kicked');
      const left = (await third.read()).filter(({ type }) => type === 'peer-left');
      assert.deepEqual(left.map(({ data }) => data), [{ peer: other.peer, reason: 'kicked' }]);
    } finally {
      await own.stop();
    }
  });
});

// The lobby, the password and bans: who comes in, who waits, who stays out.
import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import { expectProblem, expectStatus, newId, newRoom } from './lib/api.mjs';
import { CgiBin } from './lib/cgi.mjs';
import { it } from './lib/it.mjs';
import { Member, roomOf } from './lib/member.mjs';
import { Stack } from './lib/stack.mjs';

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

describe('lobby, behind nginx', () => {
  let stack;
  before(async () => { stack = await Stack.start({ workers: 2, config: { room_info: 'on', members_max: 4 } }); });
  after(() => stack?.stop());
  suite(() => stack.api);
});

describe('lobby, as a plain CGI program', () => {
  let bin;
  before(() => { bin = new CgiBin({ config: { room_info: 'on' } }); });
  after(() => bin?.stop());
  suite(() => bin.api());
});

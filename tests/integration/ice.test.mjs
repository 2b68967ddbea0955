// The servers that help browsers find each other: who is told of them, and with what passwords.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { after, before, describe } from 'node:test';
import { expectProblem, expectStatus, newId, newRoom } from './lib/api.mjs';
import { CgiBin } from './lib/cgi.mjs';
import { it } from './lib/it.mjs';
import { Member } from './lib/member.mjs';
import { Stack } from './lib/stack.mjs';
import { until } from './lib/until.mjs';

const SECRET = 'a-secret-that-coturn-knows-too';
const CONFIG = {
  ice_server: ['stun:stun.example:3478', 'turn:fixed.example ann p#$=w', 'turn:turn.example:3478', 'turns:turn.example:5349?transport=tcp'],
  turn_secret: SECRET, turn_lifetime_ms: 600000,
};

/** As coturn with use-auth-secret checks it. */
function checkRelay({ username, credential }, peer) {
  const [expiry, who] = username.split(':');
  assert.equal(who, peer);
  const left = Number(expiry) - Date.now() / 1000;
  assert.ok(left > 590 && left < 602, `${left} s are left`);
  assert.equal(credential, createHmac('sha1', SECRET).update(username).digest('base64'));
}

function checkServers(json, peer) {
  const [stun, fixed, turn, turns] = json.ice_servers;
  assert.deepEqual(stun, { urls: ['stun:stun.example:3478'] });
  assert.deepEqual(fixed, { urls: ['turn:fixed.example'], username: 'ann', credential: 'p#$=w' });
  assert.deepEqual(turn.urls, ['turn:turn.example:3478']);
  assert.deepEqual(turns.urls, ['turns:turn.example:5349?transport=tcp']);
  checkRelay(turn, peer);
  checkRelay(turns, peer);
  assert.equal(json.ice_lifetime_ms, 600000);
}

function suite(api) {
  it('gives each who joins a username and a password of their own that expire', async () => {
    const room = newRoom();
    const [ann, ben] = [await Member.join(api(), room), await Member.join(api(), room)];
    checkServers(ann.joined, ann.peer);
    checkServers(ben.joined, ben.peer);
    assert.notEqual(ann.joined.ice_servers[2].credential, ben.joined.ice_servers[2].credential);
  });

  it('gives a member new ones on asking, that expire later', async () => {
    const ann = await Member.join(api(), newRoom());
    const expiry = (json) => Number(json.ice_servers[2].username.split(':')[0]);
    const first = expiry(ann.joined);
    await until('they expire later', async () => {
      const { json } = expectStatus(await api().room(ann.room, 'ice', { key: ann.key }), 200);
      checkServers(json, ann.peer);
      return expiry(json) > first;
    }, { withinMs: 10000, everyMs: 300 });
  });

  it('gives them to nobody else', async () => {
    const ann = await Member.join(api(), newRoom());
    const ask = (room, body) => api().room(room, 'ice', body);
    expectProblem(await ask(ann.room, {}), 401, 'key-invalid');
    expectProblem(await ask(ann.room, { key: 'x' }), 401, 'key-invalid');
    expectProblem(await ask(newRoom(), { key: ann.key }), 404, 'room-not-found');
    expectProblem(await api().get(`/v1/rooms/${ann.room}/ice`), 405, 'method-not-allowed');
    const again = await ann.resume();
    expectStatus(await ask(ann.room, { key: again.key }), 200);
    expectProblem(await ask(ann.room, { key: ann.key }), 410, 'session-expired');
    await again.leave();
    const answer = await ask(ann.room, { key: again.key });
    assert.ok([401, 404, 410].includes(answer.status), answer.text);
    assert.ok(!answer.text.includes('credential'));
  });
}

describe('relays with passwords that expire', () => {
  let stack;
  before(async () => {
    stack = await Stack.start({ config: CONFIG });
  });
  after(() => stack?.stop());
  suite(() => stack.api);
});

describe('relays of a plain CGI program', () => {
  let bin;
  before(() => {
    bin = new CgiBin({ config: CONFIG });
  });
  after(() => bin?.stop());
  suite(() => bin.api());
});

describe('relays with fixed passwords', () => {
  it('hold for good: nothing is said of a time', async () => {
    const bin = new CgiBin({ config: { ice_server: CONFIG.ice_server.slice(0, 2), turn_secret: SECRET } });
    try {
      const room = newRoom();
      const { json } = expectStatus(await bin.api().room(room, 'join', { id: newId() }), 201);
      assert.equal(json.ice_servers.length, 2);
      assert.equal('ice_lifetime_ms' in json, false);
      const asked = expectStatus(await bin.api().room(room, 'ice', { key: json.key }), 200).json;
      assert.deepEqual(asked, { ice_servers: json.ice_servers });
    } finally {
      bin.stop();
    }
  });
});

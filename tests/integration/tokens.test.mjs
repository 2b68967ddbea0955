// Who gets in with a token, who doesn't, and what others are told of it.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe } from 'node:test';
import { klatchToken } from '../../deploy/tokens/token.mjs';
import { expectProblem, expectStatus, newId, newRoom } from './lib/api.mjs';
import { CgiBin } from './lib/cgi.mjs';
import { Daemon } from './lib/daemon.mjs';
import { makeOlder, onlyRoomFile, roomFiles, sql } from './lib/data.mjs';
import { it } from './lib/it.mjs';
import { Member } from './lib/member.mjs';
import { ROOT } from './lib/run-dir.mjs';
import { Stack } from './lib/stack.mjs';
import { until } from './lib/until.mjs';

const FOLDER = path.join(ROOT, 'deploy/tokens');
const { keys, good, bad } = JSON.parse(fs.readFileSync(path.join(FOLDER, 'vectors.json'), 'utf8'));
const KEYS = Object.entries(keys).map((pair) => pair.join(' '));
const CONFIG = { tokens: 'required', token_key: KEYS, origins: 'https://shop.example', log_level: 'info', room_info: 'on' };
const MORE = { headers: { Origin: 'https://shop.example' } };
const [key, secret] = Object.entries(keys)[0];
const nowS = () => Math.floor(Date.now() / 1000);
const base64url = (text) => Buffer.from(text).toString('base64url');

/** A token with these claims; undefined takes one away. */
function sign(claims, by = secret) {
  const all = { iss: key, sub: '7', room: 'tea', exp: nowS() + 60, ...claims };
  const text = `${base64url('{"alg":"HS256"}')}.${base64url(JSON.stringify(all))}`;
  return `${text}.${createHmac('sha256', by).update(text).digest('base64url')}`;
}

const join = (api, room, body, more) => api.room(room, 'join', { id: newId(), ...body }, more);

/** What holds for every way to run the program. */
function suite(api) {
  it('lets in who brings a good token of any key, and says who that is', async () => {
    for (const { room, sub, name, role, token } of good) {
      const { json } = expectStatus(await join(api(), room, { token, name: 'King' }), 201);
      assert.deepEqual([json.sub, json.role, json.name], [sub, role, name]);
      await new Member(api(), room, json).leave();
    }
  });

  it('tells each wrong token by its code, on an answer that the page may read', async () => {
    for (const { what, room, token, code } of bad) {
      const answer = await join(api(), room, { token }, MORE);
      assert.equal(answer.json.code, code, what);
      expectProblem(answer, 401, code);
      assert.equal(answer.headers['access-control-allow-origin'], 'https://shop.example');
    }
  });

  it('refuses a token of 8 kB, one in pieces, one of another type, and none at all', async () => {
    const room = newRoom();
    const long = sign({ room, pad: 'x'.repeat(6000) });
    assert.ok(long.length > 8000);
    expectProblem(await join(api(), room, { token: long }), 401, 'token-invalid');
    expectProblem(await join(api(), room, { token: `ü${randomBytes(3000).toString('base64')}` }), 401, 'token-invalid');
    expectProblem(await join(api(), room, { token: '' }), 401, 'token-invalid');
    expectProblem(await join(api(), room, { token: '\0' }), 400, 'invalid-request');
    expectProblem(await join(api(), room, { token: 7 }), 400, 'invalid-request');
    expectProblem(await join(api(), room, { token: null }, { nonsense: true }), 401, 'token-missing');
    expectProblem(await join(api(), room, {}), 401, 'token-missing');
    expectProblem(await api().get(`/v1/rooms/${room}`), 404, 'room-not-found');
  });
}

describe('tokens, required', () => {
  let stack;
  before(async () => {
    stack = await Stack.start({ workers: 2, config: CONFIG });
  });
  after(async () => {
    const log = fs.readFileSync(stack.log, 'utf8');
    await stack.stop();
    assert.match(log, /token-refused code=token-expired/);
    for (const { token } of [...good, ...bad]) assert.ok(!log.includes(token), 'no token is logged');
    for (const one of Object.values(keys)) assert.ok(!log.includes(one), 'no secret is logged');
  });
  suite(() => stack.api);

  it('hands the name to others, and neither identity nor role', async () => {
    const room = newRoom();
    const ann = await Member.join(stack.api, room, { token: sign({ room, sub: 'customer-1' }) });
    const ben = await Member.join(stack.api, room, { token: sign({ room, sub: 'customer-2', name: 'Ben', role: 'host' }) });
    const { data } = await ann.event('peer-joined', ben.peer);
    assert.deepEqual(Object.keys(data).sort(), ['joined', 'name', 'peer']);
    assert.equal(data.name, 'Ben');
    const eve = await Member.join(stack.api, room, { token: sign({ room, sub: 'customer-3' }) });
    assert.deepEqual(Object.keys(eve.others[1]).sort(), ['joined', 'name', 'peer']);
    const file = roomFiles(stack.data).find((one) => one.includes(room));
    const rows = await until('the room is let go', () => {
      try {
        return sql(file, 'SELECT sub, role FROM member ORDER BY joined');
      } catch (error) {
        assert.match(String(error.stderr), /locked/);
        return false;
      }
    });
    assert.equal(rows, 'customer-1|0\ncustomer-2|1\ncustomer-3|0');
  });

  it('hands the name to nobody where the meta is sealed', async () => {
    const room = newRoom();
    const ann = await Member.join(stack.api, room, { token: sign({ room }), meta: { s: 'AAAA' } });
    const token = sign({ room, sub: '8', name: 'Ben' });
    const ben = await Member.join(stack.api, room, { token, name: 'King', meta: { s: 'BBBB' } });
    assert.equal((await ann.event('peer-joined', ben.peer)).data.name, undefined);
    assert.deepEqual([ben.joined.sub, ben.joined.name], ['8', undefined]);
    assert.equal((await Member.join(stack.api, room, { token: sign({ room }) })).others[1].name, undefined);
  });

  it('lets a member resume with a token that has expired, or without, and keeps who it is', async () => {
    const room = newRoom();
    const ann = await Member.join(stack.api, room, { token: sign({ room, name: 'Ann', role: 'host' }) });
    const expired = sign({ room, exp: 1 });
    const again = await ann.resume({ token: expired, name: 'King' });
    assert.deepEqual([again.peer, again.joined.resumed, again.joined.sub, again.joined.role, again.joined.name],
      [ann.peer, true, '7', 'host', 'Ann']);
    const more = await again.resume();
    assert.equal(more.peer, ann.peer);
    await more.leave();
    expectProblem(await join(stack.api, room, { resume: more.key, token: expired }), 401, 'token-expired');
    expectProblem(await join(stack.api, room, { resume: more.key }), 401, 'token-missing');
    expectProblem(await join(stack.api, room, { replaces: more.key }), 401, 'token-missing');
  });

  it('takes the token in a simple request of a page elsewhere', async () => {
    const room = newRoom();
    const body = `json=${encodeURIComponent(JSON.stringify({ token: sign({ room, name: 'Far' }) }))}`;
    const headers = { ...MORE.headers, 'content-type': 'application/x-www-form-urlencoded' };
    assert.equal(expectStatus(await stack.api.room(room, 'join', body, { headers }), 201).json.name, 'Far');
  });

  it('looks at times with half a minute between the clocks', async () => {
    for (const [claims, code] of [[{ exp: nowS() - 10 }], [{ exp: nowS() - 40 }, 'token-expired'],
      [{ nbf: nowS() + 10 }], [{ nbf: nowS() + 60 }, 'token-early']]) {
      const room = newRoom();
      const answer = await join(stack.api, room, { token: sign({ room, ...claims }) });
      if (code) expectProblem(answer, 401, code);
      else expectStatus(answer, 201);
    }
  });

  for (const [language, ...command] of [['PHP', 'php', 'token.php'], ['Python', 'python3', 'token.py'], ['Node', 'node', 'token.mjs'],
    ['Ruby', 'ruby', 'token.rb'], ['shell', 'sh', 'token.sh']]) {
    it(`lets in with what ten lines of ${language} sign`, async () => {
      const mint = (id, ...rest) => execFileSync(command[0], [command[1], id, ...rest],
        { cwd: FOLDER, encoding: 'utf8', env: { PATH: process.env.PATH, LANG: 'C.UTF-8', KLATCH_SECRET: keys[id] } }).trim();
      for (const one of good) {
        assert.equal(mint(one.key, one.room, one.sub, one.name, one.role, String(one.now)), one.token);
      }
      const room = newRoom();
      const name = 'Zoë "Z" \\ 7/8';
      const { json } = expectStatus(await join(stack.api, room, { token: mint(key, room, 'customer/7', name) }), 201);
      assert.deepEqual([json.sub, json.name, json.role], ['customer/7', name, 'member']);
    });
  }
});

describe('tokens, as the configuration has them', () => {
  it('changes keys while it runs: both hold, then the new one alone', async () => {
    const [old, next] = KEYS;
    const daemon = await Daemon.start({ workers: 2, config: { ...CONFIG, token_key: old } });
    const answerTo = async (id) => {
      const room = newRoom();
      return join(daemon.api(), room, { token: klatchToken(id, keys[id], room, '7', 'Ann') });
    };
    const [first, second] = Object.keys(keys);
    const settle = (lines, id, status) => {
      daemon.workersMayChange = true;
      daemon.configure({ ...CONFIG, token_key: lines });
      return until('the workers have read it', async () => (await answerTo(id)).status === status, { withinMs: 20000, everyMs: 200 });
    };
    try {
      expectStatus(await answerTo(first), 201);
      expectProblem(await answerTo(second), 401, 'token-invalid');
      await settle([old, next], second, 201);
      expectStatus(await answerTo(first), 201);
      await settle([next], first, 401);
      expectStatus(await answerTo(second), 201);
    } finally {
      await daemon.stop();
    }
  });

  it('optional: who brings none comes in unknown, who brings a wrong one stays out', async () => {
    const daemon = await Daemon.start({ config: { ...CONFIG, tokens: 'optional' } });
    try {
      const api = daemon.api();
      const room = newRoom();
      const unknown = expectStatus(await join(api, room, { name: 'King' }), 201).json;
      assert.deepEqual([unknown.sub, unknown.role, unknown.name], [undefined, 'host', undefined]);
      expectProblem(await join(api, room, { token: sign({ room, exp: 1 }) }), 401, 'token-expired');
      assert.equal(expectStatus(await join(api, room, { token: sign({ room }) }), 201).json.sub, '7');
    } finally {
      await daemon.stop();
    }
  });

  it('off: tokens are not looked at', async () => {
    const daemon = await Daemon.start({ config: { ...CONFIG, tokens: 'off' } });
    try {
      const room = newRoom();
      for (const token of [sign({ room }), 'nonsense', undefined]) {
        assert.equal(expectStatus(await join(daemon.api(), room, { token, name: 'Ann' }), 201).json.sub, undefined);
      }
    } finally {
      await daemon.stop();
    }
  });

  it('goes on in a room that an older program has made', async () => {
    const daemon = await Daemon.start({ config: { ...CONFIG, tokens: 'optional', lease_ms: 60000, ttl_ms: 90000 } });
    try {
      const room = newRoom();
      const ann = await Member.join(daemon.api(), room, { name: 'Ann' });
      await daemon.terminate();
      const file = onlyRoomFile(daemon.data);
      makeOlder(file);
      daemon.spawn();
      await daemon.ready();
      const old = new Member(daemon.api(), room, ann.joined);
      const ben = await Member.join(daemon.api(), room, { token: sign({ room, sub: '8', role: 'host' }) });
      assert.equal((await old.event('peer-joined', ben.peer)).data.peer, ben.peer);
      await ben.say('hello', old.peer);
      assert.equal((await old.notes(1))[0].data, 'hello');
      assert.equal((await old.resume()).peer, old.peer);
      await daemon.terminate();
      assert.equal(sql(file, 'SELECT coalesce(sub, \'-\'), role FROM member ORDER BY joined'), '-|0\n8|1');
      daemon.spawn();
      await daemon.ready();
    } finally {
      await daemon.stop();
    }
  });

  it('does not start with tokens and no key, and says so', async () => {
    const daemon = new Daemon({ config: { tokens: 'required' } });
    daemon.spawn();
    await until('it has ended or refuses', async () => daemon.ended || (fs.existsSync(daemon.socketPath)
      && (await daemon.api().get('/v1/health').catch(() => null))?.status === 500));
    assert.match(daemon.logTail(), /tokens is on without a key/);
    await daemon.stop().catch(() => {});
  });
});

describe('tokens of a plain CGI program', () => {
  let bin;
  before(() => {
    bin = new CgiBin({ config: CONFIG });
  });
  after(() => bin?.stop());
  suite(() => bin.api());
});

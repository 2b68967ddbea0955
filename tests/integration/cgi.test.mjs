import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe } from 'node:test';
import { Api, expectProblem, expectStatus, newId, newRoom } from './lib/api.mjs';
import { CgiBin } from './lib/cgi.mjs';
import { Daemon } from './lib/daemon.mjs';
import { FcgiConnection } from './lib/fcgi.mjs';
import { it } from './lib/it.mjs';
import { Member, dataOf, roomOf } from './lib/member.mjs';
import { ADMIN_KEY, Owner } from './lib/owner.mjs';
import { SANITIZER_ENV, checkLog, tie, tied } from './lib/run-dir.mjs';
import { RUNG_MS, now, stillOpen, until } from './lib/until.mjs';

const HOLD_MS = 20000;
const LONG = { hold_ms: HOLD_MS, lease_ms: 60000, ttl_ms: 90000 };

describe('plain CGI', { concurrency: 4 }, () => {
  for (const name of ['klatch.fcgi', 'klatch.cgi']) {
    describe(`as ${name}`, () => {
      let bin;
      let api;
      before(() => {
        bin = new CgiBin({ name, config: LONG });
        api = bin.api();
      });
      after(() => bin?.stop());

      it('answers health, and says that polls cost a process', async () => {
        const { json } = expectStatus(await api.get('/v1/health'), 200);
        assert.equal(json.status, 'ok');
        assert.equal(json.mode, 'cgi');
        assert.equal(json.polls, 'process');
      });

      it('lets two meet: a poll in one process is woken by a send from another', async () => {
        const [ada, bob] = await roomOf(api, newRoom(), 2);
        const poll = bob.poll(HOLD_MS);
        assert.ok(await stillOpen(400, poll));
        const since = now();
        await ada.say('by process', bob.peer);
        const sent = now();
        assert.deepEqual(dataOf((await poll).messages), ['by process']);
        assert.ok(now() - sent < HOLD_MS / 2, `woken ${now() - since} ms after the send began`);
        await ada.leave();
        const left = await bob.event('peer-left', ada.peer);
        assert.equal(left.data.reason, 'left');
      });

      it('ends a poll with its wait, and one that is superseded at once', async () => {
        const [ada] = await roomOf(api, newRoom(), 1);
        const short = expectStatus(await ada.raw({ after: ada.cursor, wait_ms: 500, turn: 1 }), 200);
        assert.ok(short.ms >= 400 && short.ms < HOLD_MS, `${short.ms} ms`);
        const old = ada.raw({ after: ada.cursor, wait_ms: HOLD_MS, turn: 2 });
        assert.ok(await stillOpen(400, old));
        const since = now();
        const newer = ada.raw({ after: ada.cursor, wait_ms: 2500, turn: 3 });
        assert.equal(expectStatus(await old, 200).json.superseded, true);
        assert.ok(now() - since < HOLD_MS / 2, `${now() - since} ms`);
        assert.ok(!expectStatus(await newer, 200).json.superseded);
      });

      it('answers bad input with a problem', async () => {
        const room = newRoom();
        expectProblem(await api.room(room, 'join', '{'), 400, 'invalid-request');
        expectProblem(await api.room(room, 'exchange', { key: 'x' }), 404, 'room-not-found');
        expectProblem(await api.room(room, 'join', 'x', { headers: { 'content-type': 'text/plain' } }), 415, 'unsupported-type');
        expectProblem(await api.call('DELETE', '/v1/health'), 405, 'method-not-allowed');
        expectProblem(await api.get('/v1/nothing'), 404, 'not-found');
        expectProblem(await api.room(room, 'join', `{"name":"${'x'.repeat(400000)}"}`), 413, 'message-too-large');
      });
    });
  }

  it('takes a body that is shorter than told for no request', async () => {
    const bin = new CgiBin();
    try {
      for (const length of ['50', '1', '', 'x', '-1', '99999999999999999999']) {
        const room = newRoom();
        const headers = { 'content-type': 'application/json' };
        const answer = await new Api((call) => bin.run(call, { env: { CONTENT_LENGTH: length } }))
          .call('POST', `/v1/rooms/${room}/join`, { headers, body: '{"name":"half"}', nonsense: true });
        assert.ok(answer.status >= 400 && answer.status < 500, `${length}: ${answer.text}`);
        expectProblem(await bin.api().get(`/v1/rooms/${room}`), 404, 'room-not-found');
      }
    } finally {
      bin.stop();
    }
  });

  it('finds its configuration beside itself, wherever it is started', async () => {
    const bin = new CgiBin({ config: { members_max: 3 } });
    try {
      for (const cwd of [bin.folder, '/', bin.dir]) {
        const api = bin.api({ cwd });
        assert.equal((await Member.join(api, newRoom())).joined.limits.members, 3);
      }
    } finally {
      bin.stop();
    }
  });

  it('answers with a clear problem, not a dead process, where its configuration is wrong', async () => {
    const bin = new CgiBin({ config: { hold_ms: 'x' } });
    try {
      // 500 and its code stand outside the API: nothing of it is there to answer.
      const answer = await bin.run({ method: 'GET', path: '/v1/health' });
      assert.ok([500, 503].includes(answer.status), answer.text);
      assert.equal(answer.json.status, answer.status);
      assert.doesNotMatch(answer.text, /hold_ms|klatch\.conf/, 'visitors are told nothing of it');
      assert.match(bin.complaints, /hold_ms/);
    } finally {
      bin.stop();
    }
  });

  it('has a budget of held polls; over it a poll answers at once with a time to come back', async () => {
    const bin = new CgiBin({ config: { ...LONG, polls_max: 2, admin_key: ADMIN_KEY } });
    try {
      const api = bin.api();
      const owner = new Owner(api);
      const areHeld = (count) => until(`${count} are held`, async () => await owner.figure('klatch_polls_held') === count);
      const members = await roomOf(api, newRoom(), 3);
      const aborts = [new AbortController(), new AbortController()];
      // Each join keeps a place for a moment, so that a poll may have to come again.
      const hold = async (member, more) => {
        let json;
        do json = await member.poll(HOLD_MS, more);
        while (json.retry_ms > 0);
        return json;
      };
      const held = [0, 1].map((i) => hold(members[i], { signal: aborts[i].signal }));
      for (const poll of held) poll.catch(() => {});
      await areHeld(2);
      const over = expectStatus(await members[2].raw({ after: members[2].cursor, wait_ms: HOLD_MS }), 200);
      assert.ok(over.ms < HOLD_MS * 0.7, `${over.ms} ms`);
      assert.ok(over.json.retry_ms > 0 && over.json.retry_ms <= LONG.lease_ms / 3, `${over.json.retry_ms}`);
      assert.deepEqual(over.json.messages, []);

      // A process that is killed gives its place back.
      aborts[0].abort();
      await assert.rejects(held[0]);
      await areHeld(1);
      const third = hold(members[2]);
      await areHeld(2);
      await members[0].say('done');
      assert.deepEqual(dataOf((await third).messages), ['done']);
      assert.deepEqual(dataOf((await held[1]).messages), ['done']);
    } finally {
      bin.stop();
    }
  });

  it('shares rooms with FastCGI workers on the same data, each waking the other', async () => {
    const daemon = await Daemon.start({ config: LONG });
    const bin = new CgiBin({ config: LONG, data: daemon.data });
    try {
      const ada = await Member.join(daemon.api(), newRoom());
      const bob = await Member.join(bin.api(), ada.room);
      await ada.read();
      const slow = bob.poll(HOLD_MS);
      assert.ok(await stillOpen(400, slow));
      await ada.say('to the process', bob.peer);
      assert.deepEqual(dataOf((await slow).messages), ['to the process']);
      const parked = ada.poll(HOLD_MS);
      assert.ok(await stillOpen(50, parked));
      const done = bob.say('to the worker', ada.peer);
      assert.deepEqual(dataOf((await parked).messages), ['to the worker']);
      await done;
    } finally {
      bin.stop();
      await daemon.stop();
    }
  });

  it('killed at any instant harms nobody', async () => {
    const bin = new CgiBin();
    try {
      const api = bin.api();
      const [ada, bob] = await roomOf(api, newRoom(), 2);
      const sent = [];
      for (let i = 0; i < 24; i += 1) {
        const abort = new AbortController();
        const message = ada.message(i, { to: bob.peer });
        sent.push(message);
        const lost = ada.raw({ send: [message] }, { signal: abort.signal }).catch(() => {});
        await stillOpen(i * 4, lost);
        abort.abort();
        await lost;
        await ada.send(message);
      }
      assert.deepEqual(dataOf(await bob.notes(sent.length)), sent.map((m) => m.data));
      assert.deepEqual(await bob.read(), []);
    } finally {
      bin.stop();
    }
  });
});

/** Start the binary with a listening socket as a descriptor, as spawn-fcgi, lighttpd and systemd do. */
const SPAWN = {
  'as descriptor 0': 'dup2(fileno(S), 0); close(S);',
  'by LISTEN_FDS': 'dup2(fileno(S), 3) if fileno(S) != 3; $ENV{LISTEN_FDS} = 1; $ENV{LISTEN_PID} = $$;',
};

async function inherited(how, config, run) {
  const bin = new CgiBin({ config });
  const socketPath = path.join(bin.dir, 'inherited.sock');
  const log = path.join(bin.dir, 'inherited.log');
  const script = `use Socket; use POSIX qw(dup2); $^F = 9;
    socket(S, AF_UNIX, SOCK_STREAM, 0) and bind(S, sockaddr_un($ARGV[0])) and listen(S, 512) or die $!;
    ${SPAWN[how]}
    exec { $ARGV[1] } $ARGV[1] or die $!;`;
  const out = fs.openSync(log, 'a');
  const child = tie(spawn(...tied('perl', '-e', script, socketPath, bin.program), {
    stdio: ['ignore', out, out], env: { ...process.env, ...SANITIZER_ENV },
  }));
  try {
    // The path is there before the socket listens.
    await until('it listens', () => FcgiConnection.open(socketPath)
      .then((connection) => connection.close() ?? true, () => false));
    const connections = new Set();
    const api = new Api(async (call) => {
      const connection = await FcgiConnection.open(socketPath);
      connections.add(connection);
      return connection.send({ software: 'lighttpd/1.4.69', ...call }, { keep: false })
        .finally(() => connection.close());
    });
    await run(api, child, log);
  } finally {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    await until('it ends', () => child.exitCode !== null || child.signalCode !== null, { withinMs: 30000 });
    checkLog(log);
    bin.stop();
  }
}

describe('FastCGI on a socket that was handed down', { concurrency: 4 }, () => {
  for (const how of Object.keys(SPAWN)) {
    it(`${how}: serves rooms and parks polls`, async () => inherited(how, LONG, async (api, child) => {
      assert.equal(expectStatus(await api.get('/v1/health'), 200).json.status, 'ok');
      const members = await roomOf(api, newRoom(), 4);
      const [ada, ...others] = members;
      const polls = others.map((member) => member.poll(HOLD_MS));
      for (const poll of polls) assert.ok(await stillOpen(100, poll), 'three polls in one process');
      await ada.say('all');
      for (const poll of polls) assert.deepEqual(dataOf((await poll).messages), ['all']);
      assert.equal(child.exitCode, null);
    }));
  }

  it('ends at SIGTERM with its polls answered', async () => inherited('as descriptor 0',
    { hold_ms: 10000, lease_ms: 60000, ttl_ms: 90000 }, async (api, child) => {
      const [ada] = await roomOf(api, newRoom(), 1);
      const poll = ada.poll(10000);
      assert.ok(await stillOpen(100, poll));
      const since = now();
      child.kill('SIGTERM');
      assert.deepEqual((await poll).messages, []);
      await until('it ends', () => child.exitCode !== null);
      assert.ok(now() - since < RUNG_MS, `${now() - since} ms, where the poll may be held for 10 s`);
      assert.equal(child.exitCode, 0);
    }));

  it('under Apache a poll costs a process, so held polls have a budget there', async () => inherited('as descriptor 0',
    { ...LONG, polls_max: 1 }, async (api) => {
      const apache = new Api((call) => api.send({ ...call, software: 'Apache/2.4.62 (Debian)' }));
      const [ada, bob] = await roomOf(apache, newRoom(), 2);
      assert.equal(ada.joined.poll.hold_ms, HOLD_MS);
      const held = ada.poll(HOLD_MS);
      assert.ok(await stillOpen(100, held));
      const over = expectStatus(await bob.raw({ after: bob.cursor, wait_ms: HOLD_MS }), 200);
      assert.ok(over.json.retry_ms > 0, over.text);
      await bob.say('x', ada.peer);
      assert.deepEqual(dataOf((await held).messages), ['x']);
    }));

  it('joins and is known by its id in any of these ways', async () => inherited('by LISTEN_FDS', {}, async (api) => {
    const id = newId();
    const room = newRoom();
    const [one, two] = [await Member.join(api, room, { id }), await Member.join(api, room, { id })];
    assert.equal(one.peer, two.peer);
  }));
});

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe } from 'node:test';
import { expectProblem, expectStatus, newId, newRoom } from './lib/api.mjs';
import { Daemon } from './lib/daemon.mjs';
import { FcgiConnection } from './lib/fcgi.mjs';
import { it } from './lib/it.mjs';
import { Member, dataOf, roomOf } from './lib/member.mjs';
import { alive, sockets, threads } from './lib/processes.mjs';
import { BIN, CONFIG, SANITIZER_ENV, configText, newRunDir } from './lib/run-dir.mjs';
import { Stack } from './lib/stack.mjs';
import { RUNG_MS, now, stillOpen, until, within } from './lib/until.mjs';

const HOLD_MS = 20000;
const LONG = { hold_ms: HOLD_MS, lease_ms: 60000, ttl_ms: 90000 };
/** Sooner than anything that would be waited for: a hold, half a request, a re-check. */
const AT_ONCE_MS = RUNG_MS;

describe('two workers', { concurrency: 4 }, () => {
  let daemon;
  before(async () => { daemon = await Daemon.start({ workers: 2, config: LONG }); });
  after(() => daemon?.stop());

  /** Two members of a room, each with an API in a worker of its own. */
  async function apart() {
    const [one, two] = (await daemon.connectEach()).map((c) => Daemon.apiOn(c));
    const ada = await Member.join(one, newRoom());
    const bob = await Member.join(two, ada.room);
    await ada.read();
    return { one, two, ada, bob };
  }

  it('a poll in one is woken by a send in the other, both ways, at once', async () => {
    const { ada, bob } = await apart();
    for (const [from, to] of [[ada, bob], [bob, ada], [ada, bob]]) {
      const poll = to.poll(HOLD_MS);
      assert.ok(await stillOpen(50, poll));
      const since = now();
      await from.say('across', to.peer);
      assert.deepEqual(dataOf((await poll).messages), ['across']);
      assert.ok(now() - since < RUNG_MS, `${now() - since} ms`);
    }
  });

  it('a poll in one is superseded by a newer one in the other', async () => {
    const { two, ada, bob } = await apart();
    const old = ada.raw({ after: ada.cursor, wait_ms: HOLD_MS, turn: 1 });
    assert.ok(await stillOpen(50, old));
    const elsewhere = ada.via(two);
    const since = now();
    const newer = elsewhere.raw({ after: ada.cursor, wait_ms: HOLD_MS, turn: 2 });
    const ended = await old;
    assert.equal(expectStatus(ended, 200).json.superseded, true);
    assert.ok(now() - since < AT_ONCE_MS, 'at once');
    const late = await ada.raw({ after: ada.cursor, wait_ms: HOLD_MS, turn: 1 });
    assert.equal(expectStatus(late, 200).json.superseded, true, 'the lower turn, though it came last');
    assert.ok(late.ms < AT_ONCE_MS, 'at once');
    await bob.via(Daemon.apiOn((await daemon.connectEach())[0])).say('for the newer', ada.peer);
    assert.deepEqual(dataOf((await newer).json.messages), ['for the newer']);
  });

  it('what one wrote the other reads, and the other way round', async () => {
    const { one, two, ada, bob } = await apart();
    for (let i = 0; i < 20; i += 1) {
      await ada.via(i % 2 ? one : two).say(i, bob.peer);
      assert.deepEqual(dataOf(await bob.via(i % 3 ? two : one).notes(1)), [i]);
    }
  });

  it('a retry goes through the other after the receiver has acknowledged, and is one message', async () => {
    const { one, two, ada, bob } = await apart();
    const message = ada.message('once');
    const [first] = await ada.via(one).send(message);
    assert.deepEqual(dataOf(await bob.notes(1)), ['once']);
    await bob.read();
    await bob.say('and pruned', ada.peer);
    assert.deepEqual(await ada.via(two).send(message), [first]);
    await ada.say('end', bob.peer);
    assert.deepEqual(dataOf(await bob.notes(1)), ['end']);
  });

  it('a key that one worker renewed is refused by the other', async () => {
    const { two, ada } = await apart();
    const back = await ada.via(two).resume();
    await back.say('used');
    expectProblem(await ada.raw({}), 410, 'session-expired');
  });
});

describe('the supervisor', { concurrency: 6 }, () => {
  async function withDaemon(options, run) {
    const daemon = await Daemon.start(options);
    try {
      await run(daemon, daemon.api());
    } finally {
      await daemon.stop();
    }
  }

  it('starts a worker again that died, each time', async () => withDaemon({ workers: 2 }, async (daemon, api) => {
    const [ada, bob] = await roomOf(api, newRoom(), 2);
    for (let i = 0; i < 3; i += 1) {
      const [pid, other] = daemon.workers();
      await daemon.killWorker(pid);
      const pids = await until('two workers run', () => {
        const now2 = daemon.workers();
        return now2.length === 2 && !now2.includes(pid) && now2;
      });
      assert.ok(pids.includes(other), 'the other goes on');
      await ada.say(i, bob.peer);
    }
    assert.deepEqual(dataOf(await bob.notes(3)), [0, 1, 2]);
  }));

  it('answers the parked polls at SIGTERM and is gone at once, with workers that end by themselves', async () => {
    let killed = true;
    // On a machine with much to do they may not come to it in the second that they have.
    for (let tries = 0; tries < 3 && killed; tries += 1) {
      await withDaemon({ workers: 2, config: LONG }, async (daemon, api) => {
        const members = (await Promise.all(Array.from({ length: 10 }, () => roomOf(api, newRoom(), 4)))).flat();
        const polls = members.map((member) => member.poll(HOLD_MS));
        for (const poll of polls) {
          poll.catch(() => {});
          assert.ok(await stillOpen(10, poll));
        }
        const since = now();
        await daemon.terminate();
        assert.ok(now() - since < AT_ONCE_MS, `${now() - since} ms`);
        assert.equal(daemon.child.exitCode, 0);
        killed = daemon.logTail().includes('workers-killed');
        for (const [i, poll] of polls.entries()) {
          const json = await poll.catch((error) => assert.ok(killed, error));
          if (!json) continue;
          assert.deepEqual(json.messages, []);
          assert.equal(json.next, members[i].cursor);
          assert.ok(!json.superseded && !json.gap);
        }
      });
    }
    assert.ok(!killed, 'the supervisor had to kill them');
  });

  it('waits for nobody who stands in the middle of something at SIGTERM', async () => withDaemon(
    { workers: 1, config: LONG },
    async (daemon, api) => {
      const [ada] = await roomOf(api, newRoom(), 1);
      const poll = ada.poll(HOLD_MS);
      assert.ok(await stillOpen(10, poll));
      const half = await daemon.connect();
      half.write(Buffer.from([1, 1, 0]));
      const deaf = await daemon.connect();
      deaf.socket.pause();
      const since = now();
      await daemon.terminate();
      assert.ok(now() - since < AT_ONCE_MS, `${now() - since} ms`);
      assert.deepEqual((await poll).messages, []);
    },
  ));

  it('goes on after a stop where it was: members, mail and cursors', async () => withDaemon(
    { workers: 1 },
    async (daemon, api) => {
      const [ada, bob] = await roomOf(api, newRoom(), 2);
      await ada.say('kept', bob.peer);
      await daemon.terminate();
      daemon.spawn();
      await daemon.ready();
      assert.deepEqual(dataOf(await bob.notes(1)), ['kept']);
      await bob.say('and on', ada.peer);
      assert.deepEqual(dataOf(await ada.notes(1)), ['and on']);
    },
  ));

  it('starts again where it was killed, over the socket it left', async () => withDaemon(
    { workers: 2 },
    async (daemon, api) => {
      const [ada, bob] = await roomOf(api, newRoom(), 2);
      await ada.say('kept', bob.peer);
      const pids = daemon.workers();
      daemon.workersMayChange = true;
      daemon.child.kill('SIGKILL');
      await until('it is gone', () => daemon.ended);
      await until('its workers go with it', () => !pids.some(alive));
      daemon.spawn();
      await daemon.ready();
      assert.deepEqual(dataOf(await bob.notes(1)), ['kept']);
    },
  ));

  it('reads its configuration again at SIGHUP, and loses no call', async () => {
    const stack = await Stack.start({ workers: 2 });
    try {
      const { api } = stack;
      stack.workersMayChange = true;
      const [ada, bob] = await roomOf(api, newRoom(), 2);
      const enough = new AbortController();
      const talk = (async () => {
        let count = 0;
        while (!enough.signal.aborted) {
          await ada.say(count, bob.peer);
          count += 1;
          await stillOpen(5, new Promise(() => {}));
        }
        return count;
      })();
      const poll = (await roomOf(api, newRoom(), 1))[0].poll(2000);
      fs.appendFileSync(path.join(stack.dir, 'klatch.conf'), 'room_info = off\n');
      process.kill(stack.supervisor, 'SIGHUP');
      await until('all workers have read it', async () => {
        const answers = await Promise.all(Array.from({ length: 6 }, () => api.get(`/v1/rooms/${ada.room}`)));
        return answers.every((answer) => answer.status === 403);
      });
      enough.abort();
      const count = await talk;
      assert.deepEqual((await poll).messages, []);
      assert.deepEqual(dataOf(await bob.notes(count)), Array.from({ length: count }, (_, i) => i));
    } finally {
      await stack.stop();
    }
  });

  it('keeps its configuration where the new one is wrong, and says what is wrong', async () => withDaemon(
    { workers: 1 },
    async (daemon, api) => {
      daemon.workersMayChange = true;
      const [ada] = await roomOf(api, newRoom(), 1);
      daemon.configure({ hold_ms: 'soon' });
      daemon.child.kill('SIGHUP');
      await until('the log names it', () => /hold_ms/.test(daemon.logTail()));
      expectStatus(await ada.raw({}), 200);
      await roomOf(api, newRoom(), 2);
      assert.ok(!daemon.ended);
    },
  ));

  it('takes no socket that another one serves', async () => withDaemon({ workers: 1 }, async (daemon, api) => {
    const second = spawnSync(BIN, ['--listen', daemon.socketPath, '--workers', '1', '--config', daemon.configFile],
      { encoding: 'utf8', timeout: 20000, env: { ...process.env, ...SANITIZER_ENV } });
    assert.ok(second.status > 0, `${second.status} ${second.stderr}`);
    expectStatus(await api.get('/v1/health'), 200);
  }));

  it('a thousand parked polls cost descriptors, not processes or threads', async () => {
    const stack = await Stack.start({ workers: 2, config: LONG });
    try {
      const rooms = [];
      for (let i = 0; i < 250; i += 25) {
        rooms.push(...await Promise.all(Array.from({ length: 25 }, () => roomOf(stack.api, newRoom(), 4))));
      }
      const members = rooms.flat();
      const pids = stack.workers();
      const count = (what) => pids.map(what).reduce((a, b) => a + b, 0);
      const idle = count(threads);
      const polls = members.map((member) => member.poll(HOLD_MS));
      for (const poll of polls) poll.catch(() => {});
      await until('all are parked', () => count(sockets) >= 1000, { withinMs: 15000 });
      const [ada, bob] = await roomOf(stack.anotherApi(), newRoom(), 2);
      const since = now();
      await ada.say('prompt', bob.peer);
      assert.deepEqual(dataOf(await bob.notes(1)), ['prompt']);
      assert.ok(now() - since < AT_ONCE_MS);
      assert.deepEqual(stack.workers(), pids);
      assert.equal(count(threads), idle);
      // nginx keeps up to 64 connections open beside, from each of its two workers.
      assert.ok(count(sockets) <= 1000 + 2 * 64 + 20, `one each: ${count(sockets)}`);
      await Promise.all(rooms.map(([first]) => first.via(stack.api).say('wake')));
      const answers = await Promise.all(polls.map((poll, i) => (i % 4 === 0 ? null : poll)));
      for (const json of answers) if (json) assert.deepEqual(dataOf(json.messages), ['wake']);
    } finally {
      await stack.stop();
    }
  });
});

describe('a wrong start', { concurrency: 4 }, () => {
  let dir;
  before(() => { dir = newRunDir(); });
  after(() => fs.rmSync(dir, { recursive: true, force: true }));
  let count = 0;

  function start(lines, args) {
    count += 1;
    const file = path.join(dir, `${count}.conf`);
    fs.writeFileSync(file, `${lines}\n`);
    return spawnSync(BIN, args ?? ['--listen', path.join(dir, `${count}.sock`), '--workers', '1', '--config', file],
      { encoding: 'utf8', timeout: 20000, env: { ...process.env, ...SANITIZER_ENV }, cwd: dir });
  }

  const data = () => `data_dir = ${dir}/data`;
  const WRONG = [
    ['nonsense = 5', 'nonsense'], ['hold_ms', 'hold_ms'], ['hold_ms =', 'hold_ms'], ['hold_ms = x', 'hold_ms'],
    ['hold_ms = -1', 'hold_ms'], ['hold_ms = 110001', 'hold_ms'], ['hold_ms = 1.5', 'hold_ms'],
    ['hold_ms = 99999999999999999999', 'hold_ms'], ['members_max = 0', 'members_max'],
    ['room_info = perhaps', 'room_info'], ['mode = fast', 'mode'], ['log_level = loud', 'log_level'],
    ['message_bytes_max = 65537', 'message_bytes_max'], ['HOLD_MS = 5', 'HOLD_MS'], ['= 5', ''],
    ['ice_server = http://x', 'ice_server'], ['origins = chat.example', 'origins'], ['polls_max = -1', 'polls_max'],
  ];
  for (const [line, key] of WRONG) {
    it(`is refused, and the line named: ${line}`, () => {
      const { status, stderr, signal } = start(`# first\n\n${data()}\n${line}\nroom_info = on`);
      assert.ok(status > 0, `${status ?? signal}: ${stderr}`);
      assert.match(stderr, /\b4\b/, stderr);
      assert.ok(stderr.includes(key), stderr);
      assert.doesNotMatch(stderr, /Sanitizer/);
    });
  }

  it('is refused where lease and hold, or ttl, do not fit', () => {
    for (const [lines, names] of [['hold_ms = 25000\nlease_ms = 59999', ['lease_ms', 'hold_ms']],
      ['hold_ms = 25000\nlease_ms = 75000\ngrace_ms = 45000\nttl_ms = 144999', ['ttl_ms']]]) {
      const { status, stderr } = start(`${data()}\n${lines}`);
      assert.ok(status > 0, stderr);
      for (const name of names) assert.ok(stderr.includes(name), stderr);
    }
  });

  it('is refused without what it needs', () => {
    for (const args of [['--listen'], ['--listen', `${dir}/x.sock`, '--workers', '0'],
      ['--listen', `${dir}/x.sock`, '--workers', 'x'], ['--listen', `${dir}/x.sock`, '--config', `${dir}/nothing`],
      ['--nonsense'], ['--listen', `${dir}/${'x'.repeat(200)}`], ['--listen', `${dir}/no/where/x.sock`]]) {
      const { status, stderr, signal } = start('', args);
      assert.ok(status > 0, `${args.join(' ')}: ${status ?? signal} ${stderr}`);
      assert.notEqual(stderr.trim(), '');
      assert.ok(stderr.trim().split('\n').length <= 6, stderr);
    }
  });

  it('is refused where the data folder can not be one', () => {
    fs.writeFileSync(path.join(dir, 'file'), '');
    for (const wrong of [`${dir}/file`, `${dir}/file/below`, '/proc/none']) {
      const { status, stderr } = start(`data_dir = ${wrong}`);
      assert.ok(status > 0, `${wrong}: ${stderr}`);
      assert.match(stderr, /data/);
    }
  });

  it('does not happen with the sample configuration and a comment', async () => {
    const sample = fs.readFileSync(new URL('../../cgi-bin/klatch.conf.sample', import.meta.url), 'utf8');
    const daemon = new Daemon();
    fs.writeFileSync(daemon.configFile, `${sample}\n${data()}\n`);
    daemon.spawn();
    try {
      await daemon.ready();
    } finally {
      await daemon.stop();
    }
    assert.ok(!sample.includes('\r'));
    assert.ok(Object.keys(CONFIG).every((key) => sample.includes(key)));
    assert.ok(configText(CONFIG).length > 0);
  });
});

describe('the socket', () => {
  it('has mode 0660, and a connection refused by none', async () => {
    const daemon = await Daemon.start({ workers: 1 });
    try {
      assert.equal(fs.statSync(daemon.socketPath).mode & 0o777, 0o660);
      const many = await Promise.all(Array.from({ length: 600 }, () => FcgiConnection.open(daemon.socketPath)));
      const answers = await within(10000, 'all are answered', Promise.all(many.map((c) => c.send(
        { method: 'GET', path: '/v1/health', headers: {} }))));
      assert.ok(answers.every((answer) => answer.status === 200));
      const closed = Promise.all(many.map((c) => c.closed));
      for (const connection of many) connection.close();
      await closed;
      await Member.join(daemon.api(), newRoom(), { id: newId() });
      assert.ok(await stillOpen(1, once(daemon.child, 'exit')));
    } finally {
      await daemon.stop();
    }
  });
});

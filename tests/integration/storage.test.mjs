import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe } from 'node:test';
import { expectProblem, expectStatus, newId, newRoom } from './lib/api.mjs';
import { Daemon } from './lib/daemon.mjs';
import { dataFiles, onlyRoomFile, roomFiles, sql } from './lib/data.mjs';
import { it } from './lib/it.mjs';
import { Member, dataOf, roomOf } from './lib/member.mjs';
import { BIN } from './lib/run-dir.mjs';
import { onSmallDisk } from './lib/small-disk.mjs';
import { now, promptly, stillOpen, until, within } from './lib/until.mjs';

async function withDaemon(options, run) {
  const daemon = await Daemon.start(options);
  try {
    await run(daemon, daemon.api());
  } finally {
    await daemon.stop();
  }
}

/** Started where it can't work, it ends, or answers a join with a problem; it does not hang. */
const endsOrRefuses = (daemon) => until('it ends, or refuses a join', async () => {
  if (daemon.ended || !fs.existsSync(daemon.socketPath)) return daemon.ended;
  const join = daemon.api().room(newRoom(), 'join', '{}').catch(() => null);
  const answer = await within(15000, 'an answer to the join', join);
  return answer !== null && [503, 507].includes(answer.status);
}, { withinMs: 20000 });

/** Stop, do something to the files, start again: no process has the room open meanwhile. */
async function whileStopped(daemon, act) {
  await daemon.terminate();
  await act();
  daemon.spawn();
  await daemon.ready();
}

describe('a full disk', () => {
  it('refuses what does not fit, keeps what was there, and goes on when there is space', (t) => onSmallDisk(t, 8 << 20, async (small) => {
    await withDaemon({ data: path.join(small.dir, 'data') }, async (daemon, api) => {
      const [ada, bob] = await roomOf(api, newRoom(), 2);
      await ada.say('before', bob.peer);
      small.fill();
      const big = 'x'.repeat(60000);
      const refused = await ada.raw({ send: [ada.message(big, { to: bob.peer })] });
      expectProblem(refused, 507, 'disk-full');
      const files = dataFiles(daemon.data).sort();
      for (let i = 0; i < 3; i += 1) {
        expectProblem(await api.room(newRoom(), 'join', { id: newId() }), 507, 'disk-full');
      }
      assert.deepEqual(dataFiles(daemon.data).sort(), files, 'a join that failed leaves no room');
      assert.deepEqual(dataOf(await bob.notes(1)), ['before'], 'reading needs no space');
      expectStatus(await api.get('/v1/health'), 200);
      const parked = bob.poll(1000);
      assert.deepEqual((await parked).messages, []);
      small.free();
      await ada.send(ada.message(big, { to: bob.peer }));
      assert.equal(dataOf(await bob.notes(1))[0].length, 60000);
      await roomOf(api, newRoom(), 2);
    });
  }));

  it('from the start is told at once', (t) => onSmallDisk(t, 256 << 10, async (small) => {
    small.fill();
    const daemon = new Daemon({ data: path.join(small.dir, 'data') });
    daemon.workersMayChange = true;
    daemon.spawn();
    try {
      await endsOrRefuses(daemon);
      assert.match(daemon.logTail(), /space|full|507/i, 'the log says why');
    } finally {
      await daemon.stop();
    }
  }));
});

describe('a data folder', { concurrency: 4 }, () => {
  /** Root may write everywhere; without its capabilities it may not. */
  const asMortal = process.getuid() === 0
    ? ['setpriv', '--bounding-set=-all', '--inh-caps=-all', BIN] : [BIN];

  it('that can not be written to gives a problem, and works again afterwards', async () => {
    const daemon = new Daemon();
    daemon.spawn(asMortal);
    await daemon.ready();
    const api = daemon.api();
    const folders = () => [daemon.data, ...dataFiles(daemon.data).map((f) => path.dirname(f))];
    try {
      const [ada, bob] = await roomOf(api, newRoom(), 2);
      const modes = new Map(folders().map((folder) => [folder, fs.statSync(folder).mode]));
      for (const folder of modes.keys()) fs.chmodSync(folder, 0o500);
      const answer = await api.room(newRoom(), 'join', { id: newId() });
      assert.ok([503, 507].includes(answer.status), answer.text);
      expectStatus(await api.get('/v1/health'), 200);
      const other = await ada.raw({ send: [ada.message('x')] });
      assert.ok([200, 503, 507].includes(other.status), other.text);
      for (const [folder, mode] of modes) fs.chmodSync(folder, mode);
      await ada.say('again', bob.peer);
      assert.ok(dataOf(await bob.notes(1)).length > 0);
      await roomOf(api, newRoom(), 2);
    } finally {
      await daemon.stop();
    }
  });

  it('that can not be written to from the start is named before anything starts', async () => {
    const daemon = new Daemon();
    daemon.workersMayChange = true;
    fs.chmodSync(daemon.data, 0o500);
    daemon.spawn(asMortal);
    try {
      await endsOrRefuses(daemon);
      assert.match(daemon.logTail(), /data/);
    } finally {
      await daemon.stop();
    }
  });

  it('is closed to others, and so are its files', async () => withDaemon({}, async (daemon, api) => {
    // The first room also makes the folder.
    for (let i = 0; i < 2; i += 1) await roomOf(api, newRoom(), 1);
    for (const file of dataFiles(daemon.data)) assert.equal(fs.statSync(file).mode & 0o077, 0, file);
  }));

  it('removed under running workers is made again, or told of, never a crash', async () => withDaemon(
    {},
    async (daemon, api) => {
      const [ada] = await roomOf(api, newRoom(), 1);
      daemon.workersMayChange = true; // they begin anew in the new folder
      fs.rmSync(daemon.data, { recursive: true });
      const gone = await until('the loss is noticed', async () => {
        const answer = await ada.raw({ after: ada.cursor });
        return answer.status !== 200 && answer;
      });
      assert.ok([404, 410, 503].includes(gone.status), gone.text);
      const answer = await api.room(newRoom(), 'join', { id: newId() });
      assert.ok([201, 503, 507].includes(answer.status), answer.text);
      assert.doesNotMatch(daemon.logTail(), /worker-died/);
    },
  ));
});

describe('a room file', { concurrency: 8 }, () => {
  const GARBAGE = [
    ['text', Buffer.from('This is no database. '.repeat(500))],
    ['zeros', Buffer.alloc(20000)],
    ['a database\'s first page, and then something else', null],
  ];
  for (const [name, bytes] of GARBAGE) {
    it(`that is ${name} is moved aside and told of, and the room starts anew`, async () => withDaemon(
      {},
      async (daemon, api) => {
        const [ada] = await roomOf(api, newRoom(), 2);
        const file = onlyRoomFile(daemon.data);
        await whileStopped(daemon, () => {
          const garbage = bytes ?? Buffer.concat([fs.readFileSync(file).subarray(0, 4096), Buffer.alloc(30000, 0xa5)]);
          fs.writeFileSync(file, garbage);
        });
        const before = new Set(dataFiles(daemon.data));
        const first = await Member.join(api, ada.room);
        assert.deepEqual(first.others, []);
        const second = await Member.join(api, ada.room);
        await first.say('anew', second.peer);
        assert.deepEqual(dataOf(await second.notes(1)), ['anew']);
        const aside = dataFiles(daemon.data).filter((f) => !before.has(f) && f.includes(path.basename(file).split('.')[0]));
        assert.ok(aside.length >= 1, dataFiles(daemon.data).join(' '));
        assert.notEqual(daemon.logTail().search(/aside|database|broken|corrupt/i), -1, daemon.logTail());
        const old = await ada.raw({ after: ada.cursor });
        assert.ok([401, 410].includes(old.status), old.text);
      },
    ));
  }

  it('overwritten under a process that has it open: the room starts anew for everybody', async () => withDaemon(
    { workers: 2 },
    async (daemon, api) => {
      const [ada, bob] = await roomOf(api, newRoom(), 2);
      for (let i = 0; i < 6; i += 1) await ada.say(i, bob.peer);
      const file = onlyRoomFile(daemon.data);
      fs.writeFileSync(file, 'garbage '.repeat(5000));
      const answers = [await ada.raw({ send: [ada.message('x')] }), await bob.raw({ after: bob.cursor })];
      for (const answer of answers) assert.ok([401, 404, 410, 503].includes(answer.status), answer.text);
      const members = [];
      await until('a new member gets in', async () => {
        const answer = await api.room(ada.room, 'join', { id: newId() });
        if (answer.status !== 201) return false;
        members.push(new Member(api, ada.room, answer.json));
        return true;
      });
      const second = await Member.join(api, ada.room);
      await members[0].say('anew', second.peer);
      assert.deepEqual(dataOf(await second.notes(1)), ['anew']);
    },
  ));

  it('of a newer version gives 503, and is neither changed nor moved', async () => withDaemon({}, async (daemon, api) => {
    const [ada] = await roomOf(api, newRoom(), 2);
    const file = onlyRoomFile(daemon.data);
    await whileStopped(daemon, () => {
      sql(file, `PRAGMA user_version = ${Number(sql(file, 'PRAGMA user_version')) + 1}`);
    });
    const bytes = fs.readFileSync(file);
    for (const call of [() => api.room(ada.room, 'join', { id: newId() }), () => ada.raw({ after: ada.cursor }),
      () => ada.raw({ send: [ada.message('x')] }), () => api.get(`/v1/rooms/${ada.room}`)]) {
      expectProblem(await promptly(1500, call), 503, 'busy'); // waiting would not help
    }
    assert.deepEqual(fs.readFileSync(file), bytes);
    assert.deepEqual(roomFiles(daemon.data), [file]);
    await roomOf(api, newRoom(), 2);
  }));

  it('that is a folder, a link or a pipe harms nobody', async () => withDaemon({}, async (daemon, api) => {
    const names = [newRoom(), newRoom(), newRoom()];
    const paths = [];
    for (const room of names) {
      const known = new Set(roomFiles(daemon.data));
      const [member] = await roomOf(api, room, 1);
      paths.push(roomFiles(daemon.data).find((f) => !known.has(f)));
      await member.say('x');
    }
    const secret = path.join(daemon.dir, 'elsewhere');
    fs.copyFileSync(paths[1], secret);
    await whileStopped(daemon, () => {
      for (const file of paths) fs.rmSync(file);
      fs.mkdirSync(paths[0]);
      fs.symlinkSync(secret, paths[1]);
      execFileSync('mkfifo', [paths[2]]);
    });
    const bytes = fs.readFileSync(secret);
    for (const room of names) {
      const answer = await api.room(room, 'join', { id: newId() });
      assert.ok([201, 503, 507].includes(answer.status), answer.text);
    }
    assert.deepEqual(fs.readFileSync(secret), bytes, 'nothing is opened through a link');
    await roomOf(api, newRoom(), 2);
  }));

  it('deleted and made again while another process has it open: both see the new room', async () => withDaemon(
    { workers: 2, config: { grace_ms: 0, ttl_ms: 23000 } }, async (daemon) => {
      const [one, two] = (await daemon.connectEach()).map((c) => Daemon.apiOn(c));
      const room = newRoom();
      for (let round = 0; round < 4; round += 1) {
        const [here, there] = round % 2 ? [two, one] : [one, two];
        const ada = await Member.join(here, room);
        const bob = await Member.join(there, room);
        assert.deepEqual(bob.others.map((p) => p.peer), [ada.peer], `round ${round}`);
        await ada.say(round, bob.peer);
        assert.deepEqual(dataOf(await bob.notes(1)), [round]);
        await ada.leave();
        await bob.leave();
        await until('the room is gone, as the one sees it', async () => (await there.get(`/v1/rooms/${room}`)).status === 404);
        const stale = await ada.raw({ after: ada.cursor });
        assert.ok([401, 404, 410].includes(stale.status), stale.text);
      }
    }));

  it('deleted by hand while a poll is parked on it: the poll ends, and the room starts anew', async () => withDaemon(
    { workers: 2 },
    async (daemon, api) => {
      const [ada, bob] = await roomOf(api, newRoom(), 2);
      const poll = bob.raw({ after: bob.cursor, wait_ms: 2000 });
      assert.ok(await stillOpen(50, poll));
      fs.rmSync(onlyRoomFile(daemon.data));
      const fresh = await Member.join(api, ada.room);
      assert.deepEqual(fresh.others, []);
      const ended = await within(15000, 'the poll ends', poll);
      assert.ok([200, 401, 404, 410].includes(ended.status), ended.text);
      const later = await bob.raw({ after: bob.cursor });
      assert.ok([401, 410].includes(later.status), later.text);
      await fresh.say('alone');
    },
  ));

  it('copied back as it was gives another life to its epoch, not to its members', async () => withDaemon(
    {},
    async (daemon, api) => {
      const [ada, bob] = await roomOf(api, newRoom(), 2);
      await ada.say('kept', bob.peer);
      const file = onlyRoomFile(daemon.data);
      await whileStopped(daemon, () => {
        const bytes = fs.readFileSync(file);
        fs.rmSync(file);
        fs.writeFileSync(file, bytes, { mode: 0o600 });
      });
      assert.deepEqual(dataOf(await bob.notes(1)), ['kept']);
    },
  ));

  it('with a hot journal of a killed process is as it was before', async () => withDaemon({}, async (daemon, api) => {
    const [ada, bob] = await roomOf(api, newRoom(), 2);
    await ada.say('whole', bob.peer);
    const file = onlyRoomFile(daemon.data);
    await whileStopped(daemon, () => {
      // A writer that dies inside its transaction, after its pages went to the file.
      spawnSync('sqlite3', [file], {
        input: 'PRAGMA journal_mode = TRUNCATE; PRAGMA cache_size = 1; PRAGMA cache_spill = 1; BEGIN IMMEDIATE;\n'
          + 'CREATE TABLE torn (x); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)\n'
          + 'INSERT INTO torn SELECT randomblob(100) FROM n;\n.shell kill -9 $PPID\n',
      });
    });
    assert.deepEqual(dataOf(await bob.notes(1)), ['whole']);
    assert.equal(sql(file, 'SELECT count(*) FROM sqlite_master WHERE name = \'torn\''), '0');
    assert.equal(sql(file, 'PRAGMA integrity_check'), 'ok');
  }));
});

describe('the bell', { concurrency: 5 }, () => {
  it('made anew by another process is found again by those who had the old one', async () => withDaemon(
    { workers: 2, config: { hold_ms: 8000, lease_ms: 30000, ttl_ms: 45000 } },
    async (daemon) => {
      const bell = dataFiles(daemon.data).find((f) => path.basename(f) === 'bell');
      fs.rmSync(bell);
      const [first] = daemon.workers();
      await daemon.killWorker(first);
      await until('another worker has made a bell', () => daemon.workers().length === 2 && fs.existsSync(bell));
      const [one, two] = (await daemon.connectEach()).map((c) => Daemon.apiOn(c));
      const ada = await Member.join(one, newRoom());
      const bob = await Member.join(two, ada.room);
      await ada.read();
      let prompt = 0;
      await until('five sends in a row are heard at once', async () => {
        const poll = ada.poll(8000);
        await stillOpen(100, poll);
        const since = now();
        await bob.say('heard', ada.peer);
        await poll;
        prompt = now() - since < 300 ? prompt + 1 : 0;
        return prompt === 5;
      }, { withinMs: 90000 });
    },
  ));

  for (const [name, harm] of [
    ['truncated', (file) => fs.truncateSync(file, 0)],
    ['cut in half', (file) => fs.truncateSync(file, fs.statSync(file).size >> 1)],
    ['removed', (file) => fs.rmSync(file)],
    ['replaced by nonsense', (file) => { fs.rmSync(file); fs.writeFileSync(file, 'x'.repeat(10000)); }],
  ]) {
    it(`${name} under running workers: mail still comes, nobody crashes`, async () => withDaemon(
      { workers: 2, config: { hold_ms: 8000, lease_ms: 30000, ttl_ms: 45000 } },
      async (daemon, api) => {
        const pids = daemon.workers();
        const [ada, bob] = await roomOf(api, newRoom(), 2);
        const shared = dataFiles(daemon.data).filter((f) => /bell|limit|slot/.test(path.basename(f)));
        assert.ok(shared.length > 0, dataFiles(daemon.data).join(' '));
        const before = bob.poll(8000);
        assert.ok(await stillOpen(50, before));
        for (const file of shared) harm(file);
        await ada.say('without a bell', bob.peer);
        const json = await before;
        const all = [...dataOf(json.messages), ...dataOf(await bob.read())];
        assert.deepEqual(all, ['without a bell']);
        for (let i = 0; i < 6; i += 1) await ada.say(i, bob.peer);
        assert.equal((await bob.notes(6)).length, 6);
        await api.room(newRoom(), 'join', { id: newId() });
        assert.deepEqual(daemon.workers(), pids);
      },
    ));
  }
});

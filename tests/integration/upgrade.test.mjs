// Files that are uploaded over those in use: a new binary, a configuration, by FTP or by renaming.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Apache } from '../servers/lib/apache.mjs';
import { expectStatus, newRoom } from './lib/api.mjs';
import { CgiBin } from './lib/cgi.mjs';
import { Daemon } from './lib/daemon.mjs';
import { HandedDown, WAYS } from './lib/handed-down.mjs';
import { it } from './lib/it.mjs';
import { dataOf, roomOf } from './lib/member.mjs';
import { children } from './lib/processes.mjs';
import { BIN, SANITIZER_ENV, checkLog, configText, newRunDir, tie } from './lib/run-dir.mjs';
import { Stack } from './lib/stack.mjs';
import { NEW, OLD, otherVersion, overwrite, replace } from './lib/upload.mjs';
import { stillOpen, until } from './lib/until.mjs';

const SOON = { withinMs: 20000, everyMs: 50 };
const CONFIG = { hold_ms: 5000, lease_ms: 60000, grace_ms: 2000, ttl_ms: 90000 };
const version = async (api) => expectStatus(await api.get('/v1/health'), 200).json.version;

/**
 * People who talk all the while: one sends, two hold polls, and a third reads without waiting. Any
 * call that is not answered with 200 fails the test.
 */
async function whileTalking(api, pollApi, run) {
  const [sender, ...readers] = await roomOf(api, newRoom(), 4);
  const told = { sent: 0, over: false, all: false };
  const got = readers.map(() => []);
  const send = async () => {
    while (!told.over) {
      await sender.say(told.sent);
      told.sent += 1;
      await pause(15);
    }
    told.all = true;
  };
  const read = async (reader, into, waitMs) => {
    const through = waitMs > 0 ? reader.via(pollApi) : reader;
    while (into.length < told.sent || !told.all) {
      const json = await through.exchange(waitMs > 0 ? { wait_ms: waitMs } : {});
      assert.ok(!json.gap && !json.superseded, JSON.stringify(json).slice(0, 300));
      into.push(...dataOf(json.messages));
      if (waitMs === 0) await pause(30);
      else if (json.retry_ms) await pause(100);
    }
  };
  const running = Promise.all([send(),
    ...readers.map((reader, i) => read(reader, got[i], i < 2 ? 4000 : 0))]);
  running.catch(() => {});
  try {
    await Promise.race([run(), running]);
  } finally {
    told.over = true;
  }
  await running;
  for (const list of got) assert.deepEqual(list, Array.from({ length: told.sent }, (_, i) => i));
}

/** Upload while people talk, until every process answers as the new version. */
async function uploaded(api, pollApi, upload, processes = 1) {
  assert.equal(await version(api), OLD);
  await whileTalking(api, pollApi, async () => {
    await pause(200);
    await upload();
    await until('the new version answers', async () => {
      const versions = await Promise.all(Array.from({ length: 4 * processes }, () => version(api)));
      return versions.every((one) => one === NEW);
    }, SOON);
    await pause(300);
  });
}

const UPLOADS = {
  'written over like an FTP server does': (file) => overwrite(file, otherVersion()),
  'renamed over the old one': (file) => replace(file, otherVersion()),
};

describe('a new binary under load', { concurrency: 2 }, () => {
  for (const [name, upload] of Object.entries(UPLOADS)) {
    for (const how of WAYS) {
      it(`${name}: a socket handed down ${how} loses no request and no message`, async () => {
        const bin = new CgiBin({ config: CONFIG });
        const process_ = await HandedDown.start(bin.program, { dir: bin.dir, how });
        try {
          const { pid } = process_;
          await uploaded(process_.api(), process_.api(), () => upload(bin.program));
          assert.ok(!process_.ended, 'the process that the web server started goes on');
          assert.equal(process_.pid, pid);
        } finally {
          await process_.stop();
          bin.stop();
        }
      });
    }

    it(`${name}: the supervisor and its workers are replaced, nothing is refused`, async () => {
      const daemon = new Daemon({ config: CONFIG, workers: 2 });
      daemon.workersMayChange = true;
      const program = path.join(daemon.dir, 'klatch.fcgi');
      fs.copyFileSync(BIN, program);
      daemon.spawn([program]);
      try {
        await daemon.ready();
        const workers = daemon.workers();
        await uploaded(daemon.api(), daemon.api(), () => upload(program), 2);
        assert.equal(daemon.child.exitCode, null, 'the same process supervises');
        await until('only new workers are left', () => {
          const now = daemon.workers();
          return now.length === 2 && !now.some((pid) => workers.includes(pid));
        });
      } finally {
        await daemon.stop();
      }
    });
  }

  it('renamed over the old one behind nginx, which keeps its connections: nothing is refused', async () => {
    const dir = newRunDir();
    const bin = path.join(dir, 'klatch.fcgi');
    fs.copyFileSync(BIN, bin);
    const stack = await Stack.start({ bin, config: CONFIG });
    stack.workersMayChange = true;
    try {
      await uploaded(stack.api, stack.anotherApi(), () => replace(stack.bin, otherVersion()), 2);
    } finally {
      await stack.stop();
      fs.rmSync(dir, { recursive: true });
    }
  });

  it('written over while CGI programs hold polls, no upload finds it busy', async () => {
    const bin = new CgiBin({ config: CONFIG });
    try {
      const [ada, bob] = await roomOf(bin.api(), newRoom(), 2);
      const poll = ada.poll(4000);
      assert.ok(await stillOpen(500, poll));
      await overwrite(bin.program, otherVersion());
      await bob.say('after', ada.peer);
      assert.deepEqual(dataOf((await poll).messages), ['after']);
      assert.equal(await version(bin.api()), NEW);
    } finally {
      bin.stop();
    }
  });
});

describe('a new binary on Apache with mod_fcgid', () => {
  let server;
  before(async () => { server = await Apache.start({ config: CONFIG }); });
  after(() => server?.stop());

  for (const [name, upload] of Object.entries(UPLOADS)) {
    it(`${name}: no request fails, no message is lost`, async () => {
      const file = (entry) => path.join(server.site.cgiBin, entry);
      const old = fs.readFileSync(BIN);
      try {
        await uploaded(server.api(), server.pollApi(), async () => {
          await upload(file('klatch.fcgi'));
          await upload(file('klatch-poll.fcgi'));
        }, 3);
      } finally {
        for (const entry of ['klatch.fcgi', 'klatch-poll.fcgi']) await replace(file(entry), old);
        await until('the old version is back', async () => (await version(server.api())) === OLD, SOON);
      }
    });
  }
});

describe('what is no binary to run', { concurrency: 3 }, () => {
  async function withOne(run) {
    const bin = new CgiBin({ config: CONFIG });
    const process_ = await HandedDown.start(bin.program, { dir: bin.dir });
    try {
      await version(process_.api()); // its socket listens before it is that program
      await run(process_, bin);
    } finally {
      await process_.stop();
      bin.stop();
    }
  }
  const refusals = (process_) => process_.logs().match(/ upgrade-refused /g)?.length ?? 0;

  it('half an upload is told once and left; its end is taken', () => withOne(async (process_, bin) => {
    const api = process_.api();
    const whole = otherVersion();
    await overwrite(bin.program, whole.subarray(0, whole.length - 1000), { pieces: 2 });
    await until('it is told', () => refusals(process_) > 0, SOON);
    await pause(3500);
    assert.equal(refusals(process_), 1, process_.logs());
    assert.equal(await version(api), OLD);
    fs.appendFileSync(bin.program, whole.subarray(whole.length - 1000));
    await until('the whole one is taken', async () => (await version(api)) === NEW, SOON);
  }));

  it('a program that does not end, or is of another kind, changes nothing', () => withOne(async (process_, bin) => {
    const api = process_.api();
    await replace(bin.program, fs.readFileSync('/bin/sleep'));
    await until('it is told', () => refusals(process_) === 1, SOON);
    await replace(bin.program, Buffer.from('#!/bin/sh\nexit 0\n'));
    await until('it is told', () => refusals(process_) === 2, SOON);
    fs.rmSync(bin.program);
    await pause(2500);
    assert.equal(await version(api), OLD);
    fs.writeFileSync(bin.program, '', { mode: 0o755 });
    await replace(bin.program, otherVersion());
    await until('the new one is taken', async () => (await version(api)) === NEW, SOON);
  }));

  it('the same bytes with another time change nothing', () => withOne(async (process_, bin) => {
    const [ada] = await roomOf(process_.api(), newRoom(), 1);
    await pause(2500);
    const poll = ada.poll(5000);
    await replace(bin.program, fs.readFileSync(BIN));
    assert.ok(await stillOpen(3500, poll), 'nobody was sent away');
    await poll;
  }));
});

describe('where no copy in memory may be run', () => {
  /** The kernel's own switch, in a namespace of its own. */
  const FORBID = 'echo 2 > /proc/sys/vm/memfd_noexec && exec "$0" "$@"';
  const namespace = ['setpriv', '--pdeathsig', 'KILL', '--', 'unshare', '--pid', '--fork', '--kill-child',
    '--mount-proc', 'sh', '-c'];

  it('the file itself runs, which the log says, and one that is renamed over it is taken', async (t) => {
    if (spawnSync(namespace[0], [...namespace.slice(1), FORBID, 'true']).status !== 0) {
      t.skip('vm.memfd_noexec can not be set in a namespace here');
      return;
    }
    const daemon = new Daemon({ config: { ...CONFIG, log_level: 'info' }, workers: 1 });
    const program = path.join(daemon.dir, 'klatch.fcgi');
    fs.copyFileSync(BIN, program);
    const log = fs.openSync(daemon.log, 'a');
    const child = tie(spawn(namespace[0], [...namespace.slice(1), FORBID, program,
      '--listen', daemon.socketPath, '--workers', '1', '--config', daemon.configFile], {
      stdio: ['ignore', 'ignore', log], env: { ...process.env, ...SANITIZER_ENV },
    }));
    fs.closeSync(log);
    try {
      const api = daemon.api();
      await until('it answers', () => api.get('/v1/health').then(() => true, () => false), SOON);
      assert.match(daemon.logTail(), / info runs-from-file reason=/);
      await assert.rejects(overwrite(program, otherVersion()), { code: 'ETXTBSY' });
      await uploaded(api, api, () => replace(program, otherVersion()));
    } finally {
      for (const pid of children(child.pid)) process.kill(pid, 'SIGTERM'); // unshare itself ignores it
      await until('it ends', () => child.exitCode !== null || child.signalCode !== null);
      checkLog(daemon.log);
      fs.rmSync(daemon.dir, { recursive: true });
    }
  });
});

describe('a configuration that changes', { concurrency: 3 }, () => {
  const holdMs = async (api) => (await roomOf(api, newRoom(), 1))[0].joined.poll.hold_ms;
  const lines = (dir, more) => configText({ data_dir: path.join(dir, 'data'), ...CONFIG, ...more });

  it('is taken by a process on a handed-down socket; a wrong one is told with its line and not', async () => {
    const bin = new CgiBin({ config: CONFIG });
    const process_ = await HandedDown.start(bin.program, { dir: bin.dir });
    const api = process_.api();
    const file = path.join(bin.folder, 'klatch.conf');
    try {
      const [ada, bob] = await roomOf(api, newRoom(), 2);
      assert.equal(ada.joined.poll.hold_ms, 5000);
      const poll = ada.poll(5000);
      fs.writeFileSync(file, lines(bin.dir, { hold_ms: 6000 }));
      assert.deepEqual((await poll).messages, [], 'the parked poll is answered');
      await until('it is taken', async () => (await holdMs(api)) === 6000, SOON);
      fs.writeFileSync(file, `${lines(bin.dir, { hold_ms: 7000 })}colour = red\n`);
      await until('it is told', () => / configuration-refused .*line \d+: "colour"/.test(process_.logs()), SOON);
      await pause(1500);
      assert.equal(await holdMs(api), 6000);
      assert.equal(process_.logs().match(/ configuration-refused /g).length, 1);
      // In the folder above it counts too, when the one beside the binary has gone.
      fs.writeFileSync(path.join(bin.dir, 'klatch.conf'), lines(bin.dir, { hold_ms: 8000 }));
      fs.rmSync(file);
      await until('the other one is taken', async () => (await holdMs(api)) === 8000, SOON);
      await bob.say('still here', ada.peer);
      assert.deepEqual(dataOf(await ada.read()), ['still here']);
    } finally {
      await process_.stop();
      bin.stop();
    }
  });

  it('is taken by the supervisor, without a signal', async () => {
    const daemon = new Daemon({ config: CONFIG, workers: 2 });
    daemon.workersMayChange = true;
    daemon.spawn();
    try {
      await daemon.ready();
      const api = daemon.api();
      daemon.configure({ ...CONFIG, hold_ms: 6000 });
      await until('it is taken', async () => (await holdMs(api)) === 6000, SOON);
      daemon.configure({ ...CONFIG, hold_ms: 'often' });
      await until('it is told', () => / configuration-refused .*hold_ms/.test(daemon.logTail()), SOON);
      assert.equal(await holdMs(api), 6000);
    } finally {
      await daemon.stop();
    }
  });
});

describe('a data folder that goes while it is used', { concurrency: 3 }, () => {
  for (const [name, act] of Object.entries({
    'is deleted': (data) => fs.rmSync(data, { recursive: true }),
    'is renamed': (data) => fs.renameSync(data, `${data}-old`),
  })) {
    it(`${name}: every call is answered, rooms are gone, joining makes them anew`, async () => {
      const bin = new CgiBin({ config: CONFIG });
      const process_ = await HandedDown.start(bin.program, { dir: bin.dir });
      const api = process_.api();
      try {
        const [ada, bob] = await roomOf(api, newRoom(), 2);
        const poll = bob.raw({ after: bob.cursor, wait_ms: 5000, turn: 1000 });
        assert.ok(await stillOpen(100, poll));
        act(bin.data);
        const gone = await ada.raw({ after: ada.cursor });
        assert.ok([404, 410].includes(gone.status), gone.text);
        const parked = await poll;
        assert.ok([200, 404, 410].includes(parked.status), parked.text);
        const again = (await bob.raw({ after: bob.cursor })).status;
        assert.ok([404, 410].includes(again), String(again));
        const [eve, joe] = await roomOf(api, ada.room, 2);
        await until('both are in one room', async () => {
          await eve.say('new', joe.peer);
          return dataOf(await joe.read()).includes('new');
        });
        assert.equal(fs.statSync(bin.data).mode & 0o777, 0o700);
      } finally {
        await process_.stop();
        bin.stop();
      }
    });
  }
});

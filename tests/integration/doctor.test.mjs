// What the doctor page asks the server for, and each finding of the report brought about for real.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, describe } from 'node:test';
import { Api, expectProblem, expectStatus, newRoom } from './lib/api.mjs';
import { CgiBin } from './lib/cgi.mjs';
import { Daemon } from './lib/daemon.mjs';
import { environment } from './lib/fcgi.mjs';
import { it } from './lib/it.mjs';
import { roomOf } from './lib/member.mjs';
import { BIN, newRunDir } from './lib/run-dir.mjs';
import { mountSmall } from './lib/small-disk.mjs';
import { Stack } from './lib/stack.mjs';
import { stillOpen, until } from './lib/until.mjs';

const NOBODY = 65534;
const root = process.getuid() === 0;
/** Root may write everywhere; without its capabilities it may not. */
const AS_MORTAL = root ? ['setpriv', '--bounding-set=-all', '--inh-caps=-all'] : [];
const canMount = root && spawnSync('unshare', ['-m', 'true']).status === 0;

const adminKey = (data) => fs.readFileSync(path.join(data, 'admin-key.txt'), 'utf8').trim();
const hold = (api, ms, more = {}) => api.post('/v1/doctor/hold', { ms, ...more });
const sha256 = (text) => createHash('sha256').update(text).digest('hex');
const form = { headers: { 'content-type': 'application/x-www-form-urlencoded' } };

/** Every finding of a report for the owner, by its code. */
async function findings(api, data) {
  const { json } = expectStatus(await api.post('/v1/doctor/report', { admin_key: adminKey(data) }), 200);
  return new Map(json.findings.map((finding) => [finding.code, finding]));
}

/** The codes that a stranger is told. */
async function codes(api) {
  const { json } = expectStatus(await api.post('/v1/doctor/report', {}), 200);
  assert.deepEqual(json.findings.map((f) => Object.keys(f)), json.findings.map(() => ['code']));
  return json.findings.map((finding) => finding.code);
}

async function withDaemon(options, run, command = []) {
  const daemon = new Daemon(options);
  daemon.workersMayChange = true;
  fs.chmodSync(daemon.data, 0o700);
  await options.prepare?.(daemon);
  daemon.spawn([...command, BIN]);
  try {
    await daemon.ready();
    await run(daemon, daemon.api());
  } finally {
    await daemon.stop();
  }
}

describe('the doctor behind nginx', { concurrency: 4 }, () => {
  let stack;
  let api;
  before(async () => {
    stack = await Stack.start({ config: { origins: 'https://chat.example' } });
    api = stack.api;
  });
  after(() => stack?.stop());

  it('finds in health what tells machines, folders and ways of waiting apart', async () => {
    const { json } = expectStatus(await api.get('/v1/health'), 200);
    assert.equal(json.arch, process.arch === 'arm64' ? 'aarch64' : 'x86_64');
    assert.equal(json.process_per_poll, false);
    assert.equal(json.hold_ms, 2000);
    assert.equal(json.polls_max, 8);
    assert.ok(Math.abs(json.time_ms - Date.now()) < 5000);
    assert.match(json.place, /^[0-9a-f]{16}$/);
    assert.match(json.host, /^[0-9a-f]{16}$/);
    assert.notEqual(json.place, json.host);
    for (let i = 0; i < 8; i += 1) {
      const again = (await stack.anotherApi().get('/v1/health')).json;
      assert.deepEqual([again.place, again.host], [json.place, json.host], 'in every worker');
    }
    assert.ok(!json.place.includes(sha256(fs.readFileSync('/proc/sys/kernel/random/boot_id')).slice(0, 8)));
  });

  it('gets told what arrived of a call, as JSON and as a form', async () => {
    const body = JSON.stringify({ text: 'Grüße "<script>"\n' });
    const json = expectStatus(await api.post('/v1/doctor/echo', body,
      { headers: { 'content-type': 'application/json', 'X-Klatch-Key': 'k' } }), 200).json;
    assert.deepEqual(json, {
      method: 'POST', content_type: 'application/json', body_bytes: Buffer.byteLength(body),
      body_sha256: sha256(body), authorization: false, x_klatch_key: true, https: false,
      origin: false, query: false,
    });
    const text = `json=${encodeURIComponent(body)}`;
    const sent = expectStatus(await api.post('/v1/doctor/echo?x=1', text, form), 200);
    assert.equal(sent.json.content_type, 'application/x-www-form-urlencoded');
    assert.equal(sent.json.body_sha256, sha256(text));
    assert.equal(sent.json.query, true);
    const big = 'x'.repeat(100000);
    assert.equal((await api.post('/v1/doctor/echo', big, form)).json.body_sha256, sha256(big));
    expectProblem(await api.post('/v1/doctor/echo', `${big}x`, form), 413, 'message-too-large');
  });

  it('gets told which headers passed', async () => {
    const get = (headers) => api.get('/v1/doctor/echo', { headers });
    const all = await get({ Authorization: 'Bearer x', 'X-Klatch-Key': 'k', Origin: 'https://chat.example', 'X-Forwarded-Proto': 'https' });
    const seen = ({ authorization, x_klatch_key: key, https, origin }) => [authorization, key, https, origin];
    assert.deepEqual(seen(all.json), [true, true, true, true]);
    assert.equal(all.json.method, 'GET');
    assert.equal(all.headers['access-control-allow-origin'], 'https://chat.example');
    assert.equal(all.headers['x-content-type-options'], 'nosniff');
    const none = await get({ Origin: 'https://evil.example' });
    assert.deepEqual(seen(none.json), [false, false, false, true]);
    assert.equal(none.headers['access-control-allow-origin'], undefined);
    assert.deepEqual(seen((await get({})).json), [false, false, false, false]);
  });

  it('knows its calls\' methods', async () => {
    expectProblem(await api.call('PUT', '/v1/doctor/echo'), 405, 'method-not-allowed');
    for (const name of ['hold', 'report', 'save']) {
      const refused = expectProblem(await api.get(`/v1/doctor/${name}`), 405, 'method-not-allowed');
      assert.doesNotMatch(refused.headers.allow, /GET/);
      expectProblem(await api.post(`/v1/doctor/${name}`, '['), 400, 'invalid-request');
      expectProblem(await api.post(`/v1/doctor/${name}`, '{}', { headers: { 'content-type': 'text/plain' } }), 415, 'unsupported-type');
    }
    expectProblem(await api.get('/v1/doctor'), 404, 'not-found');
    expectProblem(await api.get('/v1/doctor/echo/x'), 404, 'not-found');
  });

  it('holds a call for as long as asked, beside others', async () => {
    const more = { headers: { Origin: 'https://chat.example' } };
    const long = api.post('/v1/doctor/hold', { ms: 1500 }, more);
    const short = expectStatus(await hold(stack.anotherApi(), 300), 200);
    assert.ok(short.json.held_ms >= 300 && short.json.held_ms < 1400, short.text);
    const { json, ms, headers } = expectStatus(await long, 200);
    assert.deepEqual(Object.keys(json), ['held_ms']);
    assert.ok(json.held_ms >= 1500 && ms >= 1500, `${json.held_ms} ${ms}`);
    assert.equal(headers['access-control-allow-origin'], 'https://chat.example');
    assert.deepEqual((await hold(api, 0)).json, { held_ms: 0 });
  });

  it('tells a stranger codes only, and what lies in the data folder is not shown', async () => {
    const answer = await api.post('/v1/doctor/report', {});
    assert.doesNotMatch(answer.text, /\//);
    assert.deepEqual(Object.keys(answer.json), ['admin', 'findings']);
    const owner = (await api.post('/v1/doctor/report', { admin_key: adminKey(stack.data) })).json;
    assert.equal(owner.facts.data_dir, stack.data);
    assert.equal(owner.facts.binary, stack.bin);
    assert.equal(owner.data_url, undefined, 'nginx shows the page\'s folder alone');
  });
});

describe('the admin key', () => {
  it('is made with the data folder, for its owner only, and never logged', async () => withDaemon(
    { config: { log_level: 'debug' } },
    async (daemon, api) => {
      const file = path.join(daemon.data, 'admin-key.txt');
      const key = adminKey(daemon.data);
      assert.equal(fs.statSync(file).mode & 0o777, 0o600);
      assert.match(key, /^[\w-]{43}$/);
      assert.equal((await findings(api, daemon.data)).has('admin-key-missing'), false);
      for (let i = 0; i < 10; i += 1) {
        expectProblem(await api.post('/v1/doctor/report', { admin_key: `${key.slice(0, -1)}${i}x` }), 403, 'not-permitted');
      }
      for (let i = 0; i < 3; i += 1) {
        const wrong = { admin_key: 'wrong', ms: 0, lines: { hold_ms: 1 } };
        for (const name of ['report', 'hold', 'save']) {
          expectProblem(await api.post(`/v1/doctor/${name}`, wrong), 429, 'rate-limited');
        }
      }
      await findings(api, daemon.data); // the owner is not kept out by that
      expectProblem(await api.post('/v1/doctor/save', { lines: { hold_ms: 1 } }), 403, 'not-permitted');
      const log = fs.readFileSync(daemon.log, 'utf8');
      assert.match(log, /admin-key-wrong from=127\.0\.0\.0/);
      assert.ok(!log.includes(key.slice(0, 20)));
      fs.rmSync(file);
      await until('there is another key', async () => {
        const { status } = await api.post('/v1/doctor/report', { admin_key: key });
        return status !== 200 && fs.existsSync(file) && adminKey(daemon.data) !== key;
      });
      await findings(api, daemon.data);
    },
  ));
});

describe('a hold', { concurrency: 4 }, () => {
  it('is answered with what was held when its process ends', async () => withDaemon({}, async (daemon, api) => {
    const held = hold(api, 30000);
    assert.ok(await stillOpen(300, held));
    await daemon.terminate();
    const { json } = expectStatus(await held, 200);
    assert.ok(json.held_ms >= 100 && json.held_ms < 20000, JSON.stringify(json));
  }));

  it('takes a place of the budget where a poll costs a process, and gives it back', async () => withDaemon(
    { config: { mode: 'process', polls_max: 4 }, workers: 2 },
    async (daemon, api) => {
      const connections = [await daemon.connect(), await daemon.connect()];
      const holds = connections.map((connection) => hold(Daemon.apiOn(connection), 20000));
      for (const held of holds) {
        held.catch(() => {});
        assert.ok(await stillOpen(100, held));
      }
      const ended = hold(api, 1500);
      assert.ok(await stillOpen(100, ended));
      const over = expectStatus(await hold(api, 5000), 200);
      assert.equal(over.json.held_ms, 0);
      assert.ok(over.json.retry_ms > 0 && over.ms < 1000, over.text);
      const [ada] = await roomOf(api, newRoom(), 1); // for whom no place is kept: there is none
      const poll = expectStatus(await ada.raw({ after: ada.cursor, wait_ms: 2000, turn: 1 }), 200);
      assert.ok(poll.json.retry_ms > 0, `one budget for both: ${poll.text}`);
      const owner = hold(api, 1000, { admin_key: adminKey(daemon.data) });
      assert.ok(await stillOpen(100, owner));
      await ada.say('sends get through');
      assert.ok((await owner).json.held_ms >= 1000);
      assert.ok((await ended).json.held_ms >= 1500);
      for (const connection of connections) connection.close(); // as their browsers go away
      await until('three can be held again', async () => {
        const again = [hold(api, 700), hold(api, 700), hold(api, 700)];
        return (await Promise.all(again)).every(({ json }) => json.held_ms >= 700);
      });
    },
  ));

  it('in plain CGI takes a place across processes', async () => {
    const bin = new CgiBin({ config: { polls_max: 1 } });
    const api = bin.api();
    try {
      const first = hold(api, 2500);
      await until('the first has its place', () => bin.processes.size === 1);
      assert.ok(await stillOpen(500, first));
      const second = expectStatus(await hold(api, 1000), 200);
      assert.equal(second.json.held_ms, 0);
      assert.ok((await first).json.held_ms >= 2500);
      assert.ok((await hold(api, 100)).json.held_ms >= 100);
    } finally {
      bin.stop();
    }
  });

  it('beyond 64 of strangers is answered at once where polls are parked', async () => withDaemon({}, async (daemon, api) => {
    const connections = [];
    const from = async (address) => {
      const connection = await daemon.connect();
      connections.push(connection);
      return new Api((call) => connection.send(call,
        { env: { ...environment(call), REMOTE_ADDR: address } }));
    };
    const holds = [];
    for (let i = 0; i < 64; i += 1) {
      holds.push(hold(await from(`192.0.2.${i % 2}`), 20000).catch(() => {}));
    }
    assert.ok(await stillOpen(300, Promise.race(holds)));
    const over = expectStatus(await hold(api, 5000), 200);
    assert.equal(over.json.held_ms, 0);
    assert.ok(over.json.retry_ms > 0 && over.ms < 1000, over.text);
    assert.ok((await hold(api, 300, { admin_key: adminKey(daemon.data) })).json.held_ms >= 300);
    for (const connection of connections) connection.close();
    await Promise.all(holds);
    await until('strangers can hold again', async () => (await hold(api, 50)).json.held_ms >= 50);
  }));
});

describe('a flood of doctor calls', () => {
  it('is refused with 429 for its address, and nobody else is slowed', async () => {
    const stack = await Stack.start();
    const agent = new http.Agent({ keepAlive: true, maxSockets: 4 });
    try {
      const api = stack.entry('/api', agent);
      const answers = await Promise.all(Array.from({ length: 640 }, () => api.get('/v1/doctor/echo')));
      const refused = answers.filter(({ status }) => status === 429);
      assert.ok(refused.length >= 20, `${refused.length} refused`);
      expectProblem(refused[0], 429, 'rate-limited');
      expectProblem(await stack.api.post('/v1/doctor/report', {}), 429, 'rate-limited');
      expectStatus(await stack.api.get('/v1/health'), 200);
      await roomOf(stack.api, newRoom(), 2);
    } finally {
      agent.destroy();
      await stack.stop();
    }
  });
});

/** For env(1): libfaketime before a program with the sanitizers in it, which want to be first. */
function atTime(time, ...more) {
  const asan = execFileSync('gcc', ['-print-file-name=libasan.so'], { encoding: 'utf8' }).trim();
  const faketime = execFileSync('sh', ['-c', 'ls /usr/lib/*/faketime/libfaketime.so.1'], { encoding: 'utf8' }).trim();
  return [`LD_PRELOAD=${asan} ${faketime}`, 'FAKETIME_DONT_FAKE_MONOTONIC=1', ...time ? [`FAKETIME=${time}`] : [], ...more];
}

describe('a finding', { concurrency: 4 }, () => {
  /** A condition that is there from the start: `code` is found, with `has` in it. */
  function found(title, code, { prepare, config, data, command, has = {}, needs = true }) {
    it(`${code}: ${title}`, async (t) => {
      if (!needs) {
        t.skip('needs root and the right to mount');
        return;
      }
      await withDaemon({ config, data, prepare }, async (daemon, api) => {
        const finding = (await findings(api, daemon.data)).get(code);
        assert.ok(finding, `${code} in ${(await codes(api)).join(' ')}`);
        for (const [name, value] of Object.entries(has)) assert.equal(finding[name], value, name);
        assert.ok((await codes(api)).includes(code));
      }, command);
    });
  }

  it('is none on a good host', async () => withDaemon(
    { prepare: (daemon) => fs.chmodSync(daemon.configFile, 0o600) },
    async (daemon, api) => {
      assert.deepEqual((await codes(api)).filter((code) => code !== 'runs-as-root'), []);
      assert.equal((await codes(api)).includes('runs-as-root'), root);
      assert.deepEqual(fs.readdirSync(daemon.data).filter((name) => /doctor|tmp/.test(name)), [],
        'nothing stays of what it wrote');
    },
  ));

  found('the folder\'s mode lets others in', 'data-open',
    { prepare: (daemon) => fs.chmodSync(daemon.data, 0o755), has: { mode: '0755' } });
  found('a file in it belongs to another user', 'data-owner', {
    needs: root,
    prepare: (daemon) => {
      fs.writeFileSync(path.join(daemon.data, 'rooms.lock'), '');
      fs.chownSync(path.join(daemon.data, 'rooms.lock'), NOBODY, NOBODY);
    },
    has: { owner: NOBODY },
  });
  found('no other process hears', 'bell-silent', { prepare: (daemon) => fs.mkdirSync(path.join(daemon.data, 'bell')) });
  found('nothing counts calls', 'rates-off', { prepare: (daemon) => fs.mkdirSync(path.join(daemon.data, 'rates')) });
  found('nothing counts held polls', 'slots-off',
    { config: { mode: 'process' }, prepare: (daemon) => fs.mkdirSync(path.join(daemon.data, 'slots')) });
  found('a poll costs a process', 'process-per-poll', { config: { mode: 'process' }, has: { polls_max: 8 } });
  found('few files may be open', 'descriptors-low', { command: ['prlimit', '--nofile=300:300'], has: { limit: 300 } });
  found('few processes may run', 'processes-low',
    { needs: root, config: { mode: 'process' }, command: ['prlimit', '--nproc=12:12'], has: { limit: 12, least: 16 } });
  found('the configuration tells everybody a password', 'config-open', {
    config: { ice_server: ['turn:turn.example:3478 ada secret'] },
    prepare: (daemon) => fs.chmodSync(daemon.configFile, 0o644),
    has: { mode: '0644' },
  });
  found('the key file lets others read it', 'admin-key-open', {
    prepare: (daemon) => {
      fs.writeFileSync(path.join(daemon.data, 'admin-key.txt'), `${'k'.repeat(43)}\r\n`);
      fs.chmodSync(path.join(daemon.data, 'admin-key.txt'), 0o644);
    },
    has: { mode: '0644' },
  });
  found('/proc is closed', 'boot-id-unreadable', {
    needs: canMount,
    command: ['unshare', '-m', 'sh', '-c', 'mount -t tmpfs tmpfs /proc/sys/kernel/random && exec "$0" "$@"'],
  });

  // Over itself, in a mount namespace that ends with the process: what a network mount by FUSE is.
  found('the folder is on a network file system', 'data-remote', {
    needs: canMount,
    command: ['unshare', '-m', 'sh', '-c',
      // eslint-disable-next-line no-template-curly-in-string -- the shell's
      'eval "conf=\\${$#}"; data=$(dirname "$conf")/data; bindfs "$data" "$data" && exec "$0" "$@"'],
    has: { fs: 'fuse' },
  });
  found('a file can not be written whole', 'data-write-failed',
    { command: ['prlimit', '--fsize=40000:40000'], has: { error: 'EFBIG' } });
  found('the clock is of another year', 'clock-wrong', { command: ['env', ...atTime('@2020-01-01 00:00:00')] });

  it('clock-stepped: the clock was set while it ran', async () => {
    const clock = path.join(newRunDir(), 'clock');
    fs.writeFileSync(clock, '+0');
    await withDaemon({}, async (daemon, api) => {
      assert.ok(!(await codes(api)).includes('clock-stepped'));
      fs.writeFileSync(clock, '+1h');
      await until('the step is seen', async () => (await codes(api)).includes('clock-stepped'));
      const { step_ms: step } = (await findings(api, daemon.data)).get('clock-stepped');
      assert.ok(Math.abs(step - 3600_000) < 60_000, `${step}`);
    }, ['env', ...atTime('', `FAKETIME_TIMESTAMP_FILE=${clock}`, 'FAKETIME_NO_CACHE=1')]);
  });

  it('data-full, data-low, data-volatile: a disk in memory that is full', async (t) => {
    const small = mountSmall(8 << 20);
    if (!small) {
      t.skip('mounting a tmpfs is not permitted');
      return;
    }
    try {
      await withDaemon({ data: path.join(small.dir, 'data') }, async (daemon, api) => {
        const first = await codes(api);
        assert.ok(first.includes('data-volatile') && first.includes('data-low') && !first.includes('data-full'), first.join(' '));
        small.fill();
        const now = await findings(api, daemon.data);
        assert.equal(now.get('data-full').free_bytes, 0);
        assert.equal(now.get('data-low').free_bytes, 0);
        small.free();
        assert.ok(!(await codes(api)).includes('data-full'));
      });
    } finally {
      small.remove();
    }
  });

  it('data-missing: something else is where the data folder was', async () => withDaemon({}, async (daemon, api) => {
    fs.rmSync(daemon.data, { recursive: true });
    fs.writeFileSync(daemon.data, '');
    await until('it is told', async () => {
      const { status, json } = await api.post('/v1/doctor/report', {}).catch(() => ({}));
      return status === 200 && json.findings.some(({ code }) => code === 'data-missing');
    });
  }));

  it('data-not-writable: no file can be made', async (t) => {
    if (!root) {
      t.skip('needs root');
      return;
    }
    await withDaemon({}, async (daemon, api) => {
      fs.chmodSync(daemon.data, 0o500);
      const finding = (await findings(api, daemon.data)).get('data-not-writable');
      assert.equal(finding.error, 'EACCES');
      assert.equal(finding.path, daemon.data);
      fs.chmodSync(daemon.data, 0o700);
      assert.ok(!(await codes(api)).includes('data-not-writable'));
    }, AS_MORTAL);
  });

  it('config-wrong, config-unreadable: a configuration that was changed under the process', async () => withDaemon({}, async (daemon, api) => {
    const text = fs.readFileSync(daemon.configFile, 'utf8');
    fs.writeFileSync(daemon.configFile, `${text}\nhold_mss = 1\n`);
    const wrong = (await findings(api, daemon.data)).get('config-wrong');
    assert.equal(wrong.line, text.split('\n').length + 1);
    assert.match(wrong.error, /hold_mss/);
    assert.equal(wrong.path, daemon.configFile);
    const save = { admin_key: adminKey(daemon.data), lines: { hold_ms: 1000 } };
    expectProblem(await api.post('/v1/doctor/save', save), 409, 'config-wrong');
    fs.writeFileSync(daemon.configFile, text);
    fs.chmodSync(daemon.configFile, 0);
    if (root) assert.equal((await findings(api, daemon.data)).get('config-unreadable').error, 'EACCES');
    expectProblem(await api.post('/v1/doctor/save', save), 507, 'not-writable');
  }, AS_MORTAL));

  /** The report of a plain CGI program, which finds its configuration and data by itself. */
  async function ofCgi(prepare, env = {}) {
    const bin = new CgiBin();
    try {
      fs.chmodSync(bin.data, 0o700);
      prepare(bin);
      const api = bin.api({ env });
      await bin.run({ method: 'GET', path: '/v1/health' }, { env }); // which may refuse
      const own = fs.readdirSync(bin.folder).find((name) => /^\.ht-klatch-/.test(name));
      const data = own ? path.join(bin.folder, own, 'data') : bin.data;
      const file = path.join(data, 'admin-key.txt');
      const key = fs.existsSync(file) && fs.statSync(file).isFile() ? { admin_key: adminKey(data) } : {};
      const { json } = expectStatus(await api.post('/v1/doctor/report', key), 200);
      return { bin, api, own, data, json, codes: json.findings.map(({ code }) => code) };
    } finally {
      bin.stop();
    }
  }

  it('config-missing, data-in-root: only the web folder was uploaded, and its names can\'t be guessed', async () => {
    const env = {};
    const seen = await ofCgi((bin) => {
      fs.rmSync(path.join(bin.folder, 'klatch.conf'));
      env.DOCUMENT_ROOT = bin.dir;
    }, env);
    assert.ok(seen.codes.includes('config-missing') && seen.codes.includes('data-in-root'), seen.codes.join(' '));
    assert.ok(!seen.codes.includes('data-guessable'), seen.codes.join(' '));
    assert.equal(seen.json.data_url, `/cgi-bin/${seen.own}/data`);
    assert.equal(seen.json.config_url, undefined);
    assert.equal(seen.json.facts.config_found, false);
  });

  it('data-guessable, config-in-root: both lie where the web server shows files', async () => {
    const env = {};
    const seen = await ofCgi((bin) => { env.DOCUMENT_ROOT = bin.dir; }, env);
    for (const code of ['data-in-root', 'data-guessable', 'config-in-root']) assert.ok(seen.codes.includes(code), seen.codes.join(' '));
    assert.equal(seen.json.data_url, '/data');
    assert.equal(seen.json.config_url, '/cgi-bin/klatch.conf');
    const user = await ofCgi((bin) => {
      env.DOCUMENT_ROOT = '/var/www/html';
      env.CONTEXT_DOCUMENT_ROOT = bin.dir;
      env.CONTEXT_PREFIX = '/~ada';
    }, env);
    assert.equal(user.json.data_url, '/~ada/data');
  });

  it('binary-open, binary-owner: others could have put another program there', async (t) => {
    const open = await ofCgi((bin) => fs.chmodSync(bin.program, 0o775));
    assert.ok(open.codes.includes('binary-open') && !open.codes.includes('binary-owner'), open.codes.join(' '));
    assert.equal(open.json.findings.find(({ code }) => code === 'binary-open').mode, '0775');
    if (!root) {
      t.skip('needs root');
      return;
    }
    const other = await ofCgi((bin) => fs.chownSync(bin.program, NOBODY, NOBODY));
    assert.equal(other.json.findings.find(({ code }) => code === 'binary-owner').owner, NOBODY);
  });

  it('refusing, admin-key-missing: nothing can be served, and the doctor says why', async () => {
    const seen = await ofCgi((bin) => fs.appendFileSync(path.join(bin.folder, 'klatch.conf'), 'nonsense\n'));
    assert.ok(seen.codes.includes('refusing') && seen.codes.includes('config-wrong'), seen.codes.join(' '));
    const gone = await ofCgi((bin) => {
      fs.rmSync(bin.data, { recursive: true });
      fs.writeFileSync(bin.data, '');
    });
    assert.ok(gone.codes.includes('refusing') && gone.codes.includes('data-missing'), gone.codes.join(' '));
    const keyless = await ofCgi((bin) => fs.mkdirSync(path.join(bin.data, 'admin-key.txt')));
    assert.ok(keyless.codes.includes('admin-key-missing'), keyless.codes.join(' '));
  });
});

describe('saving', { concurrency: 4 }, () => {
  const save = (api, data, lines) => api.post('/v1/doctor/save', { admin_key: adminKey(data), lines });

  it('changes these lines alone, and the processes take them by themselves', async () => withDaemon(
    { workers: 2 },
    async (daemon, api) => {
      fs.appendFileSync(daemon.configFile, '# my note\r\n#polls_max = 8\nlog_level = info');
      fs.chmodSync(daemon.configFile, 0o640);
      const text = fs.readFileSync(daemon.configFile, 'utf8');
      const { json } = expectStatus(await save(api, daemon.data, { hold_ms: 1500, polls_max: 5, mode: 'process' }), 200);
      assert.deepEqual(json, { saved: ['hold_ms', 'polls_max', 'mode'] });
      assert.equal(fs.readFileSync(daemon.configFile, 'utf8'), `${text
        .replace('hold_ms = 2000', 'hold_ms = 1500')
        .replace('#polls_max = 8\n', '#polls_max = 8\npolls_max = 5\n')}\nmode = process\n`);
      assert.equal(fs.statSync(daemon.configFile).mode & 0o7777, 0o640);
      assert.deepEqual(fs.readdirSync(daemon.dir).filter((name) => /tmp/.test(name)), []);
      await until('every worker has them', async () => {
        const answers = await Promise.all(Array.from({ length: 8 }, () => api.get('/v1/health').catch(() => null)));
        return answers.every((a) => a?.json.hold_ms === 1500 && a.json.polls_max === 5 && a.json.process_per_poll);
      });
    },
  ));

  it('makes the file for its owner alone where there was none', async () => {
    const bin = new CgiBin();
    try {
      fs.rmSync(path.join(bin.folder, 'klatch.conf'));
      const api = bin.api();
      await api.get('/v1/health');
      const own = path.join(bin.folder, fs.readdirSync(bin.folder).find((name) => /^\.ht-klatch-/.test(name)));
      expectStatus(await save(api, path.join(own, 'data'), { hold_ms: 12000 }), 200);
      const file = path.join(own, 'klatch.conf');
      assert.equal(fs.readFileSync(file, 'utf8'), 'hold_ms = 12000\n');
      assert.equal(fs.statSync(file).mode & 0o7777, 0o600);
      assert.equal((await api.get('/v1/health')).json.hold_ms, 12000);
    } finally {
      bin.stop();
    }
  });

  it('on a full disk changes nothing and says so', async (t) => {
    const small = mountSmall(1 << 20);
    if (!small) {
      t.skip('mounting a tmpfs is not permitted');
      return;
    }
    const prepare = (daemon) => {
      daemon.configFile = path.join(small.dir, 'klatch.conf');
      daemon.configure({});
      fs.appendFileSync(daemon.configFile, `#${'-'.repeat(20000)}\n`);
    };
    try {
      await withDaemon({ prepare }, async (daemon, api) => {
        const text = fs.readFileSync(daemon.configFile, 'utf8');
        small.fill();
        expectProblem(await save(api, daemon.data, { hold_ms: 1500 }), 507, 'disk-full');
        assert.equal(fs.readFileSync(daemon.configFile, 'utf8'), text);
        assert.deepEqual(fs.readdirSync(small.dir).sort(), ['filler', 'klatch.conf']);
        small.free();
        expectStatus(await save(api, daemon.data, { hold_ms: 1500 }), 200);
        small.readOnly();
        expectProblem(await save(api, daemon.data, { hold_ms: 1600 }), 507, 'not-writable');
      });
    } finally {
      small.remove();
    }
  });

  it('of two at a time leaves one of them, whole', async () => withDaemon({ workers: 2 }, async (daemon, api) => {
    const values = Array.from({ length: 12 }, (_, i) => 1000 + i);
    const answers = await Promise.all(values.map((hold_ms) => save(api, daemon.data, { hold_ms })));
    for (const answer of answers) expectStatus(answer, 200);
    const lines = fs.readFileSync(daemon.configFile, 'utf8').split('\n').filter((line) => line.startsWith('hold_ms'));
    assert.equal(lines.length, 1);
    assert.ok(values.includes(Number(lines[0].replace('hold_ms = ', ''))), lines[0]);
  }));
});

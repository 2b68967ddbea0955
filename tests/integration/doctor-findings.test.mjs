// Each finding of the doctor's report, brought about for real.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe } from 'node:test';
import { expectProblem, expectStatus } from './lib/api.mjs';
import { CgiBin } from './lib/cgi.mjs';
import { adminKey, codes, findings, withDaemon } from './lib/doctor.mjs';
import { it } from './lib/it.mjs';
import { newRunDir } from './lib/run-dir.mjs';
import { onSmallDisk } from './lib/small-disk.mjs';
import { until } from './lib/until.mjs';

const NOBODY = 65534;
const root = process.getuid() === 0;
/** Root may write everywhere; without its capabilities it may not. */
const AS_MORTAL = root ? ['setpriv', '--bounding-set=-all', '--inh-caps=-all'] : [];
const canMount = root && spawnSync('unshare', ['-m', 'true']).status === 0;

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

  it('data-full, data-low, data-volatile: a disk in memory that is full', (t) => onSmallDisk(t, 8 << 20, async (small) => {
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
  }));

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

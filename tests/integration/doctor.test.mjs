// What the doctor page asks the server for.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, before, describe } from 'node:test';
import { Api, expectProblem, expectStatus, newRoom } from './lib/api.mjs';
import { CgiBin } from './lib/cgi.mjs';
import { Daemon } from './lib/daemon.mjs';
import { adminKey, findings, withDaemon } from './lib/doctor.mjs';
import { environment } from './lib/fcgi.mjs';
import { it } from './lib/it.mjs';
import { roomOf } from './lib/member.mjs';
import { onSmallDisk } from './lib/small-disk.mjs';
import { Stack } from './lib/stack.mjs';
import { stillOpen, until } from './lib/until.mjs';

const hold = (api, ms, more = {}) => api.post('/v1/doctor/hold', { ms, ...more });
const sha256 = (text) => createHash('sha256').update(text).digest('hex');
const form = { headers: { 'content-type': 'application/x-www-form-urlencoded' } };

describe('the doctor behind nginx', { concurrency: 4 }, () => {
  let stack;
  let api;
  before(async () => {
    stack = await Stack.start({ config: { origins: 'https://chat.example' } });
    api = stack.api;
  });
  after(() => stack?.stop());

  it('finds in health what tells machines, folders and ways of waiting apart', async () => {
    const since = Date.now();
    const { json } = expectStatus(await api.get('/v1/health'), 200);
    assert.equal(json.arch, process.arch === 'arm64' ? 'aarch64' : 'x86_64');
    assert.equal(json.process_per_poll, false);
    assert.equal(json.hold_ms, 2000);
    assert.equal(json.polls_max, 8);
    assert.ok(json.time_ms > since - 5000 && json.time_ms < Date.now() + 5000);
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
    const ends = [];
    void long.then(() => ends.push('long'));
    const short = expectStatus(await hold(stack.anotherApi(), 300), 200);
    ends.push('short');
    assert.ok(short.json.held_ms >= 300, short.text);
    const { json, ms, headers } = expectStatus(await long, 200);
    assert.deepEqual(ends, ['short', 'long']);
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
        for (const [name, more] of [['report', {}], ['hold', { ms: 0 }], ['save', { lines: { hold_ms: 1 } }]]) {
          expectProblem(await api.post(`/v1/doctor/${name}`, { admin_key: 'wrong', ...more }), 429, 'rate-limited');
        }
      }
      await findings(api, daemon.data); // the owner is not kept out by that
      expectProblem(await api.post('/v1/doctor/save', { lines: { hold_ms: 1 } }, { nonsense: true }), 403, 'not-permitted');
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
      const ended = hold(api, 4000);
      assert.ok(await stillOpen(100, ended));
      const over = expectStatus(await hold(api, 20000), 200);
      assert.equal(over.json.held_ms, 0);
      assert.ok(over.json.retry_ms > 0 && over.ms < 15000, over.text);
      const [ada] = await roomOf(api, newRoom(), 1); // for whom no place is kept: there is none
      const poll = expectStatus(await ada.raw({ after: ada.cursor, wait_ms: 2000, turn: 1 }), 200);
      assert.ok(poll.json.retry_ms > 0, `one budget for both: ${poll.text}`);
      const owner = hold(api, 1000, { admin_key: adminKey(daemon.data) });
      assert.ok(await stillOpen(100, owner));
      await ada.say('sends get through');
      assert.ok((await owner).json.held_ms >= 1000);
      assert.ok((await ended).json.held_ms >= 4000);
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
    const over = expectStatus(await hold(api, 20000), 200);
    assert.equal(over.json.held_ms, 0);
    assert.ok(over.json.retry_ms > 0 && over.ms < 15000, over.text);
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
      // As many again on a machine that takes its time, in which more is allowed.
      let refused = [];
      for (let waves = 0; waves < 4 && refused.length < 20; waves += 1) {
        const answers = await Promise.all(Array.from({ length: 640 }, () => api.get('/v1/doctor/echo')));
        refused = answers.filter(({ status }) => status === 429);
      }
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

  it('on a full disk changes nothing and says so', (t) => onSmallDisk(t, 1 << 20, async (small) => {
    const prepare = (daemon) => {
      daemon.configFile = path.join(small.dir, 'klatch.conf');
      daemon.configure({});
      fs.appendFileSync(daemon.configFile, `#${'-'.repeat(20000)}\n`);
    };
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
  }));

  it('of two at a time leaves one of them, whole', async () => withDaemon({ workers: 2 }, async (daemon, api) => {
    const values = Array.from({ length: 12 }, (_, i) => 1000 + i);
    const answers = await Promise.all(values.map((hold_ms) => save(api, daemon.data, { hold_ms })));
    for (const answer of answers) expectStatus(answer, 200);
    const lines = fs.readFileSync(daemon.configFile, 'utf8').split('\n').filter((line) => line.startsWith('hold_ms'));
    assert.equal(lines.length, 1);
    assert.ok(values.includes(Number(lines[0].replace('hold_ms = ', ''))), lines[0]);
  }));
});

// Runs alone: what it finds are times.
// Requests that wait: cut, late, too many, queued; several machines behind one address.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, it as itWith } from 'node:test';
import { Daemon } from '../integration/lib/daemon.mjs';
import { it } from '../integration/lib/it.mjs';
import { BIN } from '../integration/lib/run-dir.mjs';
import { Apache } from '../servers/lib/apache.mjs';
import { Nginx } from '../servers/lib/nginx.mjs';
import { isRoot } from '../servers/lib/web-server.mjs';
import { Doctor, openBrowser, withoutHolds, withoutLadder } from './lib/doctor.mjs';
import { Fronts } from './lib/fronts.mjs';
import { HOLDS } from './lib/sites.mjs';

const HOLD = 'How long a request may wait';
const SLOTS = 'How many may wait at one time';
const MACHINES = 'How many machines answer';

let browser;
before(async () => { browser = await openBrowser(); });
after(() => browser?.close());

async function told(url, code, check, before_) {
  const doctor = await Doctor.open(browser, url, { before: before_ });
  try {
    await doctor.checked(check);
    const codes = await doctor.codes();
    assert.ok(codes.includes(code), `${code} is not among ${codes}; right is ${await doctor.good()}`);
    const words = await doctor.words(code);
    let lines = '';
    if (before_ !== withoutHolds) {
      await doctor.stop().catch(() => {});
      await doctor.finished();
      lines = await doctor.page.locator('pre').count() > 0 ? await doctor.lines() : '';
    }
    return { codes, words, lines };
  } finally {
    await doctor.close();
  }
}

let behind;
before(async () => { behind = await Nginx.start({ config: { ...HOLDS, hold_ms: 25000 } }); });
after(() => behind?.stop());

const PADDED = `proxy_buffering off; add_header X-Pad "${'x'.repeat(3000)}";`;

// They wait and compute little, so they wait side by side.
describe('requests that wait', { concurrency: true }, () => {
  describe('a front server with its own mind about waiting', { concurrency: true }, () => {
    let fronts;
    before(async () => {
      // nginx counts the rate from a request's beginning: so the answer is long.
      fronts = await Fronts.start(behind, {
        cut: 'location /api/ { proxy_read_timeout 3s; PROXY }',
        none: 'location ~ /doctor/hold$ { proxy_read_timeout 500ms; PROXY }',
        slow: 'location ~ /doctor/echo$ { limit_req zone=slow burst=1000; PROXY }',
        late: `location ~ /doctor/hold$ { ${PADDED} limit_rate 50; PROXY }`,
      }, { http: 'limit_req_zone $server_port zone=slow:1m rate=54r/m;' });
    });
    after(() => fronts?.stop());

    it('K-HOLD: it cuts requests after three seconds, and the line to save is told', async () => {
      const found = await told(fronts.url('cut'), 'K-HOLD', HOLD);
      assert.match(found.words, /after 3(\.\d)? seconds/);
      assert.equal(found.lines, 'hold_ms = 2000');
    });

    it('K-HOLD-NONE: it cuts requests within a second', async () => {
      const found = await told(fronts.url('none'), 'K-HOLD-NONE', HOLD);
      assert.equal(found.lines, 'hold_ms = 0');
    });

    it('K-SLOW: it lets a request pass every 1.1 seconds', async () => {
      await told(fronts.url('slow'), 'K-SLOW', SLOTS, withoutLadder);
    });

    it('K-LATE: it lets answers trickle', async () => {
      assert.match((await told(fronts.url('late'), 'K-LATE', HOLD)).words, /arrive [\d.]+ seconds late/);
    });
  });

  describe('few threads, each with a program while it waits', { concurrency: false }, () => {
    let server;
    before(async () => {
      server = await Apache.start({ recipe: 'apache-cgid', subFolder: true, config: { ...HOLDS, polls_max: 8 } });
      await restart(server, (text) => text.replace(/^ServerLimit .*\nThreadsPerChild .*\nMaxRequestWorkers .*/m,
        'ServerLimit 1\nThreadsPerChild 6\nMaxRequestWorkers 6'));
    });
    after(() => server?.stop());

    it('K-SLOTS: six requests at a time', async () => {
      const found = await told(`${server.page}/`, 'K-SLOTS', SLOTS, withoutLadder);
      assert.match(found.words, /With 7 browsers waiting/);
      assert.match(found.lines, /^polls_max = [1-5]$/);
    });
  });

  describe('few processes', { concurrency: false }, () => {
    let server;
    before(async () => { server = await Apache.start({ subFolder: true, config: { ...HOLDS, polls_max: 8 } }); });
    after(() => server?.stop());

    it('K-BUDGET: others are waiting now', async () => {
      server.site.configure({ ...HOLDS, polls_max: 1 });
      await restart(server, (text) => text);
      const stop = new AbortController();
      const held = fetch(`${server.page}/cgi-bin/klatch-poll.fcgi/v1/doctor/hold`, {
        method: 'POST', body: '{"ms":30000}', headers: { 'Content-Type': 'application/json' }, signal: stop.signal,
      }).catch(() => {});
      await told(`${server.page}/`, 'K-BUDGET', HOLD);
      stop.abort();
      await held;
    });

    it('K-QUEUE: one process for waiting and sending', async () => {
      server.site.configure({ ...HOLDS, polls_max: 8 });
      fs.rmSync(path.join(server.site.cgiBin, 'klatch-poll.fcgi'));
      await restart(server, (text) => text.replace(/FcgidMaxProcessesPerClass \d+/, 'FcgidMaxProcessesPerClass 1'));
      const found = await told(`${server.page}/`, 'K-QUEUE', SLOTS, withoutLadder);
      assert.match(found.words, /While 1 browser\(s\) waited, 4 of 4 short requests/);
      assert.equal(found.lines, 'polls_max = 0');
    });
  });

  /** Start an Apache again with its configuration changed. */
  async function restart(server, change) {
    await server.end();
    server.writeConfiguration();
    const file = path.join(server.dir, 'apache.conf');
    fs.writeFileSync(file, change(fs.readFileSync(file, 'utf8')));
    await server.run(['apache2', '-f', file, '-DFOREGROUND']);
  }

  describe('several machines', { concurrency: false }, () => {
    /** A front server that sends requests to two daemons in turn. */
    async function together(one, other, body) {
      const upstream = `upstream both { server unix:${one.socketPath}; server unix:${other.socketPath}; }`;
      const names = ['REQUEST_METHOD $request_method', 'CONTENT_TYPE $content_type', 'CONTENT_LENGTH $content_length',
        'QUERY_STRING $query_string', 'SERVER_PROTOCOL $server_protocol', 'GATEWAY_INTERFACE CGI/1.1', 'REMOTE_ADDR $remote_addr',
        'PATH_INFO $rest', 'SERVER_SOFTWARE nginx/1', 'REQUEST_URI $request_uri', 'SERVER_NAME $host', 'SERVER_PORT $server_port'];
      const params = names.map((pair) => `fastcgi_param ${pair};`).join(' ');
      const fronts = await Fronts.start(behind, {
        both: `location ~ ^/api(?<rest>/.*)$ { fastcgi_pass both; ${params} }`,
      }, { http: upstream });
      try {
        await body(fronts.url('both'));
      } finally {
        await fronts.stop();
        await one.stop();
        await other.stop();
      }
    }

    it('K-MACHINES: two with data folders of their own', async () => {
      await together(await Daemon.start({ config: HOLDS }), await Daemon.start({ config: HOLDS }), async (url) => {
        assert.match((await told(url, 'K-MACHINES', MACHINES, withoutHolds)).words, /^2 machines answer/);
      });
    });

    itWith('K-HOSTS: two with one data folder', { skip: isRoot ? false : 'needs the right to mount' }, async (test) => {
      const one = await Daemon.start({ config: HOLDS });
      const other = new Daemon({ config: HOLDS, data: one.data });
      const bootId = path.join(other.dir, 'boot_id');
      fs.writeFileSync(bootId, '11111111-2222-3333-4444-555555555555\n');
      try {
        execFileSync('unshare', ['--mount', 'true']);
      } catch {
        test.skip('no right to mount');
        return;
      }
      other.spawn(['unshare', '--mount', 'sh', '-c', `mount --bind ${bootId} /proc/sys/kernel/random/boot_id && exec "$0" "$@"`, BIN]);
      await other.ready();
      await together(one, other, async (url) => {
        assert.match((await told(url, 'K-HOSTS', MACHINES, withoutHolds)).words, /^2 machines answer, with one data folder/);
      });
    });

    it('K-VERSIONS: an older program answers in turn with a newer one', async () => {
      const one = await Daemon.start({ config: HOLDS });
      const other = new Daemon({ config: HOLDS, data: one.data });
      const older = path.join(other.dir, 'older.fcgi');
      const bytes = fs.readFileSync(BIN);
      const { version } = (await one.api().get('/v1/health')).json;
      const text = bytes.toString('latin1').replaceAll(`${version}\0`, `${version.replace(/\d$/, (digit) => String((Number(digit) + 1) % 10))}\0`)
        .replaceAll(`"${version}"`, `"${version.replace(/\d$/, (digit) => String((Number(digit) + 1) % 10))}"`);
      fs.writeFileSync(older, Buffer.from(text, 'latin1'), { mode: 0o755 });
      other.spawn([older]);
      await other.ready();
      await together(one, other, async (url) => {
        assert.match((await told(url, 'K-VERSIONS', MACHINES, withoutHolds)).words, /several versions answer: 0\.\d\.\d, 0\.\d\.\d/);
      });
    });
  });
});

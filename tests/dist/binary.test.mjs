// Runs alone: it measures.
// The binaries in the zips: what they need of the host they run on, which is nothing, and what they
// cost it.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { Api, expectStatus, newRoom } from '../integration/lib/api.mjs';
import { environment, parseCgi } from '../integration/lib/fcgi.mjs';
import { CONFIG, configText, newRunDir, tie } from '../integration/lib/run-dir.mjs';
import { now } from '../integration/lib/until.mjs';
import { CHECK, MACHINES, VERSION, binaryOf, chrootCommand, objectOf } from './lib/dist.mjs';

const BYTES_MAX = 2 * 1024 * 1024;
const ABOVE_EMPTY_MS_MAX = 0.25;
const QEMU = '/usr/bin/qemu-aarch64-static';
const root = chrootCommand();
const dirs = [];
after(() => dirs.forEach((dir) => fs.rmSync(dir, { recursive: true, force: true })));

const readelf = (what, file) => execFileSync('readelf', ['--wide', what, file], { encoding: 'utf8' });

/** Fails for a program that asks the host for anything. */
function checkStatic(file) {
  assert.doesNotMatch(readelf('--program-headers', file), /INTERP/, `${file} has an interpreter`);
  assert.doesNotMatch(readelf('--dynamic', file), /NEEDED/, `${file} needs a library`);
}

// What in a static program too would have the C library load the host's: names, users, languages.
const HOST_WIDE = new RegExp(`^(${['getaddrinfo', 'getnameinfo', '(get|set|end)(host|net|serv|proto)(by|ent)\\w*',
  '(get|set|end|fget)(pw|gr|sp|sg)\\w+', 'initgroups', 'innetgr', 'res_\\w+', 'iconv\\w*', 'dlm?open', 'dlsym', 'setlocale',
  'newlocale', 'bindtextdomain', 'wordexp', 'glob'].join('|')})$`);

/** Fails for an object that asks the C library for such a thing. */
function checkAlone(file) {
  const asked = readelf('--symbols', file).split('\n').map((line) => / UND (\S+)$/.exec(line)?.[1]).filter(Boolean);
  assert.ok(asked.includes('memcpy'), `${file} asks for something`);
  assert.deepEqual(asked.filter((name) => HOST_WIDE.test(name)), []);
}

/** A folder with the binary, a configuration and nothing else, and how to run it in there. */
function emptyRoot(machine) {
  const dir = newRunDir();
  dirs.push(dir);
  fs.copyFileSync(binaryOf(machine), path.join(dir, 'klatch.cgi'));
  fs.chmodSync(path.join(dir, 'klatch.cgi'), 0o755);
  fs.writeFileSync(path.join(dir, 'klatch.conf'), configText(CONFIG));
  fs.mkdirSync(path.join(dir, 'data'), { mode: 0o700 });
  const inside = ['/klatch.cgi'];
  if (machine !== process.arch.replace('x64', 'x86_64').replace('arm64', 'aarch64')) {
    fs.copyFileSync(QEMU, path.join(dir, 'qemu'));
    fs.chmodSync(path.join(dir, 'qemu'), 0o755);
    inside.unshift('/qemu');
  }
  return { dir, command: [...root.command, dir, ...inside] };
}

/** One call, one process, in a root of its own. */
function cgiIn({ command: [program, ...rest] }) {
  return (call) => new Promise((resolve, reject) => {
    const since = now();
    const child = tie(spawn(program, rest, {
      env: { PATH: process.env.PATH, ...environment({ software: 'Apache', ...call }) },
    }));
    const out = [];
    let complaint = '';
    child.stdout.on('data', (part) => out.push(part));
    child.stderr.on('data', (part) => { complaint += part; });
    child.stdin.on('error', () => {});
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code !== 0) reject(new Error(`it ended with ${signal ?? code}: ${complaint}`));
      else resolve(parseCgi(Buffer.concat(out), now() - since));
    });
    child.stdin.end(call.body);
  });
}

/** Medians in milliseconds of what a GET of health takes, the programs in turn. */
function medians(runs, programs) {
  const out = execFileSync(path.join(CHECK, 'spawn-time'), [String(runs), ...programs], {
    encoding: 'utf8', env: environment({ method: 'GET', path: '/v1/health', software: 'Apache' }),
  });
  return out.trim().split('\n').map((line) => Number(line.split(' ').at(-1)) / 1000);
}

describe('the binaries in the zips', () => {
  for (const machine of MACHINES) {
    it(`${machine}: needs no interpreter and no library`, () => {
      checkStatic(binaryOf(machine));
      const kind = { x86_64: 'X86-64', aarch64: 'AArch64' }[machine];
      assert.match(readelf('--file-header', binaryOf(machine)), new RegExp(`Machine:.*${kind}`));
    });

    it(`${machine}: resolves no name, looks up no user, loads no language or library`, () => {
      checkAlone(objectOf(machine));
    });

    it(`${machine}: is hardened: position-independent, read-only relocations, no executable stack`, () => {
      assert.match(readelf('--file-header', binaryOf(machine)), /Type:\s+DYN/);
      const headers = readelf('--program-headers', binaryOf(machine));
      assert.match(headers, /GNU_RELRO/);
      assert.match(headers, /GNU_STACK.* RW /);
      assert.doesNotMatch(headers, /LOAD.* RWE /);
      assert.match(readelf('--dynamic', binaryOf(machine)), /BIND_NOW|FLAGS_1.*NOW/);
    });

    it(`${machine}: has at most 2 MB`, (t) => {
      const { size } = fs.statSync(binaryOf(machine));
      t.diagnostic(`${machine}: ${size} bytes`);
      assert.ok(size <= BYTES_MAX, `${size} bytes`);
    });

    it(`${machine}: two people meet in an empty root, where nothing of a system is`,
      { skip: root.why ?? false, timeout: 60000 }, async () => {
        const box = emptyRoot(machine);
        const api = new Api(cgiIn(box));
        const health = expectStatus(await api.get('/v1/health'), 200).json;
        assert.equal(health.version, VERSION);
        assert.equal(health.arch ?? machine, machine);
        const room = newRoom();
        const [anna, ben] = [expectStatus(await api.room(room, 'join', { name: 'Anna' }), 201).json,
          expectStatus(await api.room(room, 'join', { name: 'Ben' }), 201).json];
        const sent = await api.room(room, 'exchange', { key: ben.key, after: ben.cursor,
          send: [{ id: 'a', to: anna.peer, type: 'offer', data: { sdp: 'v=0' } }] });
        expectStatus(sent, 200);
        const got = expectStatus(await api.room(room, 'exchange',
          { key: anna.key, after: anna.cursor, wait_ms: 1000 }), 200).json;
        assert.deepEqual(got.messages.map(({ type, from }) => [type, from]),
          [['peer-joined', null], ['offer', ben.peer]]);
        assert.ok(fs.readdirSync(path.join(box.dir, 'data')).length > 0, 'its data lies where it was told');
      });
  }

  it('are neither linked as usual nor with all of libfcgi: these tests would tell', () => {
    assert.throws(() => checkStatic(path.join(CHECK, 'spawn-time')), /has an interpreter/);
    assert.throws(() => checkAlone(objectOf('x86_64', 'lib/libfcgi/libfcgi/os_unix.o')), /gethostbyname/);
  });

  it('answer as plain CGI within 0.25 ms of a static program that does nothing', (t) => {
    const box = emptyRoot('x86_64');
    const programs = [path.join(CHECK, 'empty-cgi'), path.join(box.dir, 'klatch.cgi')];
    const rounds = [];
    do {
      const [empty, klatch] = medians(200, programs);
      t.diagnostic(`empty static CGI ${empty.toFixed(3)} ms, Klatch ${klatch.toFixed(3)} ms`);
      rounds.push(klatch - empty);
    } while (rounds.at(-1) > ABOVE_EMPTY_MS_MAX && rounds.length < 5);
    assert.ok(Math.min(...rounds) <= ABOVE_EMPTY_MS_MAX, `${rounds.map((ms) => ms.toFixed(3))} ms above it`);
  });
});

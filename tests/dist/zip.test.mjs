// What a person uploads: what is in the zips, with which modes, and that uploading twice loses nothing.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { environment, parseCgi } from '../integration/lib/fcgi.mjs';
import { ROOT, newRunDir } from '../integration/lib/run-dir.mjs';
import { halfUploaded, inTextMode, withoutPrograms } from './lib/bad-upload.mjs';
import { MACHINES, VERSION, binaryOf, modeOf, unzip, walk, zipOf } from './lib/dist.mjs';

const PROGRAMS = ['klatch.fcgi', 'klatch-poll.fcgi', 'klatch.cgi'];
const BINARY = /\.(png|f?cgi)$/;
const dirs = [];
const fresh = (machine) => {
  const dir = unzip(zipOf(machine));
  dirs.push(dir);
  return dir;
};
const webFolder = (dir) => path.join(dir, 'public_html/klatch');
const filesOf = (dir) => walk(dir).filter((name) => !name.endsWith('/'));
after(() => dirs.forEach((dir) => fs.rmSync(dir, { recursive: true, force: true })));

/** What of the list of files isn't so: the doctor page's question. */
function differences(folder) {
  const list = JSON.parse(fs.readFileSync(path.join(folder, 'files.json'), 'utf8'));
  return list.files.filter(({ path: name, bytes, sha256 }) => {
    const file = path.join(folder, name);
    if (!fs.existsSync(file)) return true;
    const content = fs.readFileSync(file);
    return content.length !== bytes || createHash('sha256').update(content).digest('hex') !== sha256;
  }).map(({ path: name }) => name);
}

/** Addresses that a file of the page names relative to itself. */
function namedIn(folder, name) {
  const text = fs.readFileSync(path.join(folder, name), 'utf8');
  const pattern = name.endsWith('.html') ? /(?:href|src)="([^"#:]+)"/g
    : /(?:^|[\s;}])(?:import|export)[^'"();]*['"](\.{1,2}\/[^'"]+)['"]/gm;
  return [...text.matchAll(pattern)].map(([, address]) => path.join(path.dirname(name), address));
}

for (const machine of MACHINES) {
  describe(`the zip for ${machine}`, () => {
    let dir;
    before(() => { dir = fresh(machine); });

    it('holds the page, three copies of the binary and a private folder', () => {
      const names = walk(dir);
      for (const name of ['INSTALL.txt', 'LICENSES.txt', 'klatch-private/.htaccess', 'klatch-private/README.txt',
        ...['index.html', 'files.json', 'klatch/index.js', 'ui/klatch-room.js', 'vendor/lit-html/lit-html.js',
          'vendor/lit-html/LICENSE', 'cgi-bin/.htaccess', 'cgi-bin/klatch.conf.sample', 'embed.html', 'klatch-frame.js',
          'examples/smallest.html', 'examples/support-button/index.html', 'examples/two-origins/index.html',
          ...PROGRAMS.map((program) => `cgi-bin/${program}`)].map((one) => `public_html/klatch/${one}`)]) {
        assert.ok(names.includes(name), name);
      }
      const binary = fs.readFileSync(binaryOf(machine));
      for (const program of PROGRAMS) {
        assert.ok(fs.readFileSync(path.join(webFolder(dir), 'cgi-bin', program)).equals(binary), program);
      }
    });

    it('holds no settings, no data, no hidden file but .htaccess, no link', () => {
      for (const name of walk(dir)) {
        const base = path.basename(name);
        assert.ok(base === '.htaccess' || !base.startsWith('.'), name);
        assert.doesNotMatch(name, /klatch\.conf$|(^|\/)data\/|~$|\.d\.ts$/);
        assert.ok(!fs.lstatSync(path.join(dir, name)).isSymbolicLink(), name);
      }
    });

    it('has no .htaccess in or above what the page is made of', () => {
      const found = walk(dir).filter((name) => path.basename(name) === '.htaccess');
      assert.deepEqual(found, ['klatch-private/.htaccess', 'public_html/klatch/cgi-bin/.htaccess']);
    });

    it('gives programs 0755, files 0644, folders 0755 and the private one 0700', () => {
      for (const name of walk(dir)) {
        const expected = name === 'klatch-private/' ? '0700' : /\/$|\.f?cgi$/.test(name) ? '0755' : '0644';
        assert.equal(modeOf(path.join(dir, name)), expected, name);
      }
    });

    it('has LF alone at the end of every line of text', () => {
      for (const name of filesOf(dir).filter((one) => !BINARY.test(one) || one.endsWith('probe.cgi'))) {
        assert.ok(!fs.readFileSync(path.join(dir, name)).includes(13), name);
      }
    });

    it('has a list of files that is true for each of them, and names each', () => {
      const list = JSON.parse(fs.readFileSync(path.join(webFolder(dir), 'files.json'), 'utf8'));
      assert.equal(list.version, VERSION);
      assert.deepEqual(list.files.map(({ path: name }) => name).sort(),
        filesOf(webFolder(dir)).filter((name) => name !== 'files.json'));
      assert.deepEqual(differences(webFolder(dir)), []);
    });

    it('holds everything that its pages and modules ask for', () => {
      const folder = webFolder(dir);
      for (const name of filesOf(folder).filter((one) => /\.(html|js)$/.test(one))) {
        for (const asked of namedIn(folder, name)) {
          assert.ok(fs.existsSync(path.join(folder, asked)), `${name} asks for ${asked}`);
        }
      }
    });

    it('names what is linked in, with version and licence', () => {
      const text = fs.readFileSync(path.join(dir, 'LICENSES.txt'), 'utf8');
      for (const name of ['SQLite', 'libfcgi', 'cJSON', 'libuuid', 'Mbed TLS', 'glibc']) {
        assert.match(text, new RegExp(`^==== ${name}, from Debian's package \\S+ \\d`, 'm'));
      }
    });
  });
}

describe('an upload', () => {
  const ask = (dir, call = { method: 'GET', path: '/v1/health' }) => {
    const program = path.join(webFolder(dir), 'cgi-bin/klatch.cgi');
    const { stdout, stderr } = spawnSync(program, [], {
      cwd: path.dirname(program), input: call.body ?? '', timeout: 20000,
      env: { ...environment({ software: 'Apache', ...call }), DOCUMENT_ROOT: path.join(dir, 'public_html') },
    });
    assert.notEqual(stdout?.length ?? 0, 0, `no answer: ${stderr}`);
    return parseCgi(stdout, 0);
  };

  it('over an older one keeps settings, secrets and rooms', () => {
    const dir = fresh('x86_64');
    fs.writeFileSync(path.join(dir, 'klatch-private/klatch.conf'), 'ice_server = none\nhold_ms = 12345\n', { mode: 0o600 });
    const body = Buffer.from('{}');
    const joined = ask(dir, { method: 'POST', path: '/v1/rooms/tea/join', body, headers: { 'content-type': 'application/json' } });
    assert.equal(joined.status, 201, joined.text);
    const kept = path.join(dir, 'klatch-private');
    const mine = filesOf(kept).filter((name) => !/README|htaccess/.test(name));
    assert.ok(mine.length > 2, `settings and data lie in klatch-private: ${mine}`);
    const contents = new Map(mine.map((name) => [name, fs.readFileSync(path.join(kept, name))]));
    unzip(zipOf('x86_64'), dir);
    for (const [name, content] of contents) {
      assert.ok(fs.readFileSync(path.join(kept, name)).equals(content), name);
    }
    const { peers } = ask(dir, { method: 'GET', path: '/v1/rooms/tea' }).json;
    assert.equal(peers.length ?? peers, 1);
  });

  it('by layout.sh over an older one is the same as a new one', () => {
    const [once, twice] = [newRunDir(), newRunDir()];
    dirs.push(once, twice);
    const lay = (dir) => execFileSync(path.join(ROOT, 'deploy/dist/layout.sh'), [dir, binaryOf('x86_64')]);
    lay(once);
    lay(twice);
    fs.chmodSync(path.join(webFolder(twice), 'cgi-bin/klatch.cgi'), 0o600);
    lay(twice);
    const told = (dir) => walk(dir).map((name) => `${modeOf(path.join(dir, name))} ${name}`);
    assert.deepEqual(told(twice), told(once));
  });

  it('that broke off, or went through text mode, is not what its list of files says', () => {
    const half = fresh('x86_64');
    halfUploaded(webFolder(half));
    assert.ok(differences(webFolder(half)).length > 10);
    const text = fresh('x86_64');
    inTextMode(webFolder(text));
    const changed = differences(webFolder(text));
    assert.ok(changed.includes('index.html') && changed.includes('klatch/index.js'));
    assert.ok(!changed.includes('cgi-bin/klatch.cgi'));
  });

  it('that lost its modes has no program left', () => {
    const dir = fresh('x86_64');
    withoutPrograms(dir);
    for (const program of PROGRAMS) assert.equal(modeOf(path.join(webFolder(dir), 'cgi-bin', program)), '0644');
    assert.deepEqual(differences(webFolder(dir)), []);
  });
});

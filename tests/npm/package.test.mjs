// What is in the npm package.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { build } from 'esbuild';
import { VERSION, walk } from '../dist/lib/dist.mjs';
import { BUILD, ROOT, TARBALL, install, newFolder } from './lib/site.mjs';

/** What tells that a name is somebody's file and not a word in a sentence. */
const IMPORTS = /(?:^|[\s;])(?:import|export)\b[^;'"`]*?\bfrom\s*'([^']+)'|^import\s*'([^']+)'|\bimport\('([^']+)'\)/gm;
const withoutComments = (text) => text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
const sum = (file) => createHash('sha256').update(fs.readFileSync(file)).digest('hex');

describe('the npm package', () => {
  let folder;
  let klatch;
  let files;
  const read = (name) => fs.readFileSync(path.join(klatch, name), 'utf8');
  before(() => {
    folder = newFolder();
    klatch = install(folder);
    files = walk(klatch).filter((name) => !name.endsWith('/'));
  });
  after(() => fs.rmSync(folder, { recursive: true, force: true }));

  it('has the version of the program, the licences, and needs no other package', () => {
    const own = JSON.parse(read('package.json'));
    assert.equal(own.version, VERSION);
    assert.deepEqual([own.license, own.dependencies, own.private], ['MIT', undefined, undefined]);
    for (const name of ['LICENSE', 'README.md', 'CHANGELOG.md']) assert.ok(files.includes(name), name);
    for (const name of new Set(files.filter((one) => one.startsWith('vendor/')).map((one) => one.split('/')[1]))) {
      assert.ok(files.includes(`vendor/${name}/LICENSE`), name);
    }
  });

  it('has what its entries name, and modules and declarations that find each other', () => {
    const { exports: entries, main, types } = JSON.parse(read('package.json'));
    const named = Object.values(entries).flatMap((entry) => Object.values(Object(entry) === entry ? entry : { entry }));
    for (const name of [main, types, ...named]) assert.ok(files.includes(name.replace('./', '')), name);
    let seen = 0;
    for (const name of files.filter((one) => /\.(js|d\.ts)$/.test(one))) {
      for (const match of withoutComments(read(name)).matchAll(IMPORTS)) {
        const other = match[1] ?? match[2] ?? match[3];
        assert.match(other, /^\.{1,2}\//, `${name} needs ${other}`);
        assert.ok(files.includes(path.posix.join(path.posix.dirname(name), other)), `${name} needs ${other}`);
        seen += 1;
      }
    }
    assert.ok(seen > 100, `${seen}`);
    for (const [, name] of read('README.md').matchAll(/\]\((?!https?:|#)([^)#]+)/g)) assert.ok(files.includes(name), name);
    for (const name of files.filter((one) => one.endsWith('.map'))) {
      for (const source of JSON.parse(read(name)).sources) assert.ok(files.includes(path.posix.join(path.posix.dirname(name), source)), name);
    }
  });

  it('has the modules as they are in the tree, and nothing of the page around them', () => {
    const made = ['ui/strings/'];
    for (const name of files.filter((one) => /^((klatch|ui)\/.*|klatch-frame)\.js$/.test(one) && !made.some((dir) => one.startsWith(dir)))) {
      assert.equal(read(name), fs.readFileSync(path.join(ROOT, 'public_html', name), 'utf8'), name);
    }
    assert.deepEqual([...new Set(files.filter((name) => name.includes('/')).map((name) => name.split('/')[0]))], ['klatch', 'ui', 'vendor']);
    assert.deepEqual(files.filter((name) => !/\.(js|d\.ts|d\.ts\.map|md|json)$|(^|\/)LICENSE$/.test(name)), []);
  });

  it('can be imported in Node, where it only waits to be used', async () => {
    const said = execFileSync(process.execPath, ['--input-type=module', '--eval',
      "const before = Object.keys(globalThis).join(); const { joinRoom } = await import('klatch'); console.log(typeof joinRoom, Object.keys(globalThis).join() === before);"],
    { cwd: folder });
    assert.equal(String(said), 'function true\n');
  });

  it('leaves out of a bundle what nobody uses of the SDK, and never the element', async () => {
    const size = async (contents) => {
      const { outputFiles } = await build({ stdin: { contents, resolveDir: folder }, bundle: true, minify: true, splitting: true,
        format: 'esm', write: false, outdir: folder, logLevel: 'silent' });
      return outputFiles.reduce((bytes, { path: name, text }) => bytes + (name.endsWith('stdin.js') ? text.length : 0), 0);
    };
    assert.equal(await size("import { joinRoom } from 'klatch';"), 0);
    const link = await size("import { parseLink } from 'klatch'; console.log(parseLink('#tea'));");
    assert.ok(link > 100 && link < 15_000, `${link}`);
    assert.ok(await size("import 'klatch/element';") > 50_000);
  });

  it('is the same to the byte when it is made again', () => {
    const again = newFolder();
    try {
      execFileSync(process.execPath, [path.join(ROOT, 'deploy/npm/build.mjs'), path.join(again, 'klatch')]);
      execFileSync('npm', ['pack', '--silent', '--ignore-scripts', '--no-update-notifier', '--cache', path.join(again, '.npm'), './klatch'], { cwd: again });
      assert.equal(sum(path.join(again, path.basename(TARBALL))), sum(TARBALL));
      assert.equal(path.dirname(path.dirname(again)), BUILD);
    } finally {
      fs.rmSync(again, { recursive: true, force: true });
    }
  });
});

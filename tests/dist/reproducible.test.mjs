// The same tree gives the same bytes: built again, from the source tarball, in another folder.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { before, describe, it } from 'node:test';
import { runChild } from '../setup/child.mjs';
import { BUILD, MACHINES, tarballOf, walk, zipOf } from './lib/dist.mjs';

// Kept from run to run, with its objects: only what has changed is compiled there again.
const AGAIN = path.join(BUILD, 'dist-again');
const SHARED = ['dist-src', 'node_modules'];
const STAMPS = ['npm-run.stamp', 'npm-test.stamp', 'package.json', 'package-lock.json'];
const sum = (file) => createHash('sha256').update(fs.readFileSync(file)).digest('hex');

/** The tarball's tree, with this build's downloads. A file that is as it was keeps its time. */
function unpack() {
  const tree = path.join(AGAIN, 'build/tree');
  fs.rmSync(tree, { recursive: true, force: true });
  fs.mkdirSync(tree, { recursive: true });
  execFileSync('tar', ['-xf', tarballOf(), '-C', tree, '--strip-components=1', '--touch']);
  for (const name of walk(AGAIN).filter((one) => !/^build\//.test(one) && !fs.existsSync(path.join(tree, one)))) {
    fs.rmSync(path.join(AGAIN, name), { recursive: true, force: true });
  }
  for (const name of walk(tree)) {
    const [from, to] = [path.join(tree, name), path.join(AGAIN, name)];
    if (name.endsWith('/')) fs.mkdirSync(to, { recursive: true });
    else if (!fs.existsSync(to) || sum(from) !== sum(to)) fs.renameSync(from, to);
  }
  for (const name of SHARED) {
    fs.rmSync(path.join(AGAIN, 'build', name), { recursive: true, force: true });
    fs.symlinkSync(path.join(BUILD, name), path.join(AGAIN, 'build', name));
  }
  for (const name of STAMPS.filter((one) => fs.existsSync(path.join(BUILD, one)))) {
    fs.copyFileSync(path.join(BUILD, name), path.join(AGAIN, 'build', name));
  }
}

describe('make dist', () => {
  before(async () => {
    unpack();
    // Downloads are this build's; taken as they are, however old the stamp looks from there.
    const { end, output } = await runChild(['make', '-j2', '--no-print-directory',
      '--old-file=build/dist-src/LICENSES.txt', 'dist-files'], { cwd: AGAIN, limitMs: 6 * 60000 });
    assert.ok(!end, `${end}\n${output.slice(-3000)}`);
  }, { timeout: 7 * 60000 });

  for (const machine of MACHINES) {
    it(`gives the same zip for ${machine} from the source tarball in another folder`, () => {
      assert.equal(sum(zipOf(machine, path.join(AGAIN, 'build'))), sum(zipOf(machine)));
    });
  }

  it('gives the same source tarball from the source tarball', () => {
    assert.equal(sum(tarballOf(path.join(AGAIN, 'build'))), sum(tarballOf()));
  });
});

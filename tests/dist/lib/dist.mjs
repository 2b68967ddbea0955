// What `make dist-ready` built, for tests: where it is, how it is opened, what of it may run where.
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { ROOT, newRunDir } from '../../integration/lib/run-dir.mjs';

export const MACHINES = ['x86_64', 'aarch64'];
export const BUILD = path.join(ROOT, 'build');
export const CHECK = path.join(BUILD, 'dist-check');
export const VERSION = /KLATCH_VERSION "(.*)"/.exec(
  fs.readFileSync(path.join(ROOT, 'src/version.h'), 'utf8'))[1];
export const binaryOf = (machine, build = BUILD) => path.join(build, `dist-${machine}/klatch.fcgi`);
export const objectOf = (machine, name = 'klatch.o') => path.join(BUILD, `dist-${machine}`, name);
export const zipOf = (machine, build = BUILD) => path.join(build, `dist/klatch-${VERSION}-${machine}.zip`);
export const tarballOf = (build = BUILD) => path.join(build, `dist/klatch-${VERSION}.tar.xz`);

/** Extract a zip as a host's file manager does; a new folder unless one is given. */
export function unzip(zip, dir = newRunDir()) {
  execFileSync('unzip', ['-q', '-o', zip, '-d', dir]);
  return dir;
}

/** Every file and folder below `dir`, sorted, as paths relative to it; folders end with a slash. */
export function walk(dir, below = '') {
  return fs.readdirSync(path.join(dir, below), { withFileTypes: true }).flatMap((entry) => {
    const name = path.join(below, entry.name);
    return entry.isDirectory() ? [`${name}/`, ...walk(dir, name)] : [name];
  }).sort();
}

export const modeOf = (file) => (fs.lstatSync(file).mode & 0o7777).toString(8).padStart(4, '0');

/** A command that runs `...argv` with `dir` as its root, or why that isn't possible here. */
export function chrootCommand() {
  if (process.getuid?.() === 0) return { command: ['chroot'] };
  const { status } = spawnSync('unshare', ['--map-root-user', 'true']);
  return status === 0 ? { command: ['unshare', '--map-root-user', 'chroot'] }
    : { why: 'needs root or user namespaces' };
}

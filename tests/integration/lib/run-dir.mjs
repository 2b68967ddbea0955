// Folders, configuration files and logs of what is under test. All of it lies below build/tmp and
// goes when the test file is through, but for those that a sanitizer wrote into.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
export const BIN = path.resolve(ROOT, process.env.BIN ?? 'build/asan/klatch.fcgi');
export const SANITIZER_ENV = {
  ASAN_OPTIONS: 'detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1',
  UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=1',
};

/** Short enough that waiting is no waste, long enough for a slow machine. */
export const CONFIG = {
  hold_ms: 2000,
  lease_ms: 20000,
  grace_ms: 2000,
  ttl_ms: 30000,
  joins_per_minute: 0,
  ice_server: ['none'],
};

let count = 0;

/** A new empty folder. The name is short: a Unix socket's path has 107 bytes. */
export function newRunDir() {
  count += 1;
  const dir = path.join(ROOT, 'build/tmp', `i${process.pid}-${count}`);
  fs.rmSync(dir, { recursive: true, force: true });
  fs.mkdirSync(dir, { recursive: true });
  return dir;
}

/**
 * The binary under a name of its own: who builds while tests run changes nothing for what is running,
 * which would take the new one.
 */
export function ownBinary(dir, bin = BIN) {
  const own = path.join(dir, 'klatch.fcgi');
  if (fs.existsSync(own)) return own;
  try {
    fs.linkSync(bin, own);
  } catch {
    fs.copyFileSync(bin, own);
  }
  return own;
}

/** A list is a key that stands several times; null leaves a key to its default. */
export function configText(config) {
  const lines = [];
  for (const [key, value] of Object.entries(config)) {
    if (value === null) continue;
    for (const one of [value].flat()) lines.push(`${key} = ${one}`);
  }
  return `${lines.join('\n')}\n`;
}

/** Fails when a sanitizer said something, with what it said. */
export function checkLog(file) {
  const log = fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '';
  const at = log.search(/(Address|Leak|Memory|Thread|UndefinedBehavior)Sanitizer|runtime error:/);
  assert.equal(at, -1, `a sanitizer's report in ${file}:\n${log.slice(Math.max(0, at - 200), at + 4000)}`);
}

const running = new Set();
process.once('exit', () => { for (const child of running) child.kill('SIGTERM'); });
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

/** A command that ends when this process does, even by SIGKILL. */
export const tied = (...command) => ['setpriv', ['--pdeathsig', 'TERM', '--', ...command]];

/** See to it that a child ends with the test. */
export function tie(child) {
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

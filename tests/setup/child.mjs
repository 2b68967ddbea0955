// One child process of the test run: in a process group of its own, with a deadline, and with what
// it printed kept. Whatever it left behind ends with it.
import { spawn } from 'node:child_process';

const KEPT_BYTES_MAX = 256 * 1024;
const TERM_MS = 5000;

// `make test -j4` says things to its own children that these, who are not, would misread.
const { MAKEFLAGS: _flags, MFLAGS: _old, MAKELEVEL: _level, ...ENV } = process.env;

/** @type {Set<number>} */
const groups = new Set();

function signalGroup(pid, signal) {
  try {
    process.kill(-pid, signal);
    return true;
  } catch {
    return false;
  }
}

for (const [signal, status] of [['SIGINT', 130], ['SIGTERM', 143], ['SIGHUP', 129]]) {
  process.once(signal, () => {
    for (const pid of groups) signalGroup(pid, 'SIGTERM');
    process.exit(status);
  });
}

/**
 * @param {string[]} argv
 * @param {{cwd: string, env?: object, limitMs: number, onLine?: (line: string) => boolean}} options
 *   onLine sees each line of stdout; true takes it out of what is kept
 * @returns {Promise<{status: number|null, end: string, output: string}>} `end` says in words how it
 *   ended when that wasn't with status 0
 */
export function runChild(argv, { cwd, env, limitMs, onLine = () => false }) {
  return new Promise((resolve) => {
    const child = spawn(argv[0], argv.slice(1), {
      cwd, env: { ...ENV, ...env }, stdio: ['ignore', 'pipe', 'pipe'], detached: true,
    });
    const { pid } = child;
    if (pid) groups.add(pid);
    let output = '';
    let late = false;
    const keep = (text) => { output = (output + text).slice(-KEPT_BYTES_MAX); };

    let line = '';
    const take = (text) => { if (!onLine(text)) keep(`${text}\n`); };
    child.stdout.setEncoding('utf8').on('data', (text) => {
      const lines = (line + text).split('\n');
      line = lines.pop() ?? '';
      lines.forEach(take);
    });
    child.stderr.setEncoding('utf8').on('data', keep);

    const timers = [setTimeout(() => {
      late = true;
      signalGroup(pid, 'SIGTERM');
      timers.push(setTimeout(() => signalGroup(pid, 'SIGKILL'), TERM_MS));
    }, limitMs)];
    // A grandchild that holds the pipes must not hold up the run.
    child.once('exit', () => timers.push(setTimeout(() => {
      child.stdout.destroy();
      child.stderr.destroy();
    }, TERM_MS)));
    child.once('error', (error) => { keep(`${error.message}\n`); });
    child.once('close', (status, signal) => {
      timers.forEach(clearTimeout);
      if (pid) {
        signalGroup(pid, 'SIGKILL');
        groups.delete(pid);
      }
      if (line) take(line);
      let end = status === 0 ? '' : `ended with ${signal ?? `status ${status}`}`;
      if (late) end = `was not through after ${limitMs / 1000} s`;
      resolve({ status, end, output });
    });
  });
}

// The suites of `make test`. Each is a list of items; an item runs one process and tells what tests
// were in it. A process that ends badly without a failed test to show for it is a failed test.
import { availableParallelism, cpus } from 'node:os';
import fs from 'node:fs';
import path from 'node:path';
import { runChild } from './child.mjs';
import { MARK } from './reporter.mjs';

/**
 * @typedef {{name: string, state: 'passed'|'failed'|'skipped', why?: string}} Result
 * @typedef {{label: string, alone?: boolean, run: () => Promise<Result[]>}} Item
 * An item that is alone runs beside no other.
 */

const MINUTE_MS = 60000;
/** What takes longest begins first: begun last it would be waited for alone. */
const LONGEST = {
  sdk: ['signaling', 'room', 'channel', 'hosting', 'relax', 'budget', 'carried', 'tabs', 'no-path', 'polling'],
  ui: ['axe-call', 'axe-lobby', 'call', 'grid', 'element', 'hosting', 'problems', 'strings'],
  integration: ['upgrade', 'presence', 'events', 'hosts', 'reading', 'isolation', 'admin'],
  browser: ['relax', 'outage', 'leaving', 'channel', 'hosting', 'call', 'sdk', 'tabs', 'admin'],
  'browser-long': [],
  dist: ['reproducible', 'same'],
  npm: ['bundlers', 'package'],
  servers: ['lighttpd', 'apache-host', 'apache-fcgid'],
  doctor: ['program', 'page', 'calls', 'server', 'files'],
};
const SANITIZERS = {
  ASAN_OPTIONS: 'detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1',
  UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=1',
};
const tail = (text, lines = 60) => text.trimEnd().split('\n').slice(-lines).join('\n');

export class Suites {
  constructor(root) {
    this.root = root;
    this.jobs = `-j${availableParallelism?.() ?? cpus().length}`;
  }

  #make(...args) {
    return runChild(['make', '--no-print-directory', ...args],
      { cwd: this.root, limitMs: 15 * MINUTE_MS });
  }

  #files(folder, pattern) {
    const dir = path.join(this.root, folder);
    if (!fs.existsSync(dir)) return [];
    return fs.readdirSync(dir).filter((name) => pattern.test(name)).sort()
      .map((name) => `${folder}/${name}`);
  }

  /** @returns {Promise<Item[]>} */
  async items(suite) {
    switch (suite) {
      case 'lint': return this.#lint();
      case 'unit': return this.#unit();
      case 'sdk': return this.#node('sdk', 5 * MINUTE_MS, ['public_html/vendor/lit-html/LICENSE']);
      case 'ui': return this.#node('ui', 5 * MINUTE_MS, ['public_html/vendor/lit-html/LICENSE']);
      case 'integration': return this.#node('integration', 5 * MINUTE_MS, ['asan-binary', 'vendor']);
      case 'browser': return this.#node('browser', 8 * MINUTE_MS, ['asan-binary', 'vendor']);
      case 'browser-long': return this.#node('browser-long', 15 * MINUTE_MS, ['asan-binary', 'vendor']);
      case 'dist': return this.#node('dist', 8 * MINUTE_MS, ['dist-ready']);
      case 'npm': return this.#node('npm', 4 * MINUTE_MS, ['npm-package', 'asan-binary']);
      case 'servers': return this.#node('servers', 8 * MINUTE_MS, ['asan-binary', 'build/klatch.fcgi', 'vendor']);
      case 'doctor': return this.#node('doctor', 8 * MINUTE_MS, ['asan-binary', 'vendor']);
      default: throw new Error(`no suite '${suite}'`);
    }
  }

  async #lint() {
    const { output } = await this.#make('lint-names');
    return output.trim().split(/\s+/).map((tool) => ({
      label: tool,
      alone: true, // each uses all cores
      run: async () => {
        const { end, output: said } = await this.#make('--keep-going', this.jobs, `lint-${tool}`);
        return [end ? { name: tool, state: 'failed', why: tail(said, 200) }
          : { name: tool, state: 'passed' }];
      },
    }));
  }

  async #unit() {
    await this.#make('--keep-going', this.jobs, 'unit-programs');
    return this.#files('tests/unit', /^test_.*\.c$/).map((source) => ({
      label: source,
      run: async () => {
        // Built already, unless that failed: then this tells why.
        const program = `build/asan/unit/${path.basename(source, '.c')}`;
        const { end, output } = await this.#make(program);
        return end ? [{ name: 'builds', state: 'failed', why: tail(output) }] : this.#cmocka(program);
      },
    }));
  }

  async #cmocka(program) {
    /** @type {Result[]} */
    const results = [];
    let planned = 0;
    const { status, end, output } = await runChild([path.join(this.root, program)], {
      cwd: this.root,
      env: { ...SANITIZERS, CMOCKA_MESSAGE_OUTPUT: 'TAP' },
      limitMs: 2 * MINUTE_MS,
      onLine(line) {
        const plan = /^1\.\.(\d+)$/.exec(line);
        const test = /^(ok|not ok) \d+ (?:- )?(# SKIP )?(.*)$/.exec(line);
        const last = results[results.length - 1];
        if (plan) planned += Number(plan[1]);
        else if (test) results.push(cmockaResult(test));
        else if (/^# (not )?ok - /.test(line)) return true;
        else if (line.startsWith('# ') && last?.state === 'failed') last.why += `\n${line.slice(2)}`;
        else return false;
        return true;
      },
    });
    const failed = results.filter((result) => result.state === 'failed').length;
    if (results.length < planned || (status !== 0 && failed === 0)) {
      results.push({
        name: 'runs to its end',
        state: 'failed',
        why: `${results.length} of ${planned} tests ran; the program ${end || 'ended'}\n${tail(output)}`,
      });
    }
    return results;
  }

  /** @returns {Promise<Item[]>} */
  async #node(suite, limitMs, needs) {
    const built = await this.#make(this.jobs, ...needs);
    if (built.end) {
      const why = tail(built.output);
      return [{ label: `make ${needs.join(' ')}`,
        run: async () => [{ name: 'builds', state: 'failed', why }] }];
    }
    const rank = (file) => (LONGEST[suite].indexOf(path.basename(file).split('.')[0]) + 1) || Infinity;
    const files = this.#files(`tests/${suite}`, /\.test\.m?js$/);
    return files.sort((a, b) => (rank(a) === rank(b) ? 0 : rank(a) - rank(b))).map((file) => ({
      label: file,
      alone: fs.readFileSync(path.join(this.root, file), 'utf8').startsWith('// Runs alone'),
      run: () => this.#nodeFile(file, limitMs),
    }));
  }

  async #nodeFile(file, limitMs) {
    /** @type {Result[]} */
    const results = [];
    const before = { depth: 0 };
    const { end, output } = await runChild([process.execPath,
      '--test-reporter', path.join(this.root, 'tests/setup/reporter.mjs'),
      '--test-reporter-destination', 'stdout', path.join(this.root, file)], {
      cwd: this.root,
      env: SANITIZERS,
      limitMs,
      onLine(line) {
        const at = line.indexOf(MARK);
        if (at < 0) return false;
        const result = nodeResult(JSON.parse(line.slice(at + MARK.length)), before);
        if (result) results.push(result);
        return at === 0;
      },
    });
    const failed = results.filter((result) => result.state === 'failed');
    if (failed.length && output.trim()) failed[failed.length - 1].why += `\n--- it printed\n${tail(output)}`;
    if (end && failed.length === 0) {
      results.push({ name: 'runs to its end', state: 'failed', why: `${end}\n${tail(output)}` });
    } else if (results.length === 0) {
      results.push({ name: 'has tests', state: 'failed', why: 'nothing ran' });
    }
    return results;
  }
}

function cmockaResult([, verdict, skip, name]) {
  // A skipped test is "not ok # SKIP"; cmocka has no place for a reason.
  if (skip) return { name, state: 'skipped', why: 'not possible here' };
  return verdict === 'ok' ? { name, state: 'passed' } : { name, state: 'failed', why: '' };
}

/**
 * A test with tests in it counts only when it failed by itself; theirs, one deeper, were told just
 * before it and are counted.
 */
function nodeResult(told, before) {
  const hasKids = before.depth > told.depth;
  before.depth = told.depth;
  if (told.skipped !== null) {
    return { name: told.name, state: 'skipped', why: told.skipped || 'no reason given' };
  }
  if (!told.passed) {
    if (told.failure === 'subtestsFailed') return null;
    const where = told.line ? ` (line ${told.line})` : '';
    return { name: `${told.name}${where}`, state: 'failed', why: told.error };
  }
  return told.suite || hasKids ? null : { name: told.name, state: 'passed' };
}

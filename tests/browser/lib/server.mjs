/* server: Klatch as `make run` serves it, for one test file: nginx, the workers with
 * the sanitizers in them, a data folder of its own. It can be held still and be killed. */

import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../setup/free-port.mjs';
import { until } from './until.mjs';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const START_MS = 30_000;
const STOP_MS = 20_000;
// No network in tests: no STUN servers, which would be waited for. A test may name its own.
const CONFIG = 'ice_server = none\n';

export class Server {
  #child = null;
  #said = '';

  /** @param {{workers?: number, settings?: string}} [options] settings are lines of configuration */
  constructor({ workers = 2, settings = '' } = {}) {
    this.workers = workers;
    this.settings = settings;
    const temporary = path.join(ROOT, 'build/tmp');
    fs.mkdirSync(temporary, { recursive: true });
    this.folder = fs.mkdtempSync(path.join(temporary, 'browser-'));
    this.port = 0;
  }

  get origin() {
    return `http://localhost:${this.port}`;
  }

  async start() {
    this.port ||= await freePort();
    const config = path.join(this.folder, 'own.conf');
    fs.writeFileSync(config, (this.settings.includes('ice_server') ? '' : CONFIG) + this.settings);
    this.#said = '';
    // It ends when this process does, however that ends.
    this.#child = spawn('setpriv', ['--pdeathsig', 'TERM', '--', path.join(ROOT, 'deploy/serve.sh')], {
      cwd: ROOT,
      env: { ...process.env, PORT: `${this.port}`, HOST: 'localhost', CONFIG: config, WORKERS: `${this.workers}`,
        BIN: path.join(ROOT, 'build/asan/klatch.fcgi'), RUN_DIR: this.#runDir },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.on('data', (data) => {
        this.#said += data;
      });
    }
    await until('the server is ready', () => {
      if (this.#child.exitCode !== null) throw new Error(`the server ended: ${this.#said}`);
      return this.#said.includes('Klatch is at ');
    }, START_MS);
    return this;
  }

  get #runDir() {
    return path.join(this.folder, 'run');
  }

  /** The supervisor and its workers. */
  #processes() {
    const supervisor = Number(fs.readFileSync(path.join(this.#runDir, 'klatch.pid'), 'utf8'));
    const children = fs.readFileSync(`/proc/${supervisor}/task/${supervisor}/children`, 'utf8');
    return [supervisor, ...children.split(' ').filter(Boolean).map(Number)];
  }

  /** Hold the backend still: connections are taken, nothing is answered. */
  freeze() {
    const pids = this.#processes();
    for (const pid of pids) process.kill(pid, 'SIGSTOP');
    return () => {
      for (const pid of pids) process.kill(pid, 'SIGCONT');
    };
  }

  /** End everything: web server and backend. The data stay. */
  async stop() {
    const child = this.#child;
    if (!child || child.exitCode !== null) return;
    child.kill('SIGTERM');
    await until('the server has ended', () => child.exitCode !== null || child.signalCode !== null, STOP_MS);
  }

  /** What the sanitizers and the backend complained of. */
  complaints() {
    const log = path.join(this.#runDir, 'klatch.log');
    const text = fs.existsSync(log) ? fs.readFileSync(log, 'utf8') : '';
    return text.split('\n').filter((line) => /Sanitizer|runtime error| error /.test(line));
  }

  async close() {
    await this.stop();
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}

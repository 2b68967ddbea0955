// The supervisor and its workers on their socket, without a web server: for what nginx would mend
// or hide, such as half a request, a peer that reads nothing, or which worker gets a call.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { Api } from './api.mjs';
import { FcgiConnection } from './fcgi.mjs';
import { alive, children, stopped } from './processes.mjs';
import {
  CONFIG, SANITIZER_ENV, checkLog, configText, newRunDir, ownBinary, tie, tied,
} from './run-dir.mjs';
import { until } from './until.mjs';

export class Daemon {
  /** @param {{config?: object, workers?: number, env?: object, data?: string}} [options] */
  static async start(options = {}) {
    const daemon = new Daemon(options);
    daemon.spawn();
    await daemon.ready();
    return daemon;
  }

  constructor({ config = {}, workers = 1, env = {}, data } = {}) {
    this.dir = newRunDir();
    this.data = data ?? path.join(this.dir, 'data');
    fs.mkdirSync(this.data, { recursive: true });
    this.socketPath = path.join(this.dir, 'klatch.sock');
    this.configFile = path.join(this.dir, 'klatch.conf');
    this.log = path.join(this.dir, 'klatch.log');
    this.workerCount = workers;
    this.env = env;
    this.workersMayChange = false;
    this.connections = new Set();
    this.each = Promise.resolve();
    this.configure(config);
  }

  configure(config) {
    fs.writeFileSync(this.configFile, configText({ data_dir: this.data, ...CONFIG, ...config }));
  }

  spawn(command = [ownBinary(this.dir)]) {
    const log = fs.openSync(this.log, 'a');
    this.child = tie(spawn(...tied(...command, '--listen', this.socketPath,
      '--workers', String(this.workerCount), '--config', this.configFile), {
      stdio: ['ignore', log, log], env: { ...process.env, ...SANITIZER_ENV, ...this.env },
    }));
    this.child.unref();
    fs.closeSync(log);
  }

  get ended() { return this.child.exitCode !== null || this.child.signalCode !== null; }

  async ready() {
    await until('the workers answer', async () => {
      assert.ok(!this.ended, `the supervisor ended:\n${this.logTail()}`);
      if (!fs.existsSync(this.socketPath) || this.workers().length < this.workerCount) return false;
      return this.api().get('/v1/health').then((answer) => answer.status === 200, () => false);
    }, { withinMs: 20000 });
    this.firstWorkers = this.workers();
  }

  workers() { return children(this.child.pid); }

  async connect() {
    const connection = await FcgiConnection.open(this.socketPath);
    this.connections.add(connection);
    connection.closed.then(() => this.connections.delete(connection));
    return connection;
  }

  /** Every call on a connection of its own. */
  api() {
    return new Api(async (call) => {
      const connection = await this.connect();
      call.signal?.addEventListener('abort', () => connection.close());
      try {
        return await connection.send(call, { keep: false });
      } finally {
        connection.close();
      }
    });
  }

  /** Every call on this one connection, hence in one worker, one after the other. */
  static apiOn(connection) { return new Api((call) => connection.send(call)); }

  /**
   * A kept connection into each worker: the others stand still while one takes it.
   * @returns {Promise<FcgiConnection[]>} in the order of workers()
   */
  connectEach() {
    this.each = this.each.then(() => this.#connectEach());
    return this.each;
  }

  async #connectEach() {
    const pids = this.workers();
    const connections = [];
    for (const pid of pids) {
      const others = pids.filter((other) => other !== pid);
      try {
        for (const other of others) process.kill(other, 'SIGSTOP');
        await until('the other workers stand still', () => others.every(stopped));
        const connection = await this.connect();
        await Daemon.apiOn(connection).get('/v1/health');
        connections.push(connection);
      } finally {
        for (const other of others) process.kill(other, 'SIGCONT');
      }
    }
    return connections;
  }

  async killWorker(pid) {
    this.workersMayChange = true;
    process.kill(pid, 'SIGKILL');
    await until('the worker is gone', () => !alive(pid));
  }

  logTail() { return fs.existsSync(this.log) ? fs.readFileSync(this.log, 'utf8').slice(-3000) : ''; }

  /** SIGTERM and wait; the folder stays, so that spawn() can go on with it. */
  async terminate() {
    const pids = [this.child.pid, ...this.workers()];
    const workers = this.workers();
    this.child.kill('SIGTERM');
    await until('the supervisor ends', () => this.ended, { withinMs: 20000 });
    await until('nothing is left running', () => !pids.some(alive));
    if (this.firstWorkers && !this.workersMayChange) {
      assert.deepEqual(workers, this.firstWorkers, `a worker died:\n${this.logTail()}`);
    }
  }

  async stop() {
    for (const connection of this.connections) connection.close();
    if (!this.ended) await this.terminate();
    checkLog(this.log);
    fs.rmSync(this.dir, { recursive: true, force: true });
  }
}

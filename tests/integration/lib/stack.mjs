// The whole thing as `make run` starts it: nginx in front, the supervisor and its workers behind.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { freePort } from '../../setup/free-port.mjs';
import { Api, answerOf } from './api.mjs';
import { alive, children } from './processes.mjs';
import {
  BIN, CONFIG, ROOT, SANITIZER_ENV, checkLog, configText, newRunDir, ownBinary, tie, tied,
} from './run-dir.mjs';
import { now, until } from './until.mjs';

/** Carries calls over HTTP. `base` is the entry point's path. */
export function httpSend(port, base, agent) {
  return ({ method, path: where, headers, body, signal, timeoutMs = 40000 }) => new Promise(
    (resolve, reject) => {
      const since = now();
      const length = body === undefined ? {} : { 'content-length': body.length };
      const request = http.request({
        host: '127.0.0.1', port, agent, method, path: base + where, signal, timeout: timeoutMs,
        headers: { ...length, ...headers },
      }, (response) => {
        const parts = [];
        response.on('data', (part) => parts.push(part));
        response.on('error', reject);
        response.on('end', () => {
          resolve(answerOf(response.statusCode, response.headers, Buffer.concat(parts), now() - since));
        });
      });
      request.on('timeout', () => request.destroy(new Error(`no answer in ${timeoutMs} ms`)));
      request.on('error', reject);
      request.end(body);
    });
}

export class Stack {
  /**
   * @param {{config?: object, workers?: number, env?: object, data?: string, bin?: string}} [options]
   */
  static async start({ config = {}, workers = 2, env = {}, data, bin = BIN } = {}) {
    const stack = new Stack();
    stack.dir = newRunDir();
    stack.data = data ?? path.join(stack.dir, 'data');
    stack.configFile = path.join(stack.dir, 'extra.conf');
    stack.configure({ ...CONFIG, ...config });
    stack.log = path.join(stack.dir, 'klatch.log');
    stack.port = await freePort();
    stack.bin = ownBinary(stack.dir, bin);
    stack.child = tie(spawn(...tied(path.join(ROOT, 'deploy/serve.sh')), {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env, ...SANITIZER_ENV, HTTPS: '', ...env, PORT: String(stack.port), HOST: '127.0.0.1',
        BIN: stack.bin, RUN_DIR: stack.dir, WORKERS: String(workers), CONFIG: stack.configFile,
        DATA: stack.data,
      },
    }));
    let said = '';
    for (const out of [stack.child.stdout, stack.child.stderr]) {
      out.on('data', (part) => { said += part; });
    }
    stack.child.unref();
    for (const out of [stack.child.stdout, stack.child.stderr]) out.unref();
    await until('the stack is ready', () => {
      assert.equal(stack.child.exitCode, null, `serve.sh ended:\n${said}`);
      return said.includes('Klatch is at');
    }, { withinMs: 30000 });
    stack.agent = new http.Agent({ keepAlive: true });
    stack.api = stack.entry('/api');
    stack.workersMayChange = false;
    stack.firstWorkers = await until('the workers run', () => {
      const pids = stack.workers();
      return pids.length === workers && pids;
    });
    return stack;
  }

  /** The API under another entry point's path. */
  entry(base, agent = this.agent) { return new Api(httpSend(this.port, base, agent)); }

  /** A client that shares no connection with the others. */
  anotherApi() { return this.entry('/api', new http.Agent({ keepAlive: true })); }

  configure(config) { fs.writeFileSync(this.configFile, configText(config)); }

  pid(name) { return Number(fs.readFileSync(path.join(this.dir, `${name}.pid`), 'utf8')); }

  get supervisor() { return this.pid('klatch'); }

  workers() { return children(this.supervisor); }

  /** Kill a worker as the kernel or a host's watchdog does. */
  killWorker(pid) {
    this.workersMayChange = true;
    process.kill(pid, 'SIGKILL');
  }

  /** SIGTERM, then: nothing left running, no worker had died, no sanitizer had anything to say. */
  async stop() {
    const pids = [this.supervisor, ...this.workers(), this.pid('nginx'), ...children(this.pid('nginx'))];
    const workers = this.workers();
    this.agent.destroy();
    this.child.kill('SIGTERM');
    await until('serve.sh ends', () => this.child.exitCode !== null || this.child.signalCode !== null, { withinMs: 20000 });
    await until('nothing is left running', () => !pids.some(alive), { withinMs: 20000 });
    checkLog(this.log);
    if (!this.workersMayChange) {
      assert.deepEqual(workers, this.firstWorkers, `a worker died:\n${this.logTail()}`);
    }
    if (!process.env.KLATCH_KEEP) fs.rmSync(this.dir, { recursive: true, force: true });
  }

  logTail() { return fs.readFileSync(this.log, 'utf8').slice(-3000); }
}

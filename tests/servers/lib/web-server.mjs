// What all web servers under test share: a folder, a port, a process that ends with the test, logs.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { Api } from '../../integration/lib/api.mjs';
import { alive, children } from '../../integration/lib/processes.mjs';
import { ROOT, SANITIZER_ENV, newRunDir, tie, tied } from '../../integration/lib/run-dir.mjs';
import { httpSend } from '../../integration/lib/stack.mjs';
import { until } from '../../integration/lib/until.mjs';

export { freePort } from '../../setup/free-port.mjs';

export const isRoot = process.getuid?.() === 0;
/** Who a web server of root's becomes. */
export const WWW = { user: 'www-data', group: 'www-data' };
export const notRoot = isRoot ? false : 'needs root';

/** A recipe of deploy/ with every name between @ signs filled in. */
export function render(recipe, values) {
  const text = fs.readFileSync(path.join(ROOT, 'deploy', recipe), 'utf8');
  return text.replace(/@([A-Z_]+)@/g, (_, name) => {
    assert.ok(name in values, `${recipe} names @${name}@`);
    return values[name];
  });
}

/**
 * Apache from 2.4.59 on believes no Content-Length of a CGI program's and sends its answer in
 * chunks, whose end is as certain.
 */
function withLength(answer) {
  if (answer.headers['transfer-encoding'] !== 'chunked') return answer;
  return { ...answer, headers: { ...answer.headers, 'content-length': String(answer.bytes.length) } };
}

function descendants(pid) {
  return children(pid).flatMap((child) => [child, ...descendants(child)]);
}

/**
 * A web server with one site. `origin` is where it answers, `base` the path of Klatch's page below
 * it ('' or '/klatch'), `entry` and `pollEntry` the paths of the API's entry points.
 */
export class WebServer {
  /** @type {import('./site.mjs').Site} */
  site;

  constructor() {
    this.dir = newRunDir();
    this.log = path.join(this.dir, 'server.log');
    this.base = '';
    this.entry = '/cgi-bin/klatch.fcgi';
    this.pollEntry = '/cgi-bin/klatch-poll.fcgi';
    this.agent = new http.Agent({ keepAlive: true });
    this.before = [];
  }

  /** One that runs, made with these options; what comes of one that doesn't start is cleared away. */
  static async start(options) {
    const server = new this(options);
    try {
      await server.start();
    } catch (error) {
      await server.stop().catch(() => {});
      throw error;
    }
    return server;
  }

  get origin() { return `http://localhost:${this.port}`; }

  /** The page's address without its hash and last slash. */
  get page() { return `${this.origin}${this.base}`; }

  get dataFolder() { return this.site.dataFolder; }

  /** The API at an entry point's path below the page. */
  api(entry = this.entry, agent = this.agent) {
    const send = httpSend(this.port, this.base + entry, agent);
    return new Api(async (call) => withLength(await send(call)));
  }

  pollApi() { return this.api(this.pollEntry, new http.Agent({ keepAlive: true })); }

  /** Run the server in the foreground. `listening` defaults to: its port takes connections. */
  async run(command, { env = {} } = {}) {
    const log = fs.openSync(this.log, 'a');
    this.child = tie(spawn(...tied(...command), {
      cwd: this.dir, stdio: ['ignore', log, log], env: { ...process.env, ...SANITIZER_ENV, ...env },
    }));
    this.child.unref();
    fs.closeSync(log);
    await until(`${command[0]} listens`, () => {
      assert.ok(!this.ended, `${command[0]} ended:\n${this.logs().slice(-3000)}`);
      return connects(this.port);
    }, { withinMs: 20000 });
  }

  get ended() {
    return !this.child || this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** Pids of everything below the server, Klatch's processes too. */
  processes() { return this.ended ? [] : descendants(this.child.pid); }

  /** Pids of Klatch's processes of an entry point, by the name of its file. */
  klatchProcesses(name = 'klatch') {
    return this.processes().filter((pid) => {
      try {
        return path.basename(fs.readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0')[0]).startsWith(name);
      } catch {
        return false;
      }
    });
  }

  logs() { return fs.existsSync(this.log) ? fs.readFileSync(this.log, 'utf8') : ''; }

  /** What sanitizers and Klatch complained of. */
  complaints() {
    return this.logs().split('\n')
      .filter((line) => /Sanitizer|runtime error:|\dZ error /.test(line));
  }

  async end(withinMs = 30000) {
    this.agent.destroy();
    const pids = [this.child?.pid, ...this.processes()].filter(Boolean);
    if (!this.ended) this.child.kill('SIGTERM');
    try {
      await until('the server ends, and everything that it started', () => !pids.some(alive), { withinMs });
    } catch (error) {
      const left = pids.filter(alive).map((pid) => fs.readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' '));
      throw new Error(`${error.message}; left: ${left.join('; ')}`);
    } finally {
      for (const pid of pids.filter(alive)) process.kill(pid, 'SIGKILL');
    }
  }

  /** End it; fails when something complained. Its folder goes, unless KLATCH_KEEP is set. */
  async stop() {
    await this.end();
    for (const undo of this.before.splice(0).reverse()) await undo();
    const complaints = this.complaints();
    if (!process.env.KLATCH_KEEP) fs.rmSync(this.dir, { recursive: true, force: true });
    assert.deepEqual(complaints, []);
  }
}

function connects(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

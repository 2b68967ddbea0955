// FastCGI on a socket that a web server or systemd made and handed down, without that server: one
// process, as mod_fcgid, lighttpd or a socket unit start it, in a folder as it was uploaded.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { Api } from './api.mjs';
import { FcgiConnection } from './fcgi.mjs';
import { SANITIZER_ENV, checkLog, tie, tied } from './run-dir.mjs';
import { until } from './until.mjs';

const SPAWN = {
  'as descriptor 0': 'dup2(fileno(S), 0);',
  'by LISTEN_FDS': 'dup2(fileno(S), 3) if fileno(S) != 3; $ENV{LISTEN_FDS} = 1; $ENV{LISTEN_PID} = $$;',
};
export const WAYS = Object.keys(SPAWN);

export class HandedDown {
  /**
   * @param {string} program
   * @param {{dir: string, how?: string, user?: number, software?: string, umask?: number}} options
   *   dir: for socket and log; user: its id, where it isn't the test's
   */
  static async start(program, { dir, how = WAYS[0], user, software = 'lighttpd/1.4.69', umask }) {
    const process_ = new HandedDown();
    process_.software = software;
    process_.socketPath = path.join(dir, 'handed.sock');
    process_.log = path.join(dir, 'handed.log');
    fs.rmSync(process_.socketPath, { force: true });
    const script = `use Socket; use POSIX qw(dup2); $^F = 9;
      ${umask === undefined ? '' : `umask ${umask};`}
      socket(S, AF_UNIX, SOCK_STREAM, 0) and bind(S, sockaddr_un($ARGV[0])) and listen(S, 512) or die $!;
      ${user === undefined ? '' : `$( = $) = "${user} ${user}"; $< = $> = ${user};`}
      ${SPAWN[how]}
      exec { $ARGV[1] } $ARGV[1] or die $!;`;
    const out = fs.openSync(process_.log, 'a');
    process_.child = tie(spawn(...tied('perl', '-e', script, process_.socketPath, program), {
      cwd: '/', stdio: ['ignore', out, out], env: { ...process.env, ...SANITIZER_ENV },
    }));
    process_.child.unref();
    fs.closeSync(out);
    // The path is there before the socket listens.
    await until('it listens', () => FcgiConnection.open(process_.socketPath)
      .then((connection) => connection.close() ?? true, () => false));
    return process_;
  }

  get pid() { return this.child.pid; }

  get ended() { return this.child.exitCode !== null || this.child.signalCode !== null; }

  /** Every call on a connection of its own. */
  api(more = {}) {
    return new Api(async (call) => {
      const connection = await FcgiConnection.open(this.socketPath);
      call.signal?.addEventListener('abort', () => connection.close());
      return connection.send({ software: this.software, ...more, ...call }, { keep: false })
        .finally(() => connection.close());
    });
  }

  logs() { return fs.readFileSync(this.log, 'utf8'); }

  async stop() {
    if (!this.ended) this.child.kill('SIGTERM');
    await until('it ends', () => this.ended, { withinMs: 30000 }); // the sanitizer looks for leaks at the end
    checkLog(this.log);
  }
}

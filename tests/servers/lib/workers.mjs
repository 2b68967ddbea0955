// Klatch's supervisor and workers on a socket, for web servers that don't start them.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { alive, children } from '../../integration/lib/processes.mjs';
import { SANITIZER_ENV, checkLog, ownBinary, tie, tied } from '../../integration/lib/run-dir.mjs';
import { until } from '../../integration/lib/until.mjs';

export class Workers {
  /** @param {{dir: string, socketPath: string, configFile: string, count?: number, group?: string}} options */
  static async start({ dir, socketPath, configFile, count = 2, group }) {
    const workers = new Workers();
    workers.log = path.join(dir, 'klatch.log');
    const log = fs.openSync(workers.log, 'a');
    workers.child = tie(spawn(...tied(ownBinary(dir), '--listen', socketPath, '--workers', String(count), '--config', configFile), {
      stdio: ['ignore', log, log], env: { ...process.env, ...SANITIZER_ENV },
    }));
    workers.child.unref();
    fs.closeSync(log);
    await until('the workers listen', () => {
      assert.equal(workers.child.exitCode, null, `the workers ended:\n${fs.readFileSync(workers.log, 'utf8')}`);
      return fs.existsSync(socketPath) && workers.pids().length === count;
    }, { withinMs: 20000 });
    if (group && process.getuid() === 0) fs.chownSync(socketPath, 0, Number(groupId(group)));
    return workers;
  }

  pids() { return children(this.child.pid); }

  async stop() {
    const pids = [this.child.pid, ...this.pids()];
    this.child.kill('SIGTERM');
    await until('the workers end', () => !pids.some(alive), { withinMs: 20000 });
    checkLog(this.log);
  }
}

function groupId(name) {
  const line = fs.readFileSync('/etc/group', 'utf8').split('\n').find((one) => one.startsWith(`${name}:`));
  return line?.split(':')[2];
}

// The unit files: started by a socket, and shut in.
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe } from 'node:test';
import { Api, expectStatus, newRoom } from '../integration/lib/api.mjs';
import { FcgiConnection } from '../integration/lib/fcgi.mjs';
import { it } from '../integration/lib/it.mjs';
import { dataOf, roomOf } from '../integration/lib/member.mjs';
import { alive } from '../integration/lib/processes.mjs';
import { BIN, CONFIG, ROOT, SANITIZER_ENV, checkLog, configText, newRunDir, tie, tied } from '../integration/lib/run-dir.mjs';
import { stillOpen, until } from '../integration/lib/until.mjs';

const UNIT = path.join(ROOT, 'deploy/systemd/klatch.service');
const EXPOSURE_MAX = 10; // tenths: systemd calls up to 1.9 safe

/** The binary behind systemd-socket-activate, which runs it at the first connection. */
class Activated {
  constructor() {
    this.dir = newRunDir();
    this.socketPath = path.join(this.dir, 'klatch.sock');
    this.log = path.join(this.dir, 'klatch.log');
    const configFile = path.join(this.dir, 'klatch.conf');
    fs.writeFileSync(configFile, configText({ data_dir: path.join(this.dir, 'data'), ...CONFIG }));
    const log = fs.openSync(this.log, 'a');
    // As in the unit: its command's options, another path.
    const [, ...options] = /^ExecStart=(.*)$/m.exec(fs.readFileSync(UNIT, 'utf8'))[1].split(' ');
    const given = options.map((option) => (option === '/etc/klatch.conf' ? configFile : option));
    const settings = Object.entries(SANITIZER_ENV).flatMap(([name, value]) => ['-E', `${name}=${value}`]);
    this.child = tie(spawn(...tied('systemd-socket-activate', '--listen', this.socketPath, ...settings, BIN, ...given), {
      stdio: ['ignore', log, log],
    }));
    this.child.unref();
    fs.closeSync(log);
  }

  listening() { return until('the socket is there', () => fs.existsSync(this.socketPath)); }

  api() {
    return new Api(async (call) => {
      const connection = await FcgiConnection.open(this.socketPath);
      try {
        return await connection.send(call, { keep: false });
      } finally {
        connection.close();
      }
    });
  }

  async stop() {
    this.child.kill('SIGTERM');
    await until('it ends', () => !alive(this.child.pid));
    checkLog(this.log);
    fs.rmSync(this.dir, { recursive: true, force: true });
  }
}

describe('systemd', () => {
  it('starts Klatch by its socket at the first request, and polls are parked', async () => {
    const server = new Activated();
    try {
      await server.listening();
      assert.ok(!fs.existsSync(path.join(server.dir, 'data')), 'nothing runs before the first request');
      const { json } = expectStatus(await server.api().get('/v1/health'), 200);
      assert.deepEqual([json.mode, json.polls], ['fastcgi', 'parked']);
      const [ada, ...others] = await roomOf(server.api(), newRoom(), 12);
      const polls = others.map((other) => other.poll(2000));
      assert.ok((await Promise.all(polls.map((poll) => stillOpen(300, poll)))).every(Boolean));
      await ada.say('by socket');
      for (const poll of polls) assert.deepEqual(dataOf((await poll).messages), ['by socket']);
    } finally {
      await server.stop();
    }
  });

  it('rates the unit as safe', () => {
    const rate = () => execFileSync('systemd-analyze', ['security', '--offline=yes', '--no-pager',
      `--threshold=${EXPOSURE_MAX}`, UNIT], { encoding: 'utf8', stdio: 'pipe' });
    assert.match(rate(), /Overall exposure level for klatch\.service: 0\.\d SAFE/);
  });

  it('finds nothing wrong in the unit files', () => {
    const dir = newRunDir();
    try {
      for (const name of ['klatch.service', 'klatch.socket']) {
        const text = fs.readFileSync(path.join(ROOT, 'deploy/systemd', name), 'utf8');
        fs.writeFileSync(path.join(dir, name), text.replace(/^ExecStart=\S+/m, `ExecStart=${BIN}`));
      }
      const files = ['klatch.service', 'klatch.socket'].map((name) => path.join(dir, name));
      const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', ...files], { encoding: 'utf8' });
      const said = (stdout + stderr).split('\n').filter((line) => line.includes('klatch'));
      assert.deepEqual([said, status], [[], 0]);
    } finally {
      fs.rmSync(dir, { recursive: true, force: true });
    }
  });
});

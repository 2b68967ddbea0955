// The binary as a plain CGI program (RFC 3875): one process for one call.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { Api } from './api.mjs';
import { environment, parseCgi } from './fcgi.mjs';
import { BIN, CONFIG, SANITIZER_ENV, configText, newRunDir, tie } from './run-dir.mjs';
import { now } from './until.mjs';

/** A cgi-bin with the binary in it, as a host's file manager leaves it, and a configuration. */
export class CgiBin {
  /** @param {{config?: object, name?: string, data?: string, home?: string}} [options] home: an empty folder */
  constructor({ config = {}, name = 'klatch.fcgi', data, home = newRunDir() } = {}) {
    this.dir = home;
    this.data = data ?? path.join(this.dir, 'data');
    fs.mkdirSync(this.data, { recursive: true });
    this.folder = path.join(this.dir, 'cgi-bin');
    fs.mkdirSync(this.folder);
    this.program = path.join(this.folder, name);
    fs.copyFileSync(BIN, this.program);
    fs.chmodSync(this.program, 0o755);
    fs.writeFileSync(path.join(this.folder, 'klatch.conf'),
      configText({ data_dir: this.data, ...CONFIG, ...config }));
    this.complaints = '';
    this.processes = new Set();
  }

  /** The bare environment of a web server: no PATH, nothing of ours. */
  run(call, { env = {}, cwd = this.folder } = {}) {
    const since = now();
    return new Promise((resolve, reject) => {
      const child = tie(spawn(this.program, [], {
        cwd,
        env: {
          ...environment({ script: `/cgi-bin/${path.basename(this.program)}`, software: 'Apache', ...call }),
          ...SANITIZER_ENV, ...env,
        },
      }));
      this.processes.add(child);
      const out = [];
      child.stdout.on('data', (part) => out.push(part));
      child.stderr.on('data', (part) => { this.complaints += part; });
      child.stdin.on('error', () => {});
      child.on('error', reject);
      child.on('close', (code, signal) => {
        this.processes.delete(child);
        try {
          assert.equal(code, 0, `the program ended with ${signal ?? code}: ${this.complaints}`);
          resolve(parseCgi(Buffer.concat(out), now() - since));
        } catch (error) {
          reject(error);
        }
      });
      child.stdin.end(call.body);
      call.signal?.addEventListener('abort', () => child.kill('SIGKILL'));
    });
  }

  api(options) { return new Api((call) => this.run(call, options)); }

  stop() {
    for (const child of this.processes) child.kill('SIGKILL');
    assert.doesNotMatch(this.complaints, /Sanitizer|runtime error:/);
    fs.rmSync(this.dir, { recursive: true, force: true });
  }
}

// Many sites below one web server: copies of the uploaded folder, each with a fault of its own.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { Apache } from '../../servers/lib/apache.mjs';
import { isRoot } from '../../servers/lib/web-server.mjs';

/** Where a poll costs a process, as short as the tests' other times, but long enough for the page's ladder. */
export const HOLDS = { hold_ms: 20000, lease_ms: 75000, grace_ms: 2000, ttl_ms: 180000 };

const TOOLS = { x86_64: 'gcc', aarch64: 'aarch64-linux-gnu-gcc' };

export class Sites {
  /** Apache as a host runs it, with plain CGI too. @param {object} [options] of Apache.start() */
  static async start(options = {}) {
    const sites = new Sites();
    sites.server = await Apache.start({ subFolder: true, modules: ['cgid'], config: HOLDS, ...options });
    return sites;
  }

  /**
   * A copy of the page's folder, after `break_` was at it.
   * @param {string} name @param {(folder: string, cgiBin: string) => void} break_
   * @returns {string} its address
   */
  add(name, break_) {
    const { site, origin } = this.server;
    const folder = path.join(site.webRoot, name);
    execFileSync('cp', ['-a', site.folder, folder]);
    break_(folder, path.join(folder, 'cgi-bin'));
    return `${origin}/${name}/`;
  }

  stop() {
    return this.server.stop();
  }
}

export const PROGRAMS = ['klatch.fcgi', 'klatch-poll.fcgi', 'klatch.cgi'];

/** Put another program in the place of all copies. @param {string} cgiBin @param {string | Buffer} bytes */
export function replacePrograms(cgiBin, bytes) {
  for (const name of PROGRAMS) {
    fs.rmSync(path.join(cgiBin, name));
    fs.writeFileSync(path.join(cgiBin, name), bytes, { mode: 0o755 });
    fs.chmodSync(path.join(cgiBin, name), 0o755);
    if (isRoot) execFileSync('chown', ['www-data:www-data', path.join(cgiBin, name)]);
  }
}

/** A small program of C. @param {string} source @param {{machine?: keyof typeof TOOLS, flags?: string[]}} [options] */
export function compile(source, { machine = 'x86_64', flags = ['-static', '-nostdlib'] } = {}) {
  const out = path.join(fs.mkdtempSync('/tmp/klatch-doctor-'), 'program');
  try {
    execFileSync(TOOLS[machine], ['-x', 'c', '-', '-o', out, ...flags], { input: source, stdio: ['pipe', 'ignore', 'pipe'] });
    return fs.readFileSync(out);
  } finally {
    fs.rmSync(path.dirname(out), { recursive: true });
  }
}

/** What an FTP program in text mode makes of a file. @param {string} file */
export function inTextMode(file) {
  const bytes = fs.readFileSync(file);
  const parts = [];
  let from = 0;
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, from)) {
    parts.push(bytes.subarray(from, at), Buffer.from('\r\n'));
    from = at + 1;
  }
  fs.writeFileSync(file, Buffer.concat([...parts, bytes.subarray(from)]));
}

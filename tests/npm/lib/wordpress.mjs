// A site of WordPress with the plugin and the package beside it, by PHP's own web server.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from '../../browser/lib/until.mjs';
import { freePort } from '../../setup/free-port.mjs';

const HERE = fileURLToPath(new URL('./wordpress/', import.meta.url));

export class WordPress {
  /** @param {string} folder where the options lie @param {string} klatch the package */
  static async start(folder, klatch) {
    const site = new WordPress();
    const port = await freePort();
    site.origin = `http://localhost:${port}`;
    site.said = '';
    site.child = spawn('setpriv', ['--pdeathsig', 'TERM', '--', 'php', '-d', 'display_errors=1', '-S', `127.0.0.1:${port}`,
      path.join(HERE, 'site.php')], { env: { ...process.env, WP_OPTIONS: path.join(folder, 'options.json'), WP_PACKAGE: klatch } });
    site.child.stderr.on('data', (data) => { site.said += data; });
    await until('PHP serves', () => fetch(`${site.origin}/`).then((answer) => answer.status === 404));
    return site;
  }

  /** The page that holds this text, short codes and all. */
  page(content) {
    return `${this.origin}/page/?${new URLSearchParams({ content })}`;
  }

  /** What PHP complained of. */
  complaints() {
    return this.said.split('\n').filter((line) => /PHP (Warning|Notice|Deprecated|Fatal|Parse)/.test(line));
  }

  async close() {
    this.child.kill('SIGTERM');
    await until('PHP has ended', () => this.child.exitCode !== null || this.child.signalCode !== null);
  }
}

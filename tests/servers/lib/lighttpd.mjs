// Debian's lighttpd around one of the recipes.
import fs from 'node:fs';
import path from 'node:path';
import { Site } from './site.mjs';
import { until } from '../../integration/lib/until.mjs';
import { WWW, WebServer, freePort, isRoot, render } from './web-server.mjs';

/** As the recipe has it. */
const PROCESSES = 2;

/** What stands before a site in Debian's own lighttpd.conf. */
const frame = ({ dir, port }) => `
server.modules = ( "mod_indexfile" )
server.document-root = "/var/www/html"
index-file.names = ( "index.php", "index.html" )
server.port = ${port}
server.bind = "127.0.0.1"
server.errorlog = "${dir}/server.log"
server.breakagelog = "${dir}/server.log"
server.pid-file = "${dir}/lighttpd.pid"
server.upload-dirs = ( "${dir}/uploads" )
${isRoot ? 'server.username = "www-data"\nserver.groupname = "www-data"' : ''}
include_shell "/usr/share/lighttpd/create-mime.conf.pl"
`;

export class Lighttpd extends WebServer {
  /**
   * @param {object} [options]
   * @param {'fastcgi' | 'cgi'} [options.how]
   * @param {string} [options.extra] lines after the recipe
   * @param {object | null} [options.config]
   * @param {'home' | 'ftp'} [options.kind]
   * @param {string} [options.bin]
   */
  constructor({ how = 'fastcgi', extra = '', config = {}, kind = 'home', bin } = {}) {
    super();
    this.how = how;
    this.extra = extra;
    this.site = new Site(path.join(this.dir, 'home'), { kind, config, bin, owner: isRoot ? WWW : null });
  }

  async start() {
    this.port ||= await freePort();
    for (const name of ['uploads', 'sockets']) {
      fs.mkdirSync(path.join(this.dir, name), { recursive: true });
      fs.chmodSync(path.join(this.dir, name), 0o777);
    }
    // lighttpd opens its log as who it becomes.
    fs.writeFileSync(this.log, '');
    fs.chmodSync(this.log, 0o666);
    const recipe = render(`lighttpd/klatch-${this.how}.conf.in`, {
      PUBLIC: this.site.folder, SOCKET: path.join(this.dir, 'sockets/klatch'),
    });
    fs.writeFileSync(path.join(this.dir, 'lighttpd.conf'), `${frame(this)}\n${recipe}\n${this.extra}\n`);
    await this.run(['lighttpd', '-D', '-f', path.join(this.dir, 'lighttpd.conf')]);
  }

  /**
   * A process that lighttpd has forked and that isn't Klatch yet has lighttpd's handler of SIGTERM: a signal
   * that comes then is lost with it, and the process stays. It starts others in place of those that were killed.
   */
  async end() {
    const whole = () => this.ended || this.klatchProcesses().length === PROCESSES;
    try {
      if (this.how === 'fastcgi') await until('its processes are Klatch\'s', whole);
    } finally {
      await super.end();
    }
  }
}

// Debian's Apache with the event MPM around one of the recipes, in a folder and on a port of its own.
import fs from 'node:fs';
import path from 'node:path';
import { Site } from './site.mjs';
import { WWW, WebServer, freePort, isRoot, render } from './web-server.mjs';
import { Workers } from './workers.mjs';

const MODULES = ['mpm_event', 'authz_core', 'authz_host', 'mime', 'dir', 'alias', 'setenvif',
  'env', 'filter', 'deflate', 'reqtimeout'];

const RECIPES = {
  'apache-fcgid': { file: 'apache-fcgid/klatch.conf.in', modules: ['fcgid'] },
  'apache-host': { file: 'apache-fcgid/host.conf.in', modules: ['fcgid', 'cgid', 'suexec', 'userdir'] },
  'apache-cgid': { file: 'apache-cgid/klatch.conf.in', modules: ['cgid'] },
  'apache-proxy-fcgi': { file: 'apache-proxy-fcgi/klatch.conf.in', modules: ['proxy', 'proxy_fcgi'] },
};

/** Modules that load others first, and the one built in. */
const frame = ({ dir, port, modules }) => `
ServerRoot "${dir}"
ServerName localhost
PidFile "${dir}/apache.pid"
DefaultRuntimeDir "${dir}"
Mutex file:${dir} default
ErrorLog "${dir}/server.log"
LogLevel warn
Listen 127.0.0.1:${port}
Listen [::1]:${port}
${modules.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`).join('\n')}
${isRoot ? 'User www-data\nGroup www-data' : ''}
TypesConfig /etc/mime.types
StartServers 1
ServerLimit 4
ThreadsPerChild 64
MaxRequestWorkers 256
<Directory "/">
    AllowOverride None
    Require all denied
</Directory>
<IfModule mod_cgid.c>
    ScriptSock "${dir}/cgid.sock"
</IfModule>
<IfModule mod_fcgid.c>
    FcgidIPCDir "${dir}/fcgid"
    FcgidProcessTableFile "${dir}/fcgid.shm"
    FcgidZombieScanInterval 1
    FcgidInitialEnv ASAN_OPTIONS "detect_leaks=1:strict_string_checks=1"
</IfModule>
<IfModule mod_env.c>
    PassEnv ASAN_OPTIONS UBSAN_OPTIONS
</IfModule>
<IfModule mod_reqtimeout.c>
    RequestReadTimeout header=20-40,minrate=500 body=20,minrate=500
</IfModule>
`;

export class Apache extends WebServer {
  /**
   * @param {object} [options]
   * @param {keyof typeof RECIPES} [options.recipe]
   * @param {string[]} [options.modules] loaded besides those that a recipe needs
   * @param {string[]} [options.without] not loaded
   * @param {string} [options.main] configuration lines before the recipe
   * @param {string} [options.extra] lines after the recipe, which win over it
   * @param {string} [options.inSite] lines for the site's folder, such as `AllowOverride None`
   * @param {boolean} [options.subFolder] page at /klatch/; else at the host's root
   * @param {object | null} [options.config] klatch.conf; null: none, as after an upload
   * @param {'home' | 'ftp'} [options.kind]
   * @param {Site | null} [options.site] one that is there already; null: it comes later
   * @param {string} [options.bin]
   */
  constructor({ recipe = 'apache-fcgid', modules = [], without = [], main = '', extra = '', inSite = '',
    subFolder = false, config = {}, kind = 'home', site, bin } = {}) {
    super();
    this.recipe = recipe;
    this.options = { main, extra, inSite, subFolder };
    this.modules = [...MODULES, ...RECIPES[recipe].modules, ...modules].filter((name) => !without.includes(name));
    this.site = site !== undefined ? site : new Site(path.join(this.dir, 'home'), { kind, config, bin, owner: isRoot ? WWW : null });
    this.base = subFolder ? '/klatch' : '';
    this.socketPath = path.join(this.dir, 'klatch.sock');
    this.values = {};
  }

  async start() {
    this.port ||= await freePort();
    if (this.recipe === 'apache-proxy-fcgi' && !this.workers) {
      this.workers = await Workers.start({ ...this, configFile: this.site.configFile, group: WWW.group });
    }
    this.writeConfiguration();
    fs.mkdirSync(path.join(this.dir, 'fcgid'), { recursive: true });
    if (isRoot) fs.chmodSync(path.join(this.dir, 'fcgid'), 0o777);
    await this.run(['apache2', '-f', path.join(this.dir, 'apache.conf'), '-DFOREGROUND']);
  }

  writeConfiguration() {
    const { main, extra, inSite, subFolder } = this.options;
    const recipe = render(RECIPES[this.recipe].file, {
      LISTEN: `*:${this.port}`,
      NAME: 'localhost',
      PUBLIC: subFolder ? this.site.webRoot : this.site.folder,
      SOCKET: this.socketPath,
      ...this.values,
    });
    const own = inSite ? `<Directory "${this.site.folder}">\n${inSite}\n</Directory>` : '';
    fs.writeFileSync(path.join(this.dir, 'apache.conf'), [
      frame(this), main, recipe.replace('</VirtualHost>', `${extra}\n${own}\n</VirtualHost>`), ''].join('\n'));
  }

  async end() {
    await super.end();
    await this.workers?.stop();
    this.workers = null;
  }
}

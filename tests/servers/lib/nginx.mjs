// Debian's nginx around deploy/nginx, in front of Klatch's workers; or as a proxy that ends TLS.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { Site } from './site.mjs';
import { WebServer, freePort, isRoot, render } from './web-server.mjs';
import { Workers } from './workers.mjs';

function frame(server) {
  return render('nginx/private.conf.in', {
    USER: isRoot ? 'user root;' : '', RUN_DIR: server.dir, FILES: '4096', CONNECTIONS: '2048',
  });
}

async function runNginx(server) {
  fs.mkdirSync(path.join(server.dir, 'tmp'), { recursive: true });
  fs.writeFileSync(path.join(server.dir, 'nginx.conf'), frame(server));
  await server.run(['nginx', '-e', path.join(server.dir, 'nginx.log'), '-p', server.dir,
    '-c', path.join(server.dir, 'nginx.conf'), '-g', 'daemon off;']);
}

export class Nginx extends WebServer {
  /** @param {{config?: object | null, extra?: string, bin?: string}} [options] */
  constructor({ config = {}, extra = '', bin } = {}) {
    super();
    this.site = new Site(path.join(this.dir, 'home'), { config, bin });
    this.extra = extra;
    this.socketPath = path.join(this.dir, 'klatch.sock');
  }

  async start() {
    this.port ||= await freePort();
    this.workers = await Workers.start({ ...this, configFile: this.site.configFile });
    const recipe = render('nginx/klatch.conf.in', {
      SOCKET: this.socketPath,
      SERVERS: [0, 1].map((worker) => `server "unix:${this.socketPath}.${worker}" max_fails=0;`).join('\n    '),
      LISTEN: `listen 127.0.0.1:${this.port};`,
      PUBLIC: this.site.folder,
      VENDOR: path.join(this.site.folder, 'vendor'),
    });
    fs.writeFileSync(path.join(this.dir, 'klatch-nginx.conf'), `${recipe}\n${this.extra}\n`);
    await runNginx(this);
  }

  logs() { return super.logs() + read(path.join(this.dir, 'nginx.log')) + read(path.join(this.dir, 'klatch.log')); }

  async end() {
    await super.end();
    await this.workers?.stop();
    this.workers = null;
  }
}

/** nginx that speaks TLS to browsers and plain HTTP to a web server, as a host's front end does. */
export class TlsProxy extends WebServer {
  /** @param {WebServer} behind */
  constructor(behind) {
    super();
    this.behind = behind;
    this.base = behind.base;
    this.site = behind.site;
  }

  static async start(behind) {
    const server = new TlsProxy(behind);
    server.port = await freePort();
    makeCertificate(server.dir);
    fs.writeFileSync(path.join(server.dir, 'klatch-nginx.conf'), proxyConfiguration(server));
    await runNginx(server);
    return server;
  }

  get origin() { return `https://localhost:${this.port}`; }
}

const proxyConfiguration = ({ dir, port, behind }) => `
server {
    listen 127.0.0.1:${port} ssl http2;
    ssl_certificate "${dir}/cert.pem";
    ssl_certificate_key "${dir}/key.pem";
    location / {
        proxy_pass http://127.0.0.1:${behind.port};
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_set_header Host $host:$server_port;
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_set_header X-Forwarded-Proto https;
        proxy_read_timeout 30s;
    }
}
`;

function makeCertificate(dir) {
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
    '-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,DNS:talk.localhost',
    '-keyout', path.join(dir, 'key.pem'), '-out', path.join(dir, 'cert.pem')], { stdio: 'ignore' });
}

function read(file) { return fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : ''; }

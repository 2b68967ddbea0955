// Front servers before one site: an nginx with a port for each bad habit.
import fs from 'node:fs';
import path from 'node:path';
import { WebServer, freePort, isRoot } from '../../servers/lib/web-server.mjs';

export class Fronts extends WebServer {
  /**
   * @param {WebServer} behind
   * @param {Record<string, string>} habits lines of a server block; PROXY passes a request on
   * @param {{http?: string}} [options] lines of the http block; BEHIND is the port behind
   */
  static async start(behind, habits, { http = '' } = {}) {
    const fronts = new Fronts();
    fronts.ports = new Map();
    const blocks = [];
    for (const [name, lines] of Object.entries(habits)) {
      const port = await freePort();
      fronts.ports.set(name, port);
      blocks.push(serverBlock(port, lines, behind.port));
    }
    [fronts.port] = fronts.ports.values();
    fs.mkdirSync(path.join(fronts.dir, 'tmp'));
    fs.writeFileSync(path.join(fronts.dir, 'nginx.conf'), `
${isRoot ? 'user root;' : ''}
worker_processes 1;
pid "${fronts.dir}/nginx.pid";
error_log "${fronts.dir}/server.log" warn;
events { worker_connections 512; }
http {
    access_log off;
    client_body_temp_path "${fronts.dir}/tmp/body";
    proxy_temp_path "${fronts.dir}/tmp/proxy";
    fastcgi_temp_path "${fronts.dir}/tmp/fastcgi";
    scgi_temp_path "${fronts.dir}/tmp/scgi";
    uwsgi_temp_path "${fronts.dir}/tmp/uwsgi";
    ${http.replaceAll('BEHIND', String(behind.port))}
    ${blocks.join('\n')}
}
`);
    await fronts.run(['nginx', '-e', fronts.log, '-p', fronts.dir, '-c', path.join(fronts.dir, 'nginx.conf'), '-g', 'daemon off;']);
    return fronts;
  }

  /** The page behind a front server. @param {string} name */
  url(name) {
    return `http://localhost:${this.ports.get(name)}/`;
  }

  /** What these servers say of errors is what they are for. */
  complaints() { return []; }
}

function serverBlock(port, lines, behind) {
  const pass = `proxy_pass http://127.0.0.1:${behind};`;
  return `
    server {
        listen 127.0.0.1:${port};
        client_max_body_size 1m;
        proxy_http_version 1.1;
        proxy_read_timeout 60s;
        ${lines.replaceAll('PROXY', pass)}
        location / { ${pass} }
    }`;
}

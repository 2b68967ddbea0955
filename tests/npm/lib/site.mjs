// A site of somebody else's: a folder in which the packed package is installed as people install it, and a
// web server of its own origin that gives away what lies in a folder.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
export const BUILD = path.join(ROOT, 'build');
export const PACKAGE = path.join(BUILD, 'npm/klatch');
const { version } = JSON.parse(fs.readFileSync(path.join(PACKAGE, 'package.json'), 'utf8'));
export const TARBALL = path.join(BUILD, `npm/klatch-${version}.tgz`);
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.css': 'text/css' };

/** A new folder for one test file; the caller removes it. */
export function newFolder() {
  fs.mkdirSync(path.join(BUILD, 'tmp'), { recursive: true });
  return fs.mkdtempSync(path.join(BUILD, 'tmp/npm-'));
}

/** `npm install` of the packed package. It depends on nothing, so that no registry is asked. */
export function install(folder) {
  fs.writeFileSync(path.join(folder, 'package.json'), '{ "name": "a-site", "version": "1.0.0", "private": true, "type": "module" }\n');
  execFileSync('npm', ['install', '--offline', '--silent', '--no-audit', '--no-fund', '--no-update-notifier',
    '--cache', path.join(folder, '.npm'), TARBALL], { cwd: folder });
  return path.join(folder, 'node_modules/klatch');
}

/** Serves files of a folder; what isn't there is a 404 that `missed` keeps. */
export class Site {
  missed = [];

  static async start(folder) {
    const site = new Site();
    site.server = http.createServer((request, response) => {
      const { pathname } = new URL(request.url ?? '/', 'http://localhost');
      const file = path.join(folder, path.posix.normalize(decodeURIComponent(pathname)));
      if (!fs.statSync(file, { throwIfNoEntry: false })?.isFile()) {
        if (pathname !== '/favicon.ico') site.missed.push(pathname);
        response.writeHead(404).end();
        return;
      }
      response.writeHead(200, { 'Content-Type': TYPES[path.extname(file)] ?? 'application/octet-stream' });
      fs.createReadStream(file).pipe(response);
    });
    await new Promise((resolve) => { site.server.listen(0, '127.0.0.1', resolve); });
    site.origin = `http://localhost:${site.server.address().port}`;
    return site;
  }

  close() {
    return new Promise((resolve) => {
      this.server.close(resolve);
      this.server.closeAllConnections();
    });
  }
}

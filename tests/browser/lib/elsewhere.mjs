/* elsewhere: a web site of somebody else, on an origin of its own: pages that a test gives, and for the rest
 * the files of public_html, as a site has that copied them. */

import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const FILES = fileURLToPath(new URL('../../../public_html/', import.meta.url));
const VENDOR = fileURLToPath(new URL('../../../build/vendor/', import.meta.url));
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8',
  '.json': 'application/json', '.svg': 'image/svg+xml' };

export class Site {
  /** The headers of the pages. @type {Record<string, string>} */
  headers = {};

  /** @param {Record<string, string>} [pages] HTML by path */
  constructor(pages = {}) {
    this.pages = pages;
  }

  get origin() {
    return `http://127.0.0.1:${this.server.address().port}`;
  }

  async start() {
    this.server = http.createServer((request, response) => {
      const { pathname } = new URL(request.url, 'http://localhost');
      const page = this.pages[pathname] ?? null;
      const vendored = pathname.startsWith('/vendor/');
      const file = path.join(vendored ? VENDOR : FILES, path.posix.normalize(vendored ? pathname.slice('/vendor'.length) : pathname));
      if (page !== null) response.writeHead(200, { ...this.headers, 'Content-Type': TYPES['.html'] }).end(page);
      else if (!fs.existsSync(file) || !fs.statSync(file).isFile()) {
        // A page without anything, for frames.
        response.writeHead(pathname.endsWith('.html') ? 200 : 404, { 'Content-Type': TYPES['.html'] }).end('<!doctype html><title>x</title>');
      } else {
        response.writeHead(200, { 'Content-Type': TYPES[path.extname(file)] ?? 'application/octet-stream' });
        fs.createReadStream(file).pipe(response);
      }
    });
    await new Promise((resolve) => { this.server.listen(0, '127.0.0.1', resolve); });
    return this;
  }

  async close() {
    await new Promise((resolve) => {
      this.server.close(resolve);
      this.server.closeAllConnections();
    });
  }
}

// A small static server for the page's tests: the page at `/`, and once more below `/fake/`
// with the SDK's entry replaced by fake-klatch.js, more languages, and the gallery beside it. Other origins
// may use what is here, so that the element can be tested on their pages.
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('./', import.meta.url));
const page = path.join(here, '../../public_html/');

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.webmanifest': 'application/manifest+json',
};
/** What stands below /fake/ instead of the page's own file. */
const FAKES = {
  'klatch/index.js': 'fake-klatch.js',
  'ui/strings/tables.js': 'strings/tables.js',
  'ui/strings/pl.json': 'strings/pl.json',
  'ui/strings/cs.json': 'strings/cs.json',
  'host.html': 'host.html',
  'host.js': 'host.js',
  'gallery.html': 'gallery.html',
  'gallery.js': 'gallery.js',
  'gallery.css': 'gallery.css',
};

/** The file of an address, or null. */
async function fileOf(address) {
  const wanted = path.posix.normalize(decodeURIComponent(address)).replace(/^\//, '');
  const fake = wanted.startsWith('fake/');
  const name = fake ? wanted.slice('fake/'.length) : wanted;
  const file = fake && FAKES[name] ? path.join(here, FAKES[name]) : path.join(page, name || 'index.html');
  if (!file.startsWith(here) && !file.startsWith(page)) return null;
  const found = await stat(file).catch(() => null);
  return found?.isFile() ? file : null;
}

/**
 * @param {number} [port] 0 for a free one
 * @returns {Promise<{url: string, close: () => Promise<void>}>}
 */
export async function serve(port = 0) {
  const server = http.createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const file = await fileOf(pathname);
    if (file === null) {
      response.writeHead(404, { 'Content-Type': 'text/plain' }).end('not found\n');
      return;
    }
    const type = TYPES[path.extname(file)] ?? 'application/octet-stream';
    response.writeHead(200, { 'Content-Type': type, 'Cache-Control': 'no-store', 'Access-Control-Allow-Origin': '*' });
    createReadStream(file).pipe(response);
  });
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  const { port: bound } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    url: `http://127.0.0.1:${bound}/`,
    close: () => new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    }),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { url } = await serve(Number(process.env.PORT ?? 8090));
  process.stdout.write(`the gallery is at ${url}fake/gallery.html\n`);
}

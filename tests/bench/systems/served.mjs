// What deploy/serve.sh serves: Klatch itself, and the floors in its place behind the same recipe.
import fs from 'node:fs';
import path from 'node:path';
import { BINARY, OUT, ROOT } from '../lib/paths.mjs';
import { family, freePort, freshDir, listening, start, stop } from '../lib/processes.mjs';

const pidIn = (dir, name) => Number(fs.readFileSync(path.join(dir, `${name}.pid`), 'utf8'));

async function serve(name, { bin, root = ROOT, config = '', workers = 2 }) {
  const dir = freshDir(name);
  const log = path.join(dir, 'serve.log');
  const extra = path.join(dir, 'extra.conf');
  const port = await freePort();
  fs.writeFileSync(extra, config);
  const child = start(path.join(root, 'deploy/serve.sh'), [], {
    log,
    cwd: ROOT,
    env: {
      PORT: String(port), HOST: '127.0.0.1', HTTPS: '', BIN: bin, RUN_DIR: dir, DATA: path.join(dir, 'data'),
      CONFIG: extra, WORKERS: String(workers),
    },
  });
  await listening(child, port, log);
  const until = Date.now() + 20000;
  while (!fs.readFileSync(log, 'utf8').includes('Klatch is at')) {
    if (Date.now() > until || child.exitCode !== null) throw new Error(fs.readFileSync(log, 'utf8'));
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return {
    port,
    dir,
    pids: () => family(pidIn(dir, 'klatch')),
    fronts: () => family(pidIn(dir, 'nginx')),
    stop: () => stop(child),
  };
}

/** The same recipe but for the one line that keeps connections. */
function unkeptRoot() {
  const root = path.join(OUT, 'unkept');
  fs.rmSync(root, { recursive: true, force: true });
  fs.mkdirSync(path.join(root, 'deploy/nginx'), { recursive: true });
  fs.copyFileSync(path.join(ROOT, 'deploy/serve.sh'), path.join(root, 'deploy/serve.sh'));
  for (const file of ['klatch.conf.in', 'private.conf.in']) {
    const text = fs.readFileSync(path.join(ROOT, 'deploy/nginx', file), 'utf8');
    const off = text.replace('fastcgi_keep_conn on;', 'fastcgi_keep_conn off;').replace(/^ *keepalive \d+;\n/m, '');
    fs.writeFileSync(path.join(root, 'deploy/nginx', file), off);
  }
  for (const folder of ['public_html', 'build']) fs.symlinkSync(path.join(ROOT, folder), path.join(root, folder));
  return root;
}

export const klatch = {
  name: 'klatch',
  label: 'Klatch',
  short: 'Klatch',
  protocol: 'klatch',
  base: '/api',
  start: ({ config = '', workers = 2 } = {}) => serve('klatch', {
    workers, bin: BINARY, config: `rooms_max = 100000\nice_server = none\n${config}`,
  }),
};

export const floor = {
  name: 'floor',
  label: 'floor: rendezvous in memory, own epoll loop, connections kept',
  short: 'floor, connections kept',
  protocol: 'rendezvous',
  base: '/api/v1',
  start: () => serve('floor', { bin: path.join(OUT, 'floor') }),
};

export const floorLibfcgi = {
  name: 'libfcgi',
  label: 'floor: the same with libfcgi, a connection for each request',
  short: 'floor, libfcgi',
  protocol: 'rendezvous',
  base: '/api/v1',
  start: () => serve('libfcgi', { bin: path.join(OUT, 'floor-libfcgi'), root: unkeptRoot() }),
};

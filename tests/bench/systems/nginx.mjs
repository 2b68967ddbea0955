// A private nginx with the same frame as Klatch's, around other locations: nchan's, PHP's, or a way
// through to a Node server.
import fs from 'node:fs';
import path from 'node:path';
import { HERE } from '../lib/paths.mjs';
import { family, freePort, freshDir, listening, start, stop } from '../lib/processes.mjs';
import { socketio } from './node.mjs';

const NCHAN = '/usr/lib/nginx/modules/ngx_nchan_module.so';
const FPM = '/usr/sbin/php-fpm8.2';
const FPM_CHILDREN = 64;
const FILES = 20000;

const asRoot = process.getuid() === 0;

function nginxConf(dir, port, { modules = '', http = '', locations }) {
  return `${modules}
${asRoot ? 'user root;' : ''}
worker_processes 2;
worker_rlimit_nofile ${FILES};
pid ${dir}/nginx.pid;
error_log ${dir}/nginx.log warn;
events { worker_connections ${(FILES * 3) / 4}; }
http {
  access_log off;
  tcp_nopush on;
  client_body_temp_path ${dir}/body;
  fastcgi_temp_path ${dir}/fastcgi;
  proxy_temp_path ${dir}/proxy;
  scgi_temp_path ${dir}/scgi;
  uwsgi_temp_path ${dir}/uwsgi;
  ${http}
  server {
    listen 127.0.0.1:${port};
    client_max_body_size 384k;
    client_body_buffer_size 64k;
    keepalive_timeout 75s;
    keepalive_requests 10000;
    ${locations}
  }
}
`;
}

async function startNginx(dir, parts) {
  const port = await freePort();
  const log = path.join(dir, 'nginx.log');
  const conf = path.join(dir, 'nginx.conf');
  fs.writeFileSync(conf, nginxConf(dir, port, parts));
  const child = start('/usr/sbin/nginx', ['-e', log, '-p', dir, '-c', conf, '-g', 'daemon off;'], { log });
  await listening(child, port, log);
  return { port, child };
}

export const nchan = {
  name: 'nchan',
  label: 'nchan (in nginx, memory)',
  short: 'nchan',
  protocol: 'nchan',
  missing: () => (fs.existsSync(NCHAN) ? null : 'libnginx-mod-nchan'),
  start: async () => {
    const dir = freshDir('nchan');
    // Its default buffer of ten messages loses some of a join's; the manual's key for that is set.
    const { port, child } = await startNginx(dir, {
      modules: `load_module ${NCHAN};`,
      http: 'nchan_shared_memory_size 256m;',
      locations: `
    location /send { nchan_publisher; nchan_channel_id $arg_to; nchan_message_buffer_length 2000; nchan_message_timeout 3m; }
    location /poll { nchan_subscriber longpoll; nchan_channel_id $arg_me; nchan_subscriber_first_message oldest; nchan_subscriber_timeout 25s; }`,
    });
    return { port, pids: () => family(child.pid), fronts: () => [], stop: () => stop(child) };
  },
};

/** As its guide says; the bare one is measured too. */
export const socketioBehindNginx = {
  name: 'socketio-nginx',
  label: 'socket.io 4, WebSocket, behind nginx as Klatch is',
  short: 'the same behind nginx',
  protocol: 'socketio',
  fullOnly: true,
  start: async () => {
    const node = await socketio.start();
    const { port, child } = await startNginx(freshDir('socketio-nginx'), {
      locations: `
    location / {
      proxy_pass http://127.0.0.1:${node.port};
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection "upgrade";
      proxy_read_timeout 1h;
    }`,
    });
    return {
      port,
      pids: node.pids,
      fronts: () => family(child.pid),
      stop: async () => { await stop(child); await node.stop(); },
    };
  },
};

export const php = {
  name: 'php',
  label: 'PHP-FPM + SQLite, 100 ms loop',
  short: 'PHP loop',
  protocol: 'php',
  // A loop goes on when its browser has left, and holds its process: no workload inherits those.
  fresh: true,
  missing: () => (fs.existsSync(FPM) ? null : 'php8.2-fpm'),
  start: async () => {
    const dir = freshDir('php');
    const log = path.join(dir, 'fpm.log');
    const conf = path.join(dir, 'fpm.conf');
    fs.writeFileSync(conf, `[global]
error_log = ${log}
daemonize = no
[www]
listen = ${dir}/fpm.sock
listen.backlog = 4096
pm = static
pm.max_children = ${FPM_CHILDREN}
env[MAILBOX] = ${dir}/mailbox.sqlite
${asRoot ? 'user = root\ngroup = root\n' : ''}`);
    const fpm = start(FPM, ['--fpm-config', conf, ...(asRoot ? ['--allow-to-run-as-root'] : [])], { log });
    const until = Date.now() + 10000;
    while (!fs.existsSync(`${dir}/fpm.sock`)) {
      if (Date.now() > until) throw new Error(fs.readFileSync(log, 'utf8'));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const { port, child } = await startNginx(dir, {
      locations: `
    location ~ ^/(send|poll)\\.php$ {
      root ${HERE}/systems/php;
      include /etc/nginx/fastcgi_params;
      fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name;
      fastcgi_pass unix:${dir}/fpm.sock;
    }`,
    });
    return {
      port,
      pids: () => family(fpm.pid),
      fronts: () => family(child.pid),
      stop: async () => { await stop(child); await stop(fpm); },
    };
  },
};

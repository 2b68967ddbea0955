// Servers of the npm registry, each in a Node process of its own, bare: nothing stands in front.
import path from 'node:path';
import { HERE, PACKAGES } from '../lib/paths.mjs';
import { family, freePort, freshDir, listening, start, stop } from '../lib/processes.mjs';

async function serve(name, script, args) {
  const log = path.join(freshDir(name), 'log');
  const port = await freePort();
  const child = start(process.execPath, [path.join(HERE, 'systems', script), String(port), ...args], {
    log, env: { NODE_ENV: 'production' },
  });
  await listening(child, port, log);
  return {
    port, pids: () => family(child.pid), fronts: () => [], stop: () => stop(child),
  };
}

export const socketio = {
  name: 'socketio',
  label: 'socket.io 4, WebSocket',
  short: 'socket.io, WebSocket',
  protocol: 'socketio',
  start: () => serve('socketio', 'socketio-server.mjs', ['websocket', PACKAGES]),
};

export const socketioPolling = {
  name: 'socketio-polling',
  label: 'socket.io 4, polling',
  short: 'socket.io, polling',
  protocol: 'socketio-polling',
  start: () => serve('socketio-polling', 'socketio-server.mjs', ['polling', PACKAGES]),
};

export const peerserver = {
  name: 'peerserver',
  label: 'PeerServer, WebSocket',
  short: 'PeerServer, WebSocket',
  protocol: 'peerjs',
  start: () => serve('peerserver', 'peerserver.mjs', [PACKAGES]),
};

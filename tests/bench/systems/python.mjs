// python-socketio of Debian's packages, on aiohttp, bare.
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { HERE } from '../lib/paths.mjs';
import { family, freePort, freshDir, listening, start, stop } from '../lib/processes.mjs';

export const python = {
  name: 'python',
  label: 'python-socketio, WebSocket',
  short: 'python-socketio, WebSocket',
  protocol: 'socketio',
  missing: () => (spawnSync('/usr/bin/python3', ['-c', 'import socketio, aiohttp']).status === 0
    ? null : 'python3-socketio python3-aiohttp'),
  start: async () => {
    const log = path.join(freshDir('python'), 'log');
    const port = await freePort();
    const child = start('/usr/bin/python3', [path.join(HERE, 'systems/python-server.py'), String(port)], { log });
    await listening(child, port, log);
    return { port, pids: () => family(child.pid), fronts: () => [], stop: () => stop(child) };
  },
};

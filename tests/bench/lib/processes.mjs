// Processes that end with the bench, however that ends, and what /proc says of them.
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { OUT } from './paths.mjs';

const running = new Set();
const STOP_MS_MAX = 8000;
// A run's own, so that two at once don't clear each other's away.
const RUN = path.join(OUT, 'run', String(process.pid));

function statOf(pid) {
  try {
    const text = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
    const [state, parent] = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { state, parent: Number(parent) };
  } catch {
    return null;
  }
}

/** A process and all below it that live. */
export function family(pid) {
  const parents = new Map();
  for (const name of fs.readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = statOf(name);
    if (stat && stat.state !== 'Z') parents.set(Number(name), stat.parent);
  }
  const found = [pid];
  for (let i = 0; i < found.length; i += 1) {
    for (const [child, parent] of parents) if (parent === found[i]) found.push(child);
  }
  return found.filter((one) => parents.has(one));
}

export async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

let dirs = 0;

/**
 * A fresh folder for what a server writes. The name is short: a Unix socket's path has 107 bytes.
 *
 * An ext4 without a journal makes files slowly for minutes after others were deleted from the same
 * group of blocks, whoever did that. So all folders go only when the bench ends, and the flag T asks
 * for a group of its own for each; other file systems don't know it.
 */
export function freshDir(name) {
  if (dirs === 0) {
    fs.mkdirSync(RUN, { recursive: true });
    spawnSync('chattr', ['+T', RUN], { stdio: 'ignore' });
  }
  dirs += 1;
  const dir = path.join(RUN, `${name}${dirs}`);
  fs.mkdirSync(dir);
  return dir;
}

/** Start a program; its words go to `log`. */
export function start(program, args, { log, env = {}, cwd } = {}) {
  const out = fs.openSync(log, 'a');
  const child = spawn(program, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', out, out] });
  fs.closeSync(out);
  child.on('error', (error) => { fs.appendFileSync(log, `${error}\n`); });
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

const ended = (child) => child.exitCode !== null || child.signalCode !== null || child.pid === undefined;

/** SIGTERM, then SIGKILL to whatever of it is left. */
export async function stop(child) {
  if (child.pid === undefined) return;
  const pids = family(child.pid);
  if (!ended(child)) child.kill('SIGTERM');
  const until = Date.now() + STOP_MS_MAX;
  const alive = () => pids.filter((pid) => !['Z', 'X', undefined].includes(statOf(pid)?.state));
  while (alive().length > 0 && Date.now() < until) await sleep(20);
  for (const pid of alive()) process.kill(pid, 'SIGKILL');
}

/** Wait until somebody listens, or say why nobody does. */
export async function listening(child, port, log) {
  const until = Date.now() + 20000;
  for (;;) {
    if (ended(child)) throw new Error(`it ended:\n${fs.readFileSync(log, 'utf8').slice(-2000)}`);
    const socket = net.connect(port, '127.0.0.1');
    const open = await Promise.race([
      once(socket, 'connect').then(() => true, () => false), sleep(1000, false),
    ]);
    socket.destroy();
    if (open) return;
    if (Date.now() > until) throw new Error(`nobody listens on ${port}:\n${fs.readFileSync(log, 'utf8').slice(-2000)}`);
    await sleep(30);
  }
}

process.once('exit', () => {
  for (const child of running) child.kill('SIGTERM');
  fs.rmSync(RUN, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(130));

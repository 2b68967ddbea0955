// One run of the load generator against a running system.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { OUT } from './paths.mjs';

const SECONDS_MAX = 300;
let runs = 0;

const dashed = (name) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** How often a connection met a full listen queue, on this machine since its start: each costs a second. */
function overflows() {
  const [names, values] = fs.readFileSync('/proc/net/netstat', 'utf8').split('\n')
    .filter((line) => line.startsWith('TcpExt:')).map((line) => line.split(' '));
  return Number(values[names.indexOf('ListenOverflows')]);
}

/**
 * @param {{protocol: string, base?: string, port: number, pids: () => number[], fronts: () => number[]}} system
 * @param {Record<string, string | number | boolean>} options
 */
export async function generate(system, options) {
  runs += 1;
  const all = {
    room: `bench${runs}`, protocol: system.protocol, base: system.base ?? '', port: system.port,
    pids: system.pids().join(','), fronts: system.fronts().join(','), ...options,
  };
  const args = [];
  for (const [name, value] of Object.entries(all)) {
    if (value === '' || value === false) continue;
    args.push(`--${dashed(name)}`);
    if (value !== true) args.push(String(value));
  }
  const overflowsBefore = overflows();
  const child = spawn(path.join(OUT, 'generate'), args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const timer = setTimeout(() => child.kill('SIGKILL'), SECONDS_MAX * 1000);
  let out = '';
  let said = '';
  child.stdout.on('data', (part) => { out += part; });
  child.stderr.on('data', (part) => { said += part; });
  const status = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  clearTimeout(timer);
  if (status !== 0) throw new Error(`generate ${args.join(' ')}: ${status}\n${said}`);
  const result = JSON.parse(out);
  result.overflows = overflows() - overflowsBefore;
  if (said) result.said = said.trim();
  return result;
}

/* processes: what the browsers that this process started have taken of the processor. */

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';

const TICKS_A_SECOND = Number(execFileSync('getconf', ['CLK_TCK']));

function read(pid, file) {
  try {
    return fs.readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return null; // It has ended.
  }
}

/** Parent and ticks of every process, from /proc/PID/stat: its fields 4, 14 and 15 (proc(5)). */
function all() {
  return fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
    const stat = read(pid, 'stat');
    if (stat === null) return [];
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ').map(Number);
    return [{ pid: Number(pid), parent: fields[1], ticks: fields[11] + fields[12] }];
  });
}

/** Seconds of processor that headless browsers below this process and all of their processes took. */
export function browserSeconds() {
  const processes = all();
  const below = (parent) => processes.filter((one) => one.parent === parent);
  const sum = (one) => below(one.pid).reduce((ticks, child) => ticks + sum(child), one.ticks);
  const browsers = below(process.pid).filter(({ pid }) => read(pid, 'cmdline')?.includes('--headless'));
  return browsers.reduce((ticks, one) => ticks + sum(one), 0) / TICKS_A_SECOND;
}

// What /proc says of the processes under test.
import fs from 'node:fs';

function statOf(pid) {
  try {
    const text = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
    const [state, parent] = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { state, parent: Number(parent) };
  } catch {
    return null;
  }
}

/** Is there such a process, and more than its remains? */
export function alive(pid) {
  const stat = statOf(pid);
  return stat !== null && stat.state !== 'Z' && stat.state !== 'X';
}

/** Pids of the living children, lowest first. */
export function children(pid) {
  return fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number)
    .filter((child) => statOf(child)?.parent === pid && alive(child))
    .sort((a, b) => a - b);
}

export const stopped = (pid) => statOf(pid)?.state === 'T';
export const descriptors = (pid) => fs.readdirSync(`/proc/${pid}/fd`).length;

/** Descriptors that are sockets. */
export function sockets(pid) {
  return fs.readdirSync(`/proc/${pid}/fd`).filter((fd) => {
    try {
      return fs.readlinkSync(`/proc/${pid}/fd/${fd}`).startsWith('socket:');
    } catch {
      return false; // closed meanwhile
    }
  }).length;
}

export const threads = (pid) => fs.readdirSync(`/proc/${pid}/task`).length;

/** Proportional set size in bytes. */
export function pssBytes(pid) {
  const text = fs.readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1');
  return Number(/^Pss:\s+(\d+) kB/m.exec(text)[1]) * 1024;
}

/** CPU time used, in seconds. */
export function cpuSeconds(pid) {
  const text = fs.readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

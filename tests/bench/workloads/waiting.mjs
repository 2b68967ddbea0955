// Many wait while two talk: memory for each, CPU while nothing happens, delivery beside them. And
// rooms that lie on the disk with nobody waiting in them.
import fs from 'node:fs';
import { generate } from '../lib/generate.mjs';

const ROOM_MEMBERS = 4;

export const waiting = {
  name: 'waiting',
  run: (system, { waiters, idleSeconds, samples, seconds }) => generate(system, {
    workload: 'delivery', members: ROOM_MEMBERS, waiters, idleSeconds, samples, seconds, warm: 300, size: 1000,
  }),
};

export const disk = {
  name: 'disk',
  run: (system, { rooms, samples, seconds }) => generate(system, {
    workload: 'delivery', members: 2, waiters: rooms * 2, noPolls: true, samples, seconds, warm: 300, size: 1000,
  }),
};

/** Where each waiter holds a process of its own: the memory of one. */
export function bytesOfAProcess(pids) {
  const workers = pids.slice(1);
  const pss = workers.map((pid) => Number(/^Pss:\s+(\d+) kB/m.exec(fs.readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'))[1]));
  return (pss.reduce((a, b) => a + b, 0) * 1024) / workers.length;
}

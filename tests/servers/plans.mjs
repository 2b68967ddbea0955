// What a plan of N entry processes carries, for the table in deploy/README.md. On a quiet machine:
//
//   make build/klatch.fcgi vendor && node tests/servers/plans.mjs [processes …]
//
// Joining: everybody in a room of four waits for mail, and says something every two seconds. Resting:
// rooms of four in a call, of whom one holds the room's poll and three renew their leases.
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { newRoom } from '../integration/lib/api.mjs';
import { ROOT } from '../integration/lib/run-dir.mjs';
import { Apache } from './lib/apache.mjs';
import { Ledger, Person } from './lib/crowd.mjs';

const ROOM = 4;
const MEASURE_MS = 15000;
const SAY_MS = 2000;
/** Of a plan's processes, how many polls may take: the rest answers everything else. */
const POLLS_PART = 0.4;
const JOINING = 1;  // people for each process
const RESTING = 0.75; // rooms for each process

const part = (values, at) => {
  const sorted = [...values].sort((a, b) => a - b);
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * at))] ?? 0);
};

function startServer(recipe, processes) {
  const fcgid = recipe === 'apache-fcgid';
  const polls = Math.round(processes * POLLS_PART);
  return Apache.start({
    recipe,
    bin: path.join(ROOT, 'build/klatch.fcgi'),
    main: fcgid ? `FcgidMaxProcesses ${processes}` : '',
    extra: fcgid ? `FcgidMaxProcessesPerClass ${processes}` : '',
    config: { hold_ms: 20000, lease_ms: 75000, grace_ms: 45000, ttl_ms: 180000, polls_max: polls },
  });
}

async function joining(server, processes, ledger) {
  const people = [];
  const rooms = Array.from({ length: Math.ceil(processes * JOINING / ROOM) }, () => newRoom('plan'));
  for (let i = 0; i < processes * JOINING; i += 1) {
    await pause(50);
    people.push(await Person.join(server, rooms[i % rooms.length], ledger));
  }
  const end = Date.now() + MEASURE_MS;
  await Promise.all(people.map(async (one) => {
    while (Date.now() < end) {
      await pause(SAY_MS * (0.5 + Math.random()));
      one.say({ at: Date.now() });
    }
  }));
  return people;
}

async function resting(server, processes, ledger) {
  const people = [];
  for (let room = 0; room < processes * RESTING; room += 1) {
    const name = newRoom('plan');
    for (let i = 0; i < ROOM; i += 1) {
      const one = await Person.join(server, name, ledger);
      if (i > 0) one.signaling.relax(true);
      people.push(one);
    }
  }
  ledger.requests.length = 0;
  await pause(MEASURE_MS);
  return people;
}

async function measure(recipe, processes, phase) {
  const server = await startServer(recipe, processes);
  const ledger = new Ledger();
  let most = 0;
  const watch = setInterval(() => { most = Math.max(most, server.klatchProcesses().length); }, 100);
  const people = await phase(server, processes, ledger);
  clearInterval(watch);
  const short = ['join', 'send', 'look', 'leave'].flatMap((what) => ledger.of(what)).map(({ ms }) => ms);
  const mail = people.flatMap((one) => one.latencies);
  const cells = [recipe, processes, phase.name, people.length, new Set(people.map(({ room }) => room)).size, most,
    `${part(short, 0.5)} / ${part(short, 0.95)} / ${part(short, 1)}`, `${part(mail, 0.5)} / ${part(mail, 0.95)}`,
    Math.round((short.length + ledger.of('poll').length) * 60000 / MEASURE_MS), ledger.faults().length];
  console.log(`| ${cells.join(' | ')} |`);
  for (const one of people) await one.leave();
  await server.stop();
}

const plans = process.argv.slice(2).length ? process.argv.slice(2).map(Number) : [10, 20, 40];
console.log('| server | processes | | people | rooms | processes at most | short requests, ms (50% / 95% / all) | mail, ms (50% / 95%) | requests a minute | faults |');
console.log('| --- | --: | --- | --: | --: | --: | --: | --: | --: | --: |');
for (const recipe of ['apache-fcgid', 'apache-cgid']) {
  for (const processes of plans) {
    await measure(recipe, processes, joining);
    await measure(recipe, processes, resting);
  }
}
process.exit(0);

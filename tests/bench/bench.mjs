// `make bench` and `make bench-full`: the same work on Klatch, on what else people use and on two
// floors, in turn, on this machine. Writes build/bench/bench.md, results.json and plots; prints
// the first. Fails when Klatch lost, doubled or disordered a message, or answered one with an error.
//
//   node tests/bench/bench.mjs [--full] [--only klatch,floor] [--parts talk,waiting,alone,cgi] [--laps N]
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { BINARY, OUT, PACKAGES } from './lib/paths.mjs';
import { CGI, SYSTEMS, plan } from './plan.mjs';
import { report } from './report/report.mjs';
import { plots } from './report/plots.mjs';
import { curves } from './workloads/curves.mjs';
import { delivery, rate } from './workloads/delivery.mjs';
import { many, one } from './workloads/join.mjs';
import { cgiRequests, emptyRequest } from './workloads/requests.mjs';
import { bytesOfAProcess, disk, waiting } from './workloads/waiting.mjs';

const { values: flags } = parseArgs({
  options: { full: { type: 'boolean' }, only: { type: 'string' }, parts: { type: 'string' }, laps: { type: 'string' } },
});
const todo = plan(flags.full);
const laps = Number(flags.laps ?? todo.laps);
const part = (name) => !flags.parts || flags.parts.split(',').includes(name);
const wanted = (system) => (flags.only ? flags.only.split(',').includes(system.name) : flags.full || !system.fullOnly);
const systems = SYSTEMS.filter(wanted);
const results = {
  about: {
    when: new Date().toISOString().slice(0, 10),
    cores: os.cpus().length,
    cpu: os.cpus()[0].model.trim(),
    kernel: os.release(),
    node: process.version,
    load: os.loadavg()[0],
    full: Boolean(flags.full),
    laps,
  },
  binary: fs.statSync(BINARY).size,
  systems: {},
  missing: [],
  curves: [],
};
const since = Date.now();
const EMPTY_TOO = new Set(['floor', 'libfcgi', 'klatch']);

const say = (text) => process.stderr.write(`bench ${String(Math.round((Date.now() - since) / 1000)).padStart(4)} s  ${text}\n`);

const entryOf = (kind) => {
  results.systems[kind.name] ??= { label: kind.label, short: kind.short, laps: {}, errors: [] };
  return results.systems[kind.name];
};

/** Start a system, do the work, stop it however that went. A rival's failure is noted, no more. */
async function withSystem(kind, work, options) {
  const entry = entryOf(kind);
  let system;
  try {
    system = { ...kind, ...(await kind.start(options)) };
    const keep = (name, result) => {
      (entry.laps[name] ??= []).push(result);
      if (result.overflows > 0) entry.errors.push(`${name}: ${result.overflows} connections met a full listen queue`);
      if (result.said) entry.errors.push(`${name}: ${result.said.split('\n').pop()}`);
    };
    await work(system, keep);
  } catch (error) {
    entry.errors.push(error.message.split('\n').slice(0, 3).join(' '));
    if (kind.name === 'klatch') entry.broken = true;
    say(`${kind.name}: ${error.message}`);
  } finally {
    await system?.stop();
  }
}

async function measureTalk(kind) {
  say(`${kind.name}: delivery, 500 a second, 16 join one room, 200 rooms of 4`);
  const workloads = [delivery, rate, one, many].filter(({ name }) => todo.of(kind, name));
  for (const some of kind.fresh ? workloads.map((workload) => [workload]) : [workloads]) {
    await withSystem(kind, async (system, keep) => {
      if (EMPTY_TOO.has(kind.name)) keep('empty', await emptyRequest.run(system, todo.empty));
      for (const workload of some) keep(workload.name, await workload.run(system, todo.of(kind, workload.name)));
      if (kind.name === 'php') keep('process', { bytes: bytesOfAProcess(system.pids()) });
    });
  }
}

async function measureWaiting(kind) {
  say(`${kind.name}: ${todo.waiting.waiters} wait`);
  await withSystem(kind, async (system, keep) => {
    if (todo.waiting.waiters > 1000 && kind.name === 'klatch') {
      keep('waiting1000', await waiting.run(system, { ...todo.waiting, waiters: 1000, idleSeconds: 3 }));
    }
  });
  await withSystem(kind, async (system, keep) => keep('waiting', await waiting.run(system, todo.waiting)));
}

async function measureKlatchAlone(klatch) {
  say(`klatch: ${todo.disk.rooms} rooms on disk`);
  await withSystem(klatch, async (system, keep) => keep('disk', await disk.run(system, todo.disk)));
  for (const curve of todo.curves ? curves : []) {
    const points = [];
    results.curves.push({ name: curve.name, of: curve.of, points });
    for (const size of curve.sizes) {
      say(`klatch: ${curve.name}: ${size}`);
      await withSystem(klatch, async (system, keep) => {
        const point = { size, ...(await curve.run(system, size, todo.curves)) };
        points.push(point);
        keep('curves', { tally: point.tally });
      });
    }
  }
}

async function measure() {
  const present = systems.filter((kind) => {
    const missing = kind.missing?.();
    if (missing) results.missing.push(`${kind.label}: ${missing} is not installed`);
    return !missing;
  });
  for (let lap = 0; part('talk') && lap < laps; lap += 1) {
    for (const kind of present) await measureTalk(kind);
  }
  const crowd = present.filter(({ name }) => todo.waitingSystems.includes(name));
  for (const kind of part('waiting') ? crowd : []) await measureWaiting(kind);
  const klatch = present.find(({ name }) => name === 'klatch');
  if (klatch && part('alone')) await measureKlatchAlone(klatch);
  if (klatch && part('cgi') && !CGI.missing()) {
    say('plain CGI beside an empty program');
    await withSystem(CGI, async (system, keep) => keep('cgi', await cgiRequests.run(system, todo.cgi)));
  }
}

/** Everything that went wrong with one of Klatch's messages. */
function klatchFaults() {
  const entry = results.systems.klatch;
  const faults = entry?.broken ? [...entry.errors] : [];
  for (const [workload, runs] of Object.entries(entry?.laps ?? {})) {
    for (const { tally } of runs) {
      for (const what of ['lost', 'doubled', 'disordered', 'stray', 'errors']) {
        if (tally?.[what] > 0) faults.push(`${workload}: ${tally[what]} ${what}`);
      }
    }
  }
  return faults;
}

if (!fs.existsSync(path.join(PACKAGES, 'node_modules')) || !fs.existsSync(path.join(OUT, 'generate'))) {
  process.stderr.write('bench: build/bench is not ready: run make bench\n');
  process.exit(1);
}
await measure();
results.about.seconds = Math.round((Date.now() - since) / 1000);
fs.writeFileSync(path.join(OUT, 'results.json'), `${JSON.stringify(results, null, 1)}\n`);
const text = report(results, await plots(results));
fs.writeFileSync(path.join(OUT, 'bench.md'), text);
process.stdout.write(text);
const faults = klatchFaults();
if (faults.length > 0) {
  process.stderr.write(`bench: Klatch failed: ${faults.join('; ')}\n`);
  process.exitCode = 1;
}

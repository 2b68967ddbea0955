/* What calls of some sizes take and give on this machine, as a Markdown table.
 *
 *   node tests/browser/calls.mjs [rows, as 2,4,6,8,6-off,8-off]
 *
 * One headless Chromium for each row, each person a page of the real chat page with a camera of
 * 640x480 at 20 with a band of noise in it and a tone; off is without the budget. One after another
 * joins. The first frame is there when the last of both ways between the newcomer and everybody
 * has shown its first picture. The rest is measured over 15 s, 6 s after the last one's joining:
 * from getStats, and the cores from /proc of the browser and all of its processes. Nothing else
 * should run meanwhile. */

import { randomBytes } from 'node:crypto';
import os from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Participant, launch } from './lib/participant.mjs';
import { browserSeconds } from './lib/processes.mjs';
import { median } from './lib/sending.mjs';
import { Server } from './lib/server.mjs';

const [rows = '2,4,6,8,6-off,8-off'] = process.argv.slice(2);
const FRAME_MS = 12_000;
const SETTLE_MS = 6_000;
const MEASURE_MS = 15_000;
const ANSWER_MS = 10_000;
/** Nobody joins any more after this time of a row, and no row begins after the other. */
const ROW_MS = 60_000;
const ALL_MS = 345_000;
const script = (name) => fileURLToPath(new URL(`./lib/${name}`, import.meta.url));
const print = (line) => process.stdout.write(`${line}\n`);
const begun = Date.now();

/** What a page tells, null when it is too busy to. */
const within = (ms, promise) => Promise.race([promise.catch(() => null), wait(ms, null, { ref: false })]);

/** When somebody's first picture was shown at another's, by the one clock of this machine. */
const firstPicture = (one, other) => within(FRAME_MS + 1000, one.ask(async ([name, ms]) => {
  const end = Date.now() + ms;
  while (Date.now() < end) {
    const video = globalThis.klatchTest.videoOf(name);
    if (video?.videoWidth > 0 && video.readyState >= 2) return Date.now();
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
  }
  return null;
}, [other.name, FRAME_MS]));

/** @returns {Promise<number | null>} ms from the press of Join to the last first picture */
async function join(newcomer, others) {
  const from = Date.now();
  if (await within(FRAME_MS, newcomer.join().then(() => true)) === null) return null;
  const shown = await Promise.all(others.flatMap((other) => [firstPicture(newcomer, other), firstPicture(other, newcomer)]));
  return shown.includes(null) ? null : Math.max(from, ...shown) - from;
}

/** The sums of a page's counters. */
const counters = (one) => within(ANSWER_MS, one.ask(async () => {
  const all = (await globalThis.klatchRtc.reports()).flatMap((report) => [...report.values()]);
  const sum = (type, kind, ...fields) => all.filter((entry) => entry.type === type && (kind === null || entry.kind === kind))
    .reduce((whole, entry) => fields.reduce((part, field) => part + (entry[field] ?? 0), whole), 0);
  return {
    bytes: sum('outbound-rtp', null, 'bytesSent', 'headerBytesSent'),
    samples: sum('inbound-rtp', 'audio', 'totalSamplesReceived'),
    concealed: sum('inbound-rtp', 'audio', 'concealedSamples'),
    freezes: sum('inbound-rtp', 'video', 'freezeCount'),
    frozenS: sum('inbound-rtp', 'video', 'totalFreezesDuration'),
    frames: sum('inbound-rtp', 'video', 'framesDecoded'),
  };
}));

async function measure(people) {
  const [before, cpu, from] = [await Promise.all(people.map(counters)), browserSeconds(), Date.now()];
  await wait(MEASURE_MS);
  const [after, used, seconds] = [await Promise.all(people.map(counters)), browserSeconds() - cpu, (Date.now() - from) / 1000];
  const told = people.flatMap((_, at) => (before[at] && after[at] ? [{ before: before[at], after: after[at] }] : []));
  const grown = (field) => told.map((one) => one.after[field] - one.before[field]);
  const sum = (field) => grown(field).reduce((whole, part) => whole + part, 0);
  const pictures = people.length - 1;
  return {
    concealed: told.length ? `${((100 * sum('concealed')) / (sum('samples') || 1)).toFixed(1)} %` : '–',
    freezes: told.length ? `${sum('freezes')}, ${sum('frozenS').toFixed(1)} s` : '–',
    fps: told.length ? (median(grown('frames')) / pictures / seconds).toFixed(1) : '–',
    kbits: told.length ? Math.round((median(grown('bytes')) * 8) / seconds / 1000) : '–',
    cores: (used / seconds).toFixed(2),
    silent: people.length - told.length,
  };
}

/** @param {string} row how many people; with -off without the budget */
async function call(server, row) {
  const count = Number.parseInt(row, 10);
  const off = row.endsWith('-off');
  const browser = await launch();
  const room = `calls-${randomBytes(6).toString('hex')}`;
  const scripts = [script('noisy-media.js'), script('counted-rtc.js'), ...(off ? [script('no-limits.js')] : [])];
  try {
    const people = [];
    const times = [];
    const end = Date.now() + ROW_MS;
    for (let at = 0; at < count && Date.now() < end; at += 1) {
      const one = await Participant.open(browser, server.origin, room, at, scripts);
      const time = await join(one, people);
      if (at > 0) times.push(time);
      people.push(one);
    }
    await wait(SETTLE_MS);
    const got = await measure(people);
    const known = times.filter((time) => time !== null);
    const late = times.length - known.length;
    const first = known.length ? `${(median(known) / 1000).toFixed(1)} s` : '–';
    const all = people.length < count ? `${count} (${people.length} could join)` : count;
    return `| ${all} | ${off ? 'off, CPU-bound' : 'on'} | ${first}${late ? ` (${late} of ${times.length} not in ${FRAME_MS / 1000} s)` : ''} `
      + `| ${got.concealed} | ${got.freezes} | ${got.fps} | ${got.kbits} | ${got.cores}${got.silent ? ` (${got.silent} pages did not answer)` : ''} |`;
  } finally {
    await within(ANSWER_MS, browser.close());
  }
}

const server = await new Server().start();
print(`${os.cpus().length} cores (${os.cpus()[0].model}), load before ${os.loadavg()[0].toFixed(1)}; 640x480 at 20, ${MEASURE_MS / 1000} s each\n`);
print('| people | budget | join to first frame, p50 | concealed sound | freezes, all pages | frames a second, p50 | kbit/s sent by each, p50 | cores |');
print('| --: | --- | --: | --: | --: | --: | --: | --: |');
for (const row of rows.split(',')) {
  if (Date.now() - begun > ALL_MS) print(`| ${row} | not run for want of time | | | | | | |`);
  else print(await call(server, row).catch((error) => `| ${row} | failed: ${String(error).split('\n')[0]} | | | | | | |`));
}
await server.close();
process.exit();

// Runs alone: it counts on short requests being answered at once.
// Where a held poll costs a process of the web server: Klatch never starves its own host.
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { expectStatus, newRoom } from '../integration/lib/api.mjs';
import { it } from '../integration/lib/it.mjs';
import { Member } from '../integration/lib/member.mjs';
import { alive } from '../integration/lib/processes.mjs';
import { ROOT } from '../integration/lib/run-dir.mjs';
import { now, stillOpen, until } from '../integration/lib/until.mjs';
import { Apache } from './lib/apache.mjs';
import { Ledger, Person } from './lib/crowd.mjs';

const PROCESSES = 8;
const ROOMS = 5;
const PEOPLE = 4;
const ROUNDS = 6;
const ROUND_MS = 1500;
const SLOW_MS = 2000;
const HOLD_MS = 20000;

describe(`mod_fcgid with ${PROCESSES} processes for each program`, () => {
  let server;
  before(async () => {
    server = await Apache.start({
      // As it is uploaded: the bound on time is no bound for the sanitizers.
      bin: path.join(ROOT, 'build/klatch.fcgi'),
      extra: `FcgidMaxProcessesPerClass ${PROCESSES}`,
      config: { hold_ms: HOLD_MS, lease_ms: 75000, grace_ms: 45000, ttl_ms: 180000 },
    });
  });
  after(() => server?.stop());

  it(`serves ${ROOMS * PEOPLE} people in ${ROOMS} rooms: all mail comes, nothing takes over 2 s`, async (t) => {
    const ledger = new Ledger();
    const slowest = pace(t, server);
    const rooms = Array.from({ length: ROOMS }, () => newRoom('slots'));
    // Within each second everybody does something at a time of their own.
    const sometime = () => pause(Math.random() * ROUND_MS);
    const people = await Promise.all(rooms.flatMap((room) => Array.from({ length: PEOPLE }, async () => {
      await sometime();
      return Person.join(server, room, ledger);
    })));
    let pollersMost = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      await Promise.all(people.map(async (one) => {
        await sometime();
        one.say({ from: one.peer, round });
      }));
      pollersMost = Math.max(pollersMost, server.klatchProcesses('klatch-poll').length);
    }
    await until('everybody has read everything', () => people.every(({ notes }) => notes.length >= (PEOPLE - 1) * ROUNDS), { withinMs: 15000 });
    for (const one of people) {
      const others = people.filter((other) => other.room === one.room && other !== one);
      const wanted = others.flatMap(({ peer }) => Array.from({ length: ROUNDS }, (_, round) => `${peer} ${round}`));
      assert.deepEqual(one.notes.map(({ from, round }) => `${from} ${round}`).sort(), wanted.sort());
      assert.deepEqual(one.problems, []);
    }
    await Promise.all(people.map(async (one) => {
      await sometime();
      await one.leave();
    }));

    if (process.env.KLATCH_FIGURES) tell(ledger, people);
    assert.deepEqual(ledger.faults(), []);
    const machineMs = await slowest();
    for (const what of ['join', 'send', 'look', 'leave', 'late', 'refused']) {
      assert.ok(ledger.slowest(what) < SLOW_MS + 3 * machineMs, `a ${what} took ${ledger.slowest(what)} ms, a file ${machineMs} ms`);
    }
    assert.ok(ledger.of('poll').length > 0, 'polls have an entry point of their own');
    assert.ok(pollersMost <= PROCESSES, `${pollersMost} processes for polls`);
  });

  it('counts right after holders were killed, and again', async () => {
    const room = newRoom('killed');
    const api = server.api();
    const members = [];
    for (let i = 0; i < PROCESSES; i += 1) members.push(await Member.join(api, room));
    const last = members.pop();
    for (let round = 1; round <= 2; round += 1) {
      const held = await Promise.all(members.map((member) => heldPoll(member.via(server.pollApi()))));
      const over = await until('the ninth is told to wait', async () => {
        const look = expectStatus(await last.raw({ after: await headOf(last), wait_ms: HOLD_MS, turn: last.turn }), 200);
        return look.json.retry_ms > 0 && look;
      });
      assert.ok(over.ms < HOLD_MS / 2);
      const refused = expectStatus(await last.via(server.pollApi()).raw({ after: await headOf(last), wait_ms: HOLD_MS }), 200);
      assert.ok(refused.json.retry_ms > 0 && refused.ms < HOLD_MS / 2, `${refused.text} in ${refused.ms} ms`);
      for (const { poll } of held) assert.ok(await stillOpen(1, poll), 'the others are held');
      // Not all of them: mod_fcgid starts no others for a while when too many end.
      const killed = server.klatchProcesses('klatch-poll').slice(0, 2);
      for (const pid of killed) process.kill(pid, 'SIGKILL');
      await until('they are gone', () => !killed.some(alive));
    }
    for (const member of [...members, last]) await member.leave();
  });
});

/**
 * What a request takes that needs no process of Klatch's: how slow the machine is by itself.
 * @returns {() => Promise<number>} ends that; the longest, in ms
 */
function pace(t, server) {
  const over = new AbortController();
  t.after(() => over.abort());
  let longest = 0;
  const asking = (async () => {
    while (!over.signal.aborted) {
      const since = now();
      await (await fetch(`${server.page}/app/icon.svg`)).arrayBuffer();
      longest = Math.max(longest, now() - since);
      await pause(100);
    }
  })();
  return async () => {
    over.abort();
    await asking;
    return longest;
  };
}

/** A poll that is held, when the places that joins keep for a moment are free. It ends the one before. */
function heldPoll(member) {
  return until('a poll is held', async () => {
    const head = await headOf(member);
    const poll = member.raw({ after: head, wait_ms: HOLD_MS, turn: member.turn }).catch((error) => error);
    return await stillOpen(1100, poll) && { poll };
  }, { everyMs: 300, withinMs: 15000 });
}

/** The member's cursor after everything that is there. */
async function headOf(member) {
  await member.read();
  return member.cursor;
}

/** KLATCH_FIGURES=1 prints what was measured. */
function tell(ledger, people) {
  const latencies = people.flatMap((one) => one.latencies).sort((a, b) => a - b);
  const at = (part) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * part))];
  for (const what of ['join', 'send', 'look', 'leave', 'poll', 'late', 'refused']) {
    console.log(`${what}: ${ledger.of(what).length}, the slowest ${Math.round(ledger.slowest(what))} ms`);
  }
  console.log(`mail came after ${at(0.5)} ms (median), ${at(0.95)} (95%), ${at(1)} (all)`);
}

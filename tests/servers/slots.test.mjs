// Where a held poll costs a process of the web server: Klatch never starves its own host.
import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { expectStatus, newRoom } from '../integration/lib/api.mjs';
import { it } from '../integration/lib/it.mjs';
import { Member } from '../integration/lib/member.mjs';
import { alive } from '../integration/lib/processes.mjs';
import { stillOpen, until } from '../integration/lib/until.mjs';
import { Apache } from './lib/apache.mjs';
import { Ledger, Polite } from './lib/polite.mjs';

const PROCESSES = 8;
const ROOMS = 5;
const PEOPLE = 4;
const ROUNDS = 8;
const ROUND_MS = 1000;
const SLOW_MS = 2000;

describe(`mod_fcgid with ${PROCESSES} processes for each program`, () => {
  let server;
  before(async () => {
    server = await Apache.start({
      extra: `FcgidMaxProcessesPerClass ${PROCESSES}`,
      config: { hold_ms: 20000, lease_ms: 75000, grace_ms: 45000, ttl_ms: 180000 },
    });
  });
  after(() => server?.stop());

  it(`serves ${ROOMS * PEOPLE} people in ${ROOMS} rooms: all mail comes, nothing takes over 2 s`, async () => {
    const ledger = new Ledger();
    const names = Array.from({ length: ROOMS }, () => newRoom('slots'));
    const arrive = async (room) => {
      await pause(Math.random() * ROUND_MS);
      const one = await Polite.join(server, room, ledger);
      one.start();
      return one;
    };
    const people = await Promise.all(names.flatMap((room) => Array.from({ length: PEOPLE }, () => arrive(room))));
    let pollersMost = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      await Promise.all(people.map(async (one) => {
        await pause(Math.random() * ROUND_MS);
        await one.say({ from: one.peer, round });
      }));
      pollersMost = Math.max(pollersMost, server.klatchProcesses('klatch-poll').length);
    }
    await until('everybody has read everything', () => {
      for (const { error } of people) assert.ifError(error);
      return people.every(({ notes }) => notes.length >= (PEOPLE - 1) * ROUNDS);
    }, { withinMs: 15000 });
    for (const one of people) {
      const others = people.filter((other) => other.main.room === one.main.room && other !== one);
      const wanted = others.flatMap(({ peer }) => Array.from({ length: ROUNDS }, (_, round) => `${peer} ${round}`));
      assert.deepEqual(one.notes.map(({ from, round }) => `${from} ${round}`).sort(), wanted.sort());
    }
    await Promise.all(people.map(async (one) => {
      await pause(Math.random() * ROUND_MS);
      await one.stop();
    }));

    if (process.env.KLATCH_FIGURES) tell(ledger, people);
    assert.deepEqual(ledger.faults(), []);
    for (const what of ['join', 'send', 'look', 'leave', 'late', 'refused']) {
      assert.ok(ledger.slowest(what) < SLOW_MS, `a ${what} took ${ledger.slowest(what)} ms`);
    }
    assert.ok(pollersMost <= PROCESSES, `${pollersMost} processes for polls`);
    for (const one of people) assert.ok(one.turns.held + one.turns.looks > 2, 'nobody waits for ever');
  });

  it('counts right after holders were killed, and again', async () => {
    const room = newRoom('killed');
    const api = server.api();
    const members = [];
    for (let i = 0; i < PROCESSES; i += 1) members.push(await Member.join(api, room));
    const last = members.pop();
    for (let round = 1; round <= 2; round += 1) {
      const polls = [];
      for (const member of members) polls.push((await heldPoll(member.via(server.pollApi()))).poll);
      const over = await until('the ninth is told to wait', async () => {
        const look = expectStatus(await last.raw({ after: await headOf(last), wait_ms: 20000, turn: last.turn }), 200);
        return look.json.retry_ms > 0 && look;
      });
      assert.ok(over.ms < SLOW_MS);
      const refused = expectStatus(await last.via(server.pollApi()).raw({ after: await headOf(last), wait_ms: 20000 }), 200);
      assert.ok(refused.json.retry_ms > 0 && refused.ms < SLOW_MS, `${refused.text} in ${refused.ms} ms`);
      for (const poll of polls) assert.ok(await stillOpen(1, poll), 'the others are held');
      // Not all of them: mod_fcgid starts no others for a while when too many end.
      const killed = server.klatchProcesses('klatch-poll').slice(0, 2);
      for (const pid of killed) process.kill(pid, 'SIGKILL');
      await until('they are gone', () => !killed.some(alive));
    }
    for (const member of [...members, last]) await member.leave();
  });
});

/** A poll that is held, when the places that joins keep for a moment are free. It ends the one before. */
function heldPoll(member) {
  return until('a poll is held', async () => {
    const head = await headOf(member);
    const poll = member.raw({ after: head, wait_ms: 20000, turn: member.turn }).catch((error) => error);
    return await stillOpen(100, poll) && { poll };
  }, { everyMs: 300 });
}

/** The member's cursor after everything that is there. */
async function headOf(member) {
  await member.read();
  return member.cursor;
}

function tell(ledger, people) {
  const latencies = people.flatMap((one) => one.latencies).sort((a, b) => a - b);
  for (const what of ['join', 'send', 'look', 'leave', 'late', 'refused', 'poll']) {
    console.log(what, ledger.number(what), Math.round(ledger.slowest(what)));
  }
  console.log('delivery p50', latencies[latencies.length >> 1], 'p95', latencies[Math.floor(latencies.length * 0.95)], 'max', latencies[latencies.length - 1]);
  console.log('held', people.map((one) => one.turns.held).join(' '), 'looks', people.map((one) => one.turns.looks).join(' '));
}

// Cost against size, one thing growing at a time. Only work may show.
import { generate } from '../lib/generate.mjs';
import { Member } from '../lib/member.mjs';
import { many, one } from './join.mjs';
import { disk, waiting } from './waiting.mjs';

const SENDERS = 4; // each may fill a quarter of a mailbox
const BATCH = 250;

const ofDelivery = (result) => ({
  ms: result.latency_ms.p50, p95: result.latency_ms.p95,
  cpu: (result.usage.server_cpu_s / result.latency_ms.count) * 1000, tally: result.tally,
});
const ofJoin = (result) => ({
  ms: result.round_ms.p50, p95: result.round_ms.p95, tally: result.tally,
  cpu: (result.usage.server_cpu_s / (result.messages * result.rounds)) * 1000,
});

/** Mail that nobody fetches lies in the room in which two others talk. */
async function besideBacklog(system, messages, options) {
  const room = `backlog${messages}`;
  const base = `http://127.0.0.1:${system.port}/api`;
  const lazy = await Member.join(base, `${room}-0-0`);
  const each = messages / SENDERS;
  for (let i = 0; i < SENDERS; i += 1) {
    const sender = await Member.join(base, `${room}-0-0`);
    for (let sent = 0; sent < each; sent += BATCH) {
      await sender.send(lazy, Math.min(BATCH, each - sent), 150, sent);
    }
  }
  return generate(system, { workload: 'delivery', members: 2, room, warm: 200, size: 1000, ...options });
}

export const curves = [
  {
    name: 'rooms on disk', of: 'delivery', sizes: [10, 100, 1000, 10000],
    run: async (system, rooms, options) => ofDelivery(await disk.run(system, { rooms, ...options })),
  },
  {
    name: 'rooms of 4 that join at once', of: 'join', sizes: [10, 50, 200, 400],
    run: async (system, rooms) => ofJoin(await many.run(system, { rooms, rounds: 2, warm: 1 })),
  },
  {
    name: 'members that join one room', of: 'join', sizes: [2, 4, 8, 12, 16],
    run: async (system, members) => ofJoin(await one.run(system, { members, rounds: 10, warm: 2 })),
  },
  {
    name: 'waiters', of: 'delivery', sizes: [0, 100, 1000, 10000],
    run: async (system, waiters, options) => ofDelivery(
      await waiting.run(system, { waiters, idleSeconds: 0, ...options }),
    ),
  },
  {
    name: 'messages in the mailbox', of: 'delivery', sizes: [0, 100, 1000, 2000, 4000],
    run: async (system, messages, options) => ofDelivery(await besideBacklog(system, messages, options)),
  },
];

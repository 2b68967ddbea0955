/* apart: people in one room of whom some pairs have no path, as they have found out. */

import { quiet, until } from './browserish.mjs';
import { FakeNet } from './fake-rtc.mjs';
import { FakeServer } from './fake-server.mjs';
import { find, join, names } from './people.mjs';

/** A new connection isn't begun sooner after the last. */
const RENEW_PAUSE_MS = 5_000;

/**
 * @param {object} t
 * @param {{room?: string, who: string[], cut: [string, string][]}} options who joins, in this order
 */
export async function apart(t, { room = 'tea', who, cut }) {
  const server = await new FakeServer().start();
  t.after(() => server.stop());
  const net = new FakeNet();
  const cuts = new Set(cut.flatMap(([a, b]) => [`${a} ${b}`, `${b} ${a}`]));
  const owners = new Map();
  const of = (pc) => owners.get(pc?.constructor);
  net.cut = (a, b) => cuts.has(`${of(a)} ${of(b)}`);
  const people = {};
  for (const name of who) {
    const rtc = net.Connection;
    owners.set(rtc, name);
    people[name] = await join(t, server, net, name, { room, rtc });
  }
  const states = () => cut.flatMap(([a, b]) => [find(people[a], b)?.state, find(people[b], a)?.state]);
  const expected = who.length * (who.length - 1) - cut.length * 2;
  await until('the others are connected', () => Object.values(people)
    .reduce((sum, one) => sum + one.room.counts.connected, 0) === expected && states().every(Boolean), 45_000);
  // Who joined first makes the offers, and is woken: each time a try counts as failed.
  const wake = () => {
    for (const [a] of cut) people[a].page.dispatchEvent(new Event('pageshow'));
  };
  for (let tries = 0; tries < 2; tries += 1) {
    wake();
    await quiet(50);
  }
  await quiet(RENEW_PAUSE_MS);
  const wakeUntil = async (what, state) => {
    const timer = setInterval(wake, 700);
    wake();
    await until(what, () => states().every((one) => one === state), 45_000).finally(() => clearInterval(timer));
  };
  await wakeUntil('both ends know', 'no-path');

  return {
    server, net, people, of,
    /** There is a path after all. */
    async mend() {
      cuts.clear();
      await quiet(RENEW_PAUSE_MS);
      await wakeUntil('both ends are connected', 'connected');
    },
    /** Through whom two reach each other, as each of them says. */
    via: (a, b) => [find(people[a], b)?.via?.name ?? null, find(people[b], a)?.via?.name ?? null],
    pairs: (name) => people[name].room.carrying.map((pair) => pair.map((person) => person.name).sort().join('-')),
    names: (name) => names(people[name]),
  };
}

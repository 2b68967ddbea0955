/* gathering: one server and one browser for a test file, rooms and people for each test. */

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before } from 'node:test';
import { Participant, launch } from './participant.mjs';
import { Server } from './server.mjs';
import { Tally } from './tally.mjs';

/**
 * Call it at the top of a test file.
 * @param {{settings?: string, scripts?: string[], counted?: boolean}} [options] lines of the server's
 *   configuration; files that run in the pages before their own scripts; whether a tally counts
 * @returns {{server: Server, tally: Tally | null, people: (t: object, count: number) => Promise<Participant[]>,
 *   newcomer: (t: object, like: Participant) => Promise<Participant>}} for the tests
 */
export function gathering({ settings, scripts, counted = false } = {}) {
  const server = new Server({ settings });
  const tally = counted ? new Tally(() => server.origin) : null;
  let browser;
  before(async () => {
    await server.start();
    await tally?.start();
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await tally?.stop();
    await server.stop();
    const complaints = server.complaints();
    await server.close();
    assert.deepEqual(complaints, []);
  });

  async function open(t, room, number) {
    const one = await Participant.open(browser, (tally ?? server).origin, room, number, scripts);
    one.room = room;
    t.after(async () => {
      await one.close();
      assert.deepEqual(one.errors, []);
    });
    return one;
  }

  return {
    server,
    tally,
    /** People before a room's door. */
    async visitors(t, count) {
      const room = `test-${randomBytes(6).toString('hex')}`;
      return Promise.all(Array.from({ length: count }, (_, number) => open(t, room, number)));
    },
    /** People in a room, all connected. */
    async people(t, count) {
      const people = await this.visitors(t, count);
      await Promise.all(people.map((one) => one.join()));
      await everybodyConnected(people);
      return people;
    },
    newcomer: (t, room, number) => open(t, room, number),
  };
}

export const others = (people, one) => people.filter((other) => other !== one);

export function everybodyConnected(people) {
  return Promise.all(people.map((one) => one.connectedTo(others(people, one))));
}

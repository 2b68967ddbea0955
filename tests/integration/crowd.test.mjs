import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import { expectStatus, newId, newRoom } from './lib/api.mjs';
import { it } from './lib/it.mjs';
import { Member, notesOf } from './lib/member.mjs';
import { Stack } from './lib/stack.mjs';
import { until } from './lib/until.mjs';

const ROOMS = 200;
const PEERS = 4;
const ROUNDS = 3;

describe('a crowd', () => {
  let stack;
  before(async () => {
    stack = await Stack.start({
      config: { hold_ms: 10000, lease_ms: 60000, ttl_ms: 90000, rooms_open_max: 32 },
    });
  });
  after(() => stack?.stop());

  it(`of ${ROOMS} rooms with ${PEERS} peers each: every message comes, in order, once`, async () => {
    // So many rooms begin at once that some joins are told to come again, as every client does.
    const join = async (room) => {
      const id = newId();
      const answer = await until('the room is no longer busy', async () => {
        const joined = await stack.api.room(room, 'join', { id });
        return joined.json.code !== 'busy' && joined;
      }, { withinMs: 30000 });
      return new Member(stack.api, room, expectStatus(answer, 201).json);
    };
    const joinRoom = async () => {
      const room = newRoom('crowd');
      return Promise.all(Array.from({ length: PEERS }, () => join(room)));
    };
    const rooms = await Promise.all(Array.from({ length: ROOMS }, joinRoom));

    // In each round everybody says one line to all and one to each of the others.
    const expected = (rounds) => (PEERS - 1) * 2 * rounds;
    const live = async (member, others) => {
      const listening = member.notes(expected(ROUNDS), { withinMs: 60000 });
      for (let round = 0; round < ROUNDS; round += 1) {
        await member.send(
          member.message({ round, all: true }),
          ...others.map((other) => member.message({ round, all: false, for: other.peer }, { to: other.peer })),
        );
      }
      return listening;
    };
    const heard = await Promise.all(rooms.map((members) => Promise.all(
      members.map((member) => live(member, members.filter((other) => other !== member))))));

    let total = 0;
    for (const [r, members] of rooms.entries()) {
      for (const [i, member] of members.entries()) {
        const got = heard[r][i];
        total += got.length;
        assert.equal(got.length, expected(ROUNDS));
        for (let k = 1; k < got.length; k += 1) assert.ok(got[k].seq > got[k - 1].seq, 'in order');
        for (const other of members) {
          const own = got.filter((m) => m.from === other.peer).map((m) => [m.data.round, m.data.all]);
          const rounds = other === member ? [] : Array.from({ length: ROUNDS }, (_, n) => [[n, true], [n, false]]).flat();
          assert.deepEqual(own, rounds);
        }
        assert.ok(got.every((m) => m.data.all || m.data.for === member.peer));
      }
    }
    assert.equal(total, ROOMS * PEERS * expected(ROUNDS));

    // Nothing comes a second time.
    const rest = await Promise.all(rooms.flat().map((member) => member.read()));
    assert.deepEqual(rest.map(notesOf).flat(), []);
  });
});

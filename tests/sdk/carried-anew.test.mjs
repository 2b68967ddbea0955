import { until } from './lib/browserish.mjs';
import { Carried } from '../../public_html/klatch/carried.js';
import { Carrier } from '../../public_html/klatch/carrier.js';
import assert from 'node:assert/strict';
import test from 'node:test';

/* Two ends and who passes on, without a room, a mailbox or a network. */

const someone = (instance, joined, state) => ({ instance, person: { id: instance, joined, state, outside: null, via: null },
  connected: state === 'connected', way: null, said: [], say: () => true });

class End {
  frames = [];
  came = [];
  heard = [];
  problems = [];

  constructor(world, name, joined) {
    this.name = name;
    this.world = world;
    this.joined = joined;
    this.cy = Object.assign(someone('cy', 0, 'connected'), {
      say: (value) => setImmediate(() => world.asked(this, value)),
    });
    this.carried = new Carried({
      room: 'tea',
      instance: name,
      members: () => [this.cy, this.theirs],
      earlier: () => this.joined > this.other.joined,
      tellKey: (member, body) => setImmediate(() => this.other.carried.mailed(this.other.theirs, structuredClone(body))),
      changed: () => this.carried.look(),
      greet: () => {},
      take: (member, value) => this.heard.push(value.text),
      broken: (member, code) => this.problems.push(code),
    }, {
      listen: () => {},
      send: (by, n, stream, rest) => {
        this.frames.push({ stream, counter: new DataView(rest.buffer).getBigUint64(0), rest });
        setImmediate(() => world.cy.came(world.seen[name], n, stream, rest));
        return true;
      },
    });
  }

  /** The other page is listed anew. */
  anew() {
    const former = this.theirs;
    this.theirs = someone(this.other.name, this.other.joined, 'no-path');
    if (former) this.carried.forget(former);
    this.carried.look();
  }

  say(text) {
    assert.ok(this.theirs.way.say({ t: 'chat', text }), text);
  }
}

function pair(t) {
  const world = {
    seen: {},
    held: null,
    asked({ name }, { t: type, n, to, on }) {
      if (type === 'carry?') world.cy.asked(world.seen[name], n, to, on);
      else if (type === 'carry-off') world.cy.ended(world.seen[name], n);
    },
  };
  const [ann, bo] = [new End(world, 'ann', 1), new End(world, 'bo', 2)];
  const ends = { ann, bo };
  ann.other = bo;
  bo.other = ann;
  for (const [name, end] of Object.entries(ends)) {
    const tell = ({ t: type, n, ok, stream, bytes }) => {
      if (type === 'carry') end.carried.answered(end.cy, n, ok);
      else end.carried.credited(end.cy, n, stream, bytes);
    };
    world.seen[name] = Object.assign(someone(name, end.joined, 'connected'), {
      say: (value) => (world.held && name === 'bo' ? world.held.push(() => tell(value)) : setImmediate(() => tell(value))),
    });
  }
  world.cy = new Carrier({ members: () => Object.values(world.seen), bits: () => 1e9, told: () => {} }, {
    listen: () => {},
    queued: () => 0,
    send: (member, n, stream, rest) => {
      const end = ends[member.instance];
      end.came.push({ n, stream, rest });
      setImmediate(() => end.carried.came(end.cy, n, stream, rest));
      return true;
    },
  });
  t.after(() => [ann.carried, bo.carried, world.cy].forEach((one) => one.close()));
  ann.anew();
  bo.anew();
  return { world, ann, bo };
}

const joined = (ann, bo, not = []) => until('both have a way', () => [ann, bo].every(({ theirs: { way } }) => way && !not.includes(way)));

async function talk(ann, bo, text) {
  ann.say(`${text} of Ann`);
  bo.say(`${text} of Bo`);
  await until(`${text} is heard`, () => bo.heard.includes(`${text} of Ann`) && ann.heard.includes(`${text} of Bo`));
}

/** No counter twice with the same key: each page's keys live as long as it. */
function allDiffer({ frames }) {
  const counters = frames.map(({ stream, counter }) => `${stream} ${counter}`);
  assert.equal(new Set(counters).size, counters.length, counters.join());
}

test('two pages that are listed anew go on with their counters, and what was sent before is refused', async (t) => {
  const { ann, bo } = pair(t);
  await joined(ann, bo);
  await talk(ann, bo, 'first');
  const before = [...bo.came];
  ann.anew();
  bo.anew();
  await joined(ann, bo);
  await talk(ann, bo, 'second');
  for (const end of [ann, bo]) allDiffer(end);
  assert.deepEqual([ann.problems, bo.problems], [[], []]);
  assert.equal(before.length, 2, 'the hello and the text');
  const { n } = bo.came.at(-1);
  const heard = bo.heard.length;
  for (const { stream, rest } of before) bo.carried.came(bo.cy, n, stream, rest);
  await until('it is noticed', () => bo.problems.includes('seal-broken'));
  assert.deepEqual([bo.heard.length, bo.theirs.way], [heard, null]);
});

for (const who of ['ann', 'bo']) {
  test(`when ${who} alone has forgotten the other, keys are told again and both have a way`, async (t) => {
    const { ann, bo } = pair(t);
    await joined(ann, bo);
    await talk(ann, bo, 'first');
    const ways = [ann.theirs.way, bo.theirs.way];
    ({ ann, bo })[who].anew();
    await joined(ann, bo, ways);
    await talk(ann, bo, 'second');
    for (const end of [ann, bo]) allDiffer(end);
    assert.deepEqual([ann.problems, bo.problems], [[], []]);
  });

  test(`who passes on is asked again when ${who} alone had lost sight of them, and nothing that is said then is lost`, async (t) => {
    const { ann, bo } = pair(t);
    await joined(ann, bo);
    await talk(ann, bo, 'first');
    const ways = [ann.theirs.way, bo.theirs.way];
    const end = { ann, bo }[who];
    end.cy.connected = false;
    end.carried.look();
    end.cy.connected = true;
    end.carried.look();
    await joined(ann, bo, ways);
    await talk(ann, bo, 'second');
    assert.deepEqual([ann.problems, bo.problems], [[], []]);
  });
}

test('a hello that overtakes the word that it may be passed on opens a way that stays', async (t) => {
  const { world, ann, bo } = pair(t);
  world.held = [];
  await joined(ann, bo);
  const ways = [ann.theirs.way, bo.theirs.way];
  const held = world.held.splice(0);
  world.held = null;
  for (const tell of held) tell();
  await talk(ann, bo, 'first');
  assert.deepEqual([ann.theirs.way, bo.theirs.way].map((way, at) => way === ways[at]), [true, true]);
});

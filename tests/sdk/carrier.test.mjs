import './lib/browserish.mjs';
import { Carrier } from '../../public_html/klatch/carrier.js';
import { Way } from '../../public_html/klatch/carried-way.js';
import assert from 'node:assert/strict';
import test from 'node:test';

const [TEXT, FILES] = [0, 1];
const FRAME_BYTES = 8_000;

/** Who passes on, and members around; what goes out lies in `out`, what is said to a member in `said`. */
function carrier(t, { bits = 2_000_000 } = {}) {
  t.mock.timers.enable({ apis: ['setInterval', 'Date'], now: 1_000_000 });
  const out = [];
  const told = [];
  const queued = new Map();
  const members = ['a', 'b', 'c', 'd'].map((name, joined) => {
    const one = { instance: name, person: { id: name, joined }, connected: true, said: [], say: (value) => one.said.push(value) };
    return one;
  });
  const passing = new Carrier({ members: () => members, bits: () => bits, told: (pairs) => told.push(pairs.map((pair) => pair.map(({ id }) => id).join(''))) }, {
    listen: () => {},
    send: (member, n, stream, rest) => out.push({ to: member.instance, n, stream, bytes: rest.length, first: rest[0] }) > 0,
    queued: (member) => queued.get(member) ?? 0,
  });
  t.after(() => passing.close());
  const join = (one, n, other, m) => {
    passing.asked(one, n, other.instance, true);
    passing.asked(other, m, one.instance, true);
  };
  return { passing, out, told, members, queued, join };
}

const frame = (first = 0, bytes = FRAME_BYTES) => new Uint8Array(bytes).fill(first);
const answers = ({ said }) => said.filter(({ t }) => t === 'carry').map(({ ok }) => ok);
const credit = ({ said }) => said.filter(({ t }) => t === 'carry-credit').reduce((sum, { bytes }) => sum + bytes, 0);

test('two are told yes once both have asked and are connected, and no when that ends', (t) => {
  const { passing, members: [a, b], told } = carrier(t);
  passing.asked(a, 5, 'b', false);
  assert.deepEqual([answers(a), told], [[], []]);
  passing.asked(b, 9, 'a', false);
  assert.deepEqual([answers(a), answers(b), told], [[true], [true], []]);
  passing.asked(a, 5, 'b', true);
  assert.deepEqual(told, [['ab']], 'whose page it is hears of it when it is used');
  b.connected = false;
  passing.look();
  assert.deepEqual([answers(a), told], [[true, false], [['ab'], []]]);
  b.connected = true;
  passing.look();
  passing.forget(a);
  assert.deepEqual(answers(b), [true, false, true, false]);
});

test('what comes goes to the other end of its line alone, under that one\'s number', (t) => {
  const { passing, members: [a, b, c, d], out, join } = carrier(t);
  join(a, 1, b, 2);
  join(c, 1, d, 3);
  passing.came(a, 1, TEXT, frame(1, 10));
  passing.came(d, 3, TEXT, frame(2, 10));
  passing.came(a, 3, TEXT, frame(3, 10));
  t.mock.timers.tick(1_000);
  assert.deepEqual(out.map(({ to, n, first }) => [to, n, first]).sort(), [['b', 2, 1], ['c', 1, 2]]);
});

test('no more than a tenth of the bits goes out for others, however much comes', (t) => {
  const { passing, members: [a, b, c, d], out, join } = carrier(t);
  join(a, 1, b, 1);
  join(c, 1, d, 1);
  t.mock.timers.tick(1_000);
  const senders = [a, b, c, d];
  for (let ms = 0; ms < 20_000; ms += 50) {
    for (const one of senders) {
      one.given ??= 0;
      while (one.given - credit(one) <= 24_000) {
        passing.came(one, 1, FILES, frame());
        one.given += FRAME_BYTES;
      }
    }
    t.mock.timers.tick(50);
  }
  const sent = out.reduce((sum, { bytes }) => sum + bytes, 0) * 8;
  // What was saved up in the first second, and the one frame that may be owed.
  assert.ok(sent <= 0.1 * 2_000_000 * 21 + FRAME_BYTES * 8, `${sent} bits in 20 s`);
  assert.ok(sent > 0.09 * 2_000_000 * 20, `${sent} bits in 20 s`);
  const shares = ['a', 'b', 'c', 'd'].map((name) => out.filter(({ to }) => to === name).length);
  assert.ok(Math.min(...shares) > 0.2 * (shares[0] + shares[1] + shares[2] + shares[3]), `everybody has a turn: ${shares}`);
});

test('what waits is bounded, and its sender gets credit for what has gone out alone', (t) => {
  const { passing, members: [a, b], out, join, queued } = carrier(t);
  join(a, 1, b, 1);
  queued.set(b, 40_000);
  t.mock.timers.tick(1_000);
  for (let count = 0; count < 100; count += 1) for (const stream of [TEXT, FILES]) passing.came(a, 1, stream, frame());
  t.mock.timers.tick(5_000);
  assert.deepEqual([out.length, credit(a)], [0, 0], 'the channel is full');
  queued.set(b, 0);
  t.mock.timers.tick(60_000);
  const bytes = out.reduce((sum, one) => sum + one.bytes, 0);
  assert.ok(bytes <= 80 * 1024, `${bytes} bytes waited of one end, a pair has twice that`);
  assert.equal(credit(a), bytes);
});

test('text goes before files', (t) => {
  const { passing, members: [a, b], out, join } = carrier(t);
  join(a, 1, b, 1);
  for (let count = 0; count < 4; count += 1) passing.came(a, 1, FILES, frame());
  passing.came(a, 1, TEXT, frame(7, 100));
  // The clock goes by leaps: a second's worth of bits lasts for no more than that.
  for (let ms = 0; ms < 5_000; ms += 50) t.mock.timers.tick(50);
  assert.equal(out.length, 5);
  assert.ok(out.findIndex(({ stream }) => stream === TEXT) <= 1, JSON.stringify(out));
});

test('a member asks for a bounded number of lines', (t) => {
  const { passing, members: [a, b] } = carrier(t);
  for (let n = 0; n < 100; n += 1) passing.asked(a, n, n === 99 ? 'b' : `x${n}`, true);
  passing.asked(b, 1, 'a', true);
  assert.deepEqual(answers(a), []);
});

test('a member has one line to another, the last it asked for, and one turn', (t) => {
  const { passing, members: [a, b, c, d], out, join } = carrier(t, { bits: 2_000_000 });
  for (let n = 0; n < 30; n += 1) passing.asked(a, n, 'b', true);
  passing.asked(b, 1, 'a', true);
  join(c, 1, d, 1);
  assert.deepEqual(a.said, [{ t: 'carry', n: 29, ok: true }]);
  passing.asked(a, 30, 'b', true);
  assert.deepEqual(a.said.slice(1), [{ t: 'carry', n: 29, ok: false }, { t: 'carry', n: 30, ok: true }]);
  assert.deepEqual(answers(b), [true, false, true]);
  for (let n = 0; n <= 30; n += 1) for (let count = 0; count < 4; count += 1) passing.came(a, n, FILES, frame());
  for (let count = 0; count < 4; count += 1) passing.came(c, 1, FILES, frame());
  for (let ms = 0; ms < 20_000; ms += 50) t.mock.timers.tick(50);
  assert.deepEqual(['b', 'd'].map((name) => out.filter(({ to }) => to === name).length), [4, 4]);
});

test('nothing is passed on for a page load that two say they are', (t) => {
  const { passing, members: [a, b, c], join } = carrier(t);
  join(a, 1, b, 1);
  c.instance = 'b';
  passing.asked(c, 1, 'a', true);
  assert.deepEqual([answers(a), answers(b), answers(c)], [[true, false], [true, false], []]);
});

test('a way takes text and files apart and puts them together, and nothing that is too long', () => {
  const heard = [];
  const way = new Way({ push: () => {}, said: (value) => heard.push(value) });
  assert.equal(way.say({ t: 'beat' }), false, 'what is of no use without a connection');
  assert.equal(way.say({ t: 'chat', id: 'x', text: 'é'.repeat(10_000) }), true);
  way.channel.send(new Uint8Array(20_000).fill(9));
  const came = [];
  way.channel.addEventListener('message', ({ data }) => came.push(new Uint8Array(data)));
  let parts = 0;
  for (const stream of [TEXT, FILES]) {
    while (way.next(stream)) {
      parts += 1;
      assert.ok(way.receive(stream, way.take(stream)));
    }
  }
  assert.deepEqual([heard[0].text.length, came[0].length, came[0][19_999]], [10_000, 20_000, 9]);
  assert.deepEqual([parts, way.channel.bufferedAmount], [6, 0]);
  const more = () => new Uint8Array(8_193).fill(1);
  assert.ok([...Array(9)].map(() => way.receive(TEXT, more())).includes(false));
  way.close();
  assert.throws(() => way.channel.send('x'), { name: 'InvalidStateError' });
});

import './lib/browserish.mjs';
import assert from 'node:assert/strict';
import test from 'node:test';
import { Outbox } from '../../public_html/klatch/outbox.js';

const weigh = (letter) => JSON.stringify(letter).length;

/** Letters to `receivers`, their data numbered. */
function filled(receivers) {
  const outbox = new Outbox(weigh);
  receivers.forEach((to, at) => outbox.add(to, 'offer', at));
  return outbox;
}

/** Send everything to a server that refuses letters to some. @returns what arrived and what was dropped */
function deliver(outbox, refused) {
  const arrived = [];
  const dropped = [];
  for (let round = 0; outbox.waits && round < 100; round += 1) {
    const batch = outbox.batch();
    if (!batch.some(({ to }) => refused.includes(to))) {
      arrived.push(...batch);
      outbox.done(batch);
    } else if (!outbox.split(batch)) {
      dropped.push(...batch);
      outbox.done(batch);
    }
  }
  assert.ok(!outbox.waits);
  return { arrived: arrived.map(({ data }) => data), dropped: dropped.map(({ data }) => data) };
}

test('letters come out in the order they went in, each with an id of its own', () => {
  const batch = filled(['a', null, 'b']).batch();
  assert.deepEqual(batch.map(({ to, data }) => [to, data]), [['a', 0], [undefined, 1], ['b', 2]]);
  assert.equal(new Set(batch.map(({ id }) => id)).size, 3);
});

test('a batch that is tried again has the same ids', () => {
  const outbox = filled(['a', 'b']);
  assert.deepEqual(outbox.batch(), outbox.batch());
});

test('a letter to somebody who is gone takes no other letter with it', () => {
  const outbox = filled(['a', 'a', 'gone', 'b', 'gone', 'a', null]);
  assert.deepEqual(deliver(outbox, ['gone']), { arrived: [0, 1, 3, 5, 6], dropped: [2, 4] });
});

test('letters written after a refused batch go together again', () => {
  const outbox = filled(['a', 'gone', 'b']);
  assert.ok(outbox.split(outbox.batch()));
  outbox.add('c', 'offer', 3);
  outbox.add('d', 'offer', 4);
  for (const data of [0, 1, 2]) {
    const batch = outbox.batch();
    assert.deepEqual(batch.map((letter) => letter.data), [data]);
    outbox.done(batch);
  }
  assert.equal(outbox.batch().length, 2);
});

test('a batch stays under the size of a request', () => {
  const outbox = new Outbox(weigh);
  for (let at = 0; at < 10; at += 1) assert.ok(outbox.add('a', 'offer', 'x'.repeat(30_000)));
  assert.equal(outbox.batch().length, 3);
});

test('a large letter goes alone, and one that no request can carry is refused', () => {
  const outbox = new Outbox(weigh);
  assert.ok(outbox.add('a', 'offer', 'x'.repeat(90_000)));
  assert.equal(outbox.add('a', 'offer', 'x'.repeat(100_000)), false);
  assert.ok(outbox.add('a', 'offer', 'x'.repeat(9_000)));
  assert.equal(outbox.batch().length, 1);
});

test('what waits for somebody who is gone is dropped', () => {
  const outbox = filled(['a', 'b', 'a']);
  outbox.forget('a');
  assert.deepEqual(outbox.batch().map(({ to }) => to), ['b']);
});

test('what a poll carries waits no more, unless the poll fails', () => {
  const outbox = filled(['a', 'b']);
  const riding = outbox.ride();
  assert.deepEqual([riding.length, outbox.waits], [2, false]);
  outbox.add('a', 'offer', 2);
  assert.deepEqual([outbox.waits, outbox.batch().length], [true, 3]);
  outbox.alight();
  assert.deepEqual(outbox.batch().slice(0, 2), riding);
  outbox.done(riding);
  assert.deepEqual([outbox.waits, outbox.batch().length], [true, 1]);
});

test('letters of which one was refused, and more than one request takes, do not ride', () => {
  const refused = filled(['a', 'gone']);
  assert.ok(refused.split(refused.batch()));
  assert.deepEqual(refused.ride(), []);
  const many = filled(Array(33).fill('a'));
  assert.deepEqual(many.ride(), []);
  assert.ok(many.waits);
});

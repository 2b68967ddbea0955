/* How many bits and pixels there are, from what was measured. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Effort, Rate } from '../../public_html/klatch/rate.js';

const line = (key, more = {}) => ({ key, loss: 0, rttMs: 30, up: 500_000, ...more });

/** Feed the same lines every 2 s. */
function run(rate, seconds, lines, { from = 0, wanted = 8_000_000 } = {}) {
  for (let ms = from; ms < from + seconds * 1000; ms += 2000) rate.update(ms, lines, wanted);
  return from + seconds * 1000;
}

describe('the total', () => {
  it('begins at 2 Mbit/s and grows 8% in 5 s while all is well', () => {
    const rate = new Rate(2_000_000);
    assert.equal(rate.bits, 2_000_000);
    run(rate, 5, [line('a'), line('b')]);
    run(rate, 6, [line('a'), line('b')], { from: 6000 });
    assert.ok(rate.bits > 2_100_000 && rate.bits <= 2_000_000 * 1.08 ** 2 + 1, `${rate.bits}`);
  });

  it('doesn\'t grow beyond what is wanted', () => {
    const rate = new Rate(2_000_000);
    run(rate, 60, [line('a')], { wanted: 1_500_000 });
    assert.equal(rate.bits, 2_000_000);
  });

  it('stays as it is with a loss between 2% and 5%', () => {
    const rate = new Rate(2_000_000);
    run(rate, 60, [line('a', { loss: 0.03 })]);
    assert.equal(rate.bits, 2_000_000);
  });

  it('falls 15% on a loss of more than 5%, at most once in 2 s', () => {
    const rate = new Rate(2_000_000);
    for (let ms = 0; ms < 2000; ms += 100) rate.update(ms, [line('a', { loss: 0.1, up: 2_000_000 })], 8_000_000);
    assert.equal(rate.bits, 1_700_000);
    rate.update(2000, [line('a', { loss: 0.1, up: 2_000_000 })], 8_000_000);
    assert.equal(rate.bits, 1_445_000);
  });

  it('falls when the round trip doubles, and not for a few milliseconds of it', () => {
    const near = new Rate(2_000_000);
    run(near, 4, [line('a', { rttMs: 2 })], { wanted: 2_000_000 });
    run(near, 2, [line('a', { rttMs: 30 })], { from: 4000, wanted: 2_000_000 });
    assert.equal(near.bits, 2_000_000);
    run(near, 2, [line('a', { rttMs: 200 })], { from: 6000, wanted: 2_000_000 });
    assert.equal(near.bits, 2_000_000, 'once may be chance');
    run(near, 2, [line('a', { rttMs: null })], { from: 8000, wanted: 2_000_000 });
    assert.equal(near.bits, 2_000_000, 'nothing new');
    run(near, 2, [line('a', { rttMs: 200 })], { from: 10_000, wanted: 2_000_000 });
    assert.ok(near.bits < 2_000_000);
  });

  it('falls from what there was use for, where that is less', () => {
    const rate = new Rate(2_000_000);
    rate.update(0, [line('a', { loss: 0.2 })], 1_000_000);
    assert.equal(rate.bits, 850_000);
  });

  it('never falls so low that there is nothing to measure', () => {
    const rate = new Rate(2_000_000);
    run(rate, 300, [line('a', { loss: 0.5, up: 0 })]);
    assert.equal(rate.bits, 100_000);
  });

  it('falls when most suffer, though their reports come at different moments', () => {
    const rate = new Rate(2_000_000);
    rate.update(0, [line('a', { loss: 0.1 }), line('b'), line('c')], 8_000_000);
    assert.equal(rate.bits, 2_000_000);
    rate.update(2000, [line('a'), line('b', { loss: 0.1 }), line('c')], 8_000_000);
    assert.ok(rate.bits < 2_000_000);
  });
});

describe('where connections starve each other without loss', () => {
  const starved = { given: 500_000, up: 60_000, held: true };
  const pressed = { given: 500_000, up: 330_000, held: true };

  it('the total falls until what is given goes through', () => {
    const rate = new Rate(2_000_000);
    run(rate, 3, [line('a', starved), line('b', pressed)]);
    assert.equal(rate.bits, 2_000_000, 'not before 4 s');
    run(rate, 30, [line('a', starved), line('b', pressed)], { from: 4000, wanted: 1_100_000 });
    assert.ok(rate.bits < 700_000, `${rate.bits}`);
  });

  it('it stays where the browser didn\'t hold back, and where it is one of many', () => {
    const rate = new Rate(2_000_000);
    run(rate, 30, [line('a', { ...starved, held: false }), line('b', { ...pressed, held: false })], { wanted: 2_000_000 });
    run(rate, 30, [line('a', starved), line('b'), line('c')], { from: 40_000, wanted: 2_000_000 });
    assert.equal(rate.bits, 2_000_000);
  });
});

describe('one bad line while the others are held back too', () => {
  const lines = () => [line('a', { loss: 0.1, up: 300_000, given: 550_000 }), line('b', { held: true }), line('c')];

  it('is no line\'s own: the total falls', () => {
    const rate = new Rate(2_000_000);
    run(rate, 2, lines());
    assert.ok(rate.bits < 2_000_000, `${rate.bits}`);
    assert.equal(rate.bitsMax('a'), Infinity);
  });

  it('nothing grows while a browser holds back', () => {
    const rate = new Rate(2_000_000);
    const ms = run(rate, 2, lines());
    const low = rate.bits;
    run(rate, 30, [line('a'), line('b', { held: true }), line('c')], { from: ms + 2000 });
    assert.equal(rate.bits, low);
    run(rate, 10, [line('a'), line('b'), line('c')], { from: ms + 40_000 });
    assert.ok(rate.bits > low);
  });
});

describe('one slow line among several', () => {
  it('isn\'t left without a picture by one bad moment', () => {
    const rate = new Rate(2_000_000);
    const given = 220_000;
    rate.update(0, [line('a', { loss: 0.1, up: 140_000, given }), line('b'), line('c')], 1_000_000);
    assert.equal(rate.bitsMax('a'), given * 0.85);
  });

  it('is no line whose round trip was long in two readings of one moment', () => {
    const rate = new Rate(2_000_000);
    const at = (ms, rttMs) => rate.update(ms, [line('a', { rttMs }), line('b'), line('c')], 1_000_000);
    at(0, 2);
    at(1000, 300);
    at(2000, 300);
    assert.equal(rate.bitsMax('a'), Infinity);
    at(3000, 300);
    assert.ok(rate.bitsMax('a') < Infinity);
  });

  const lines = () => [line('slow', { loss: 0.2, up: 400_000 }), line('b'), line('c')];

  it('gets a limit of its own, and the total stays', () => {
    const rate = new Rate(2_000_000);
    run(rate, 4, lines());
    assert.equal(rate.bits, 2_000_000);
    assert.ok(rate.bitsMax('slow') < 400_000);
    assert.equal(rate.bitsMax('b'), Infinity);
  });

  it('doesn\'t keep the others from growing while it stands at its limit', () => {
    const rate = new Rate(2_000_000);
    run(rate, 4, lines());
    run(rate, 20, [line('slow', { loss: 0.03 }), line('b'), line('c')], { from: 8000 });
    assert.ok(rate.bits > 2_000_000);
  });

  it('grows back when it is well, until there is no limit', () => {
    const rate = new Rate(2_000_000);
    let ms = run(rate, 4, lines());
    const low = rate.bitsMax('slow');
    ms = run(rate, 30, [line('slow'), line('b'), line('c')], { from: ms });
    assert.ok(rate.bitsMax('slow') > low);
    run(rate, 400, [line('slow'), line('b'), line('c')], { from: ms });
    assert.equal(rate.bitsMax('slow'), Infinity);
  });

  it('is forgotten with who it leads to', () => {
    const rate = new Rate(2_000_000);
    run(rate, 4, lines());
    rate.update(6000, [line('b'), line('c')], 0);
    assert.equal(rate.bitsMax('slow'), Infinity);
  });
});

describe('the encoder\'s part', () => {
  const stream = (more = {}) => ({ asked: 20, source: 20, fps: 20, busy: 0.1, limitedBy: 'none', ...more });
  const work = (effort, seconds, streams, from = 0) => {
    for (let ms = from; ms <= from + seconds * 1000; ms += 1000) effort.update(ms, streams);
  };

  it('halves after 3 s with less than 80% of the frames, not earlier', () => {
    const effort = new Effort();
    work(effort, 2, [stream({ fps: 12 })]);
    assert.equal(effort.part, 1);
    work(effort, 1, [stream({ fps: 12 })], 3000);
    assert.equal(effort.part, 0.5);
  });

  it('doesn\'t halve for a camera that gives few frames, nor for a line that takes few', () => {
    const effort = new Effort();
    work(effort, 30, [stream({ fps: 8, source: 8, busy: 0.5 }), stream({ fps: 3, limitedBy: 'bandwidth' })]);
    assert.equal(effort.part, 1);
  });

  it('waits after a change until its effect can be seen', () => {
    const effort = new Effort();
    work(effort, 7, [stream({ fps: 2 })]);
    assert.equal(effort.part, 0.5);
    work(effort, 30, [stream({ fps: 2 })], 8000);
    assert.ok(effort.part >= 1 / 16 && effort.part < 0.25);
  });

  it('grows again while there is time to spare, up to four times', () => {
    const effort = new Effort();
    work(effort, 400, [stream()]);
    assert.equal(effort.part, 4);
    const busy = new Effort();
    work(busy, 60, [stream({ busy: 0.9 })]);
    assert.equal(busy.part, 1);
  });

  it('stays while nothing is encoded', () => {
    const effort = new Effort();
    work(effort, 60, []);
    assert.equal(effort.part, 1);
  });
});

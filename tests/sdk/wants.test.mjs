/* What is told to the others about the sizes in which they are shown. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Wants } from '../../public_html/klatch/wants.js';

const one = { name: 'one' };
const sizes = (due) => due.map(([, { size }]) => size);

function shown(size) {
  const wants = new Wants();
  wants.set(one, { size }, 0);
  wants.due(0);
  return wants;
}

describe('a size', () => {
  it('is told at once, and then again after 10 s under the same number', () => {
    const wants = new Wants();
    wants.set(one, { size: 3 }, 0);
    assert.deepEqual(wants.due(0), [[one, { size: 3, screen: 4, n: 1 }]]);
    assert.deepEqual(wants.due(9_999), []);
    assert.deepEqual(wants.due(10_000), [[one, { size: 3, screen: 4, n: 1 }]]);
  });

  it('changes at most once in 2 s, with a higher number', () => {
    const wants = shown(3);
    wants.set(one, { size: 2 }, 500);
    assert.deepEqual(wants.due(1_999), []);
    assert.deepEqual(wants.due(2_000), [[one, { size: 2, screen: 4, n: 2 }]]);
    wants.set(one, { size: 4 }, 2_500);
    assert.deepEqual(wants.due(3_999), []);
    assert.deepEqual(sizes(wants.due(4_000)), [4]);
  });

  it('that goes and comes back within that time is no news', () => {
    const wants = shown(3);
    wants.set(one, { size: 1 }, 500);
    wants.set(one, { size: 3 }, 900);
    assert.deepEqual(wants.due(5_000), []);
  });

  it('of nothing is told after 2 s, of something again at once', () => {
    const wants = shown(3);
    wants.set(one, { size: 0 }, 5_000);
    assert.deepEqual(wants.due(6_999), []);
    assert.deepEqual(sizes(wants.due(7_000)), [0]);
    wants.set(one, { size: 2 }, 7_100);
    assert.deepEqual(sizes(wants.due(7_100)), [2]);
  });

  it('is told anew, with a higher number, when the way to somebody is new', () => {
    const wants = shown(3);
    wants.again(one);
    assert.deepEqual(wants.due(100), [[one, { size: 3, screen: 4, n: 2 }]]);
  });

  it('is no larger than what the person chose, and none at all for sound only', () => {
    const wants = shown(4);
    assert.deepEqual(wants.due(3_000, 2), [[one, { size: 2, screen: 4, n: 2 }]]);
    assert.deepEqual(wants.due(6_000, 0), [[one, { size: 0, screen: 0, n: 3 }]]);
    assert.deepEqual(wants.due(6_001, 4), [[one, { size: 4, screen: 4, n: 4 }]]);
  });
});

it('the screen has a size of its own', () => {
  const wants = shown(1);
  wants.set(one, { screen: 0 }, 0);
  assert.deepEqual(wants.due(2_000), [[one, { size: 1, screen: 0, n: 2 }]]);
});

it('nothing is told of who is gone, and as large as there is where the page said nothing', () => {
  const wants = shown(3);
  wants.forget(one);
  assert.deepEqual(wants.due(60_000), []);
  wants.again(one);
  assert.deepEqual(sizes(wants.due(60_000)), [4]);
});

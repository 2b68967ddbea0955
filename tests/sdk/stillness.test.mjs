/* Whether a picture that should move stands still. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { Stillness } from '../../public_html/klatch/stillness.js';

/** What is said at each of these readings: [seconds, frames a second]. */
function told(...readings) {
  const stillness = new Stillness();
  return readings.map(([seconds, fps]) => stillness.read(seconds * 1000, fps));
}

test('a picture that gets no new frame for some seconds stands still, until it moves', () => {
  assert.deepEqual(told([0, 15], [2, 15], [4, 0], [6, 0], [8, 0], [10, 0], [12, 7]), [false, false, false, false, true, true, false]);
});

test('a picture that moves slowly, or that nobody has to send, never stands still', () => {
  assert.deepEqual(told([0, 1], [5, 0.2], [10, 0.2], [15, 0.2]), [false, false, false, false]);
  assert.deepEqual(told([0, null], [5, null], [10, null]), [false, false, false]);
});

test('what a page missed while it slept is no picture that stands still', () => {
  assert.deepEqual(told([0, 15], [120, 0], [122, 15]), [false, false, false]);
});

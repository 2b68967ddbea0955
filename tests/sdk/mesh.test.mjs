/* Whose the trouble is, from what everybody says of their connections. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gradeOf, pairsOf, verdictOf } from '../../public_html/klatch/mesh.js';

const link = (from, to, more = {}) => ({ from, to, state: 'connected', loss: 0, rttMs: 40, ...more });
const BAD = { loss: 0.1 };

/** Everybody's links with everybody; `weak` are the pairs that are not good. */
const mesh = (names, ...weak) => pairsOf([...names].flatMap((from) => [...names].filter((to) => to !== from)
  .map((to) => link(from, to, weak.includes(from + to) ? BAD : {}))));

describe('a connection', () => {
  for (const [what, more, grade] of [
    ['that works', {}, 'good'], ['of which nothing is known', { loss: null, rttMs: null }, 'good'],
    ['with some loss', { loss: 0.03 }, 'fair'], ['that is far', { rttMs: 300 }, 'fair'],
    ['with much loss', { loss: 0.06 }, 'bad'], ['with a queue before it', { rttMs: 900 }, 'bad'],
    ['that is looked for', { state: 'reconnecting' }, 'none'], ['without a path', { state: 'no-path' }, 'none'],
  ]) {
    it(`${what} is ${grade}`, () => assert.equal(gradeOf(link('a', 'b', more)), grade));
  }

  it('is as good as the worse of its ends says', () => {
    const [pair] = pairsOf([link('b', 'a', { rttMs: null }), link('a', 'b', { loss: 0.1, rttMs: 70 })]);
    assert.deepEqual(pair, { ends: ['a', 'b'], grade: 'bad', loss: 0.1, rttMs: 70 });
  });
});

describe('the trouble', () => {
  for (const [what, pairs, verdict] of [
    ['is nobody\'s when all is well', mesh('abc'), { kind: 'good' }],
    ['is yours when all of yours are weak and the others\' aren\'t', mesh('abcd', 'ab', 'ca', 'ad'), { kind: 'you' }],
    ['is theirs when all weak ones lead to them', mesh('abcd', 'ab', 'cb', 'db'), { kind: 'them', who: 'b' }],
    ['is the pair\'s when it is the only one', mesh('abc', 'ab'), { kind: 'pair', who: 'b' }],
    ['is two others\' when yours are good', mesh('abc', 'bc'), { kind: 'other', who: 'b', other: 'c' }],
    ['is several\'s when they have nobody in common', mesh('abcd', 'ab', 'cd'), { kind: 'many' }],
    ['is none alone', [], { kind: 'alone' }],
  ]) {
    it(what, () => assert.deepEqual(verdictOf(pairs, 'a'), verdict));
  }
});

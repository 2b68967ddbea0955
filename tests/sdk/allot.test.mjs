/* Who gets how much of what can be sent. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PICTURE_BITS_MIN, SOUND_BITS, allot, pixelsFor, sizeFor } from '../../public_html/klatch/allot.js';

const viewers = (sizes, more = {}) => sizes.map((size, at) => ({
  key: `p${at}`, size, screen: 0, bitsMax: Infinity, ...more,
}));
const ask = (people, more = {}) => allot({
  people, bits: 2_000_000, effort: 1, quality: 'normal', camera: true, screen: false, ...more,
});
const cameras = (people, more) => [...ask(people, more).shares.values()].map(({ camera }) => camera);
const told = (people, more) => cameras(people, more).map(({ picture }) => picture).join();
const sum = (list) => list.reduce((all, one) => all + one, 0);
const pixels = ({ height, fps }) => ((height * height * 4) / 3) * fps;

describe('what everybody gets to begin with', () => {
  for (const [count, height, fps] of [[1, 480, 20], [3, 360, 20], [5, 240, 15], [7, 120, 10]]) {
    it(`is a height of ${height} at ${fps} for ${count}`, () => {
      for (const camera of cameras(viewers(Array(count).fill(4)), { bits: 10_000_000 })) {
        assert.equal(camera.picture, 'moving');
        assert.equal(camera.height, height);
        assert.ok(camera.fps >= fps, `${camera.fps}`);
      }
    });
  }

  it('never takes more bits or pixels than there are, however many look on in whatever size', () => {
    for (let count = 1; count <= 15; count += 1) {
      for (const bits of [150_000, 500_000, 2_000_000, 6_000_000]) {
        for (const effort of [0.25, 1]) {
          const people = viewers(Array.from({ length: count }, (_, at) => (at * 7) % 5));
          const list = cameras(people, { bits, effort });
          const spent = sum(list.filter(({ picture }) => picture === 'moving').map((one) => one.bits)) + count * SOUND_BITS;
          assert.ok(spent <= Math.max(bits, count * SOUND_BITS) + count, `${count} ${bits}: ${spent}`);
          const least = count * 120 * 160 * 10;
          const most = Math.max(pixelsFor(count, true) * effort * 1.25, least);
          assert.ok(sum(list.map(pixels)) <= most, `${count} ${bits}: ${sum(list.map(pixels))} > ${most}`);
        }
      }
    }
  });
});

describe('the size in which somebody shows us', () => {
  it('decides: a large picture gets more bits and pixels than a small one, a hidden one none', () => {
    const [large, small, hidden] = cameras(viewers([4, 1, 0]));
    assert.ok(large.bits > 2 * small.bits, `${large.bits} ${small.bits}`);
    assert.ok(large.height > small.height);
    assert.equal(hidden.picture, 'none');
    assert.equal(hidden.why, 'asked');
    assert.equal(hidden.bits, 0);
  });

  it('is never exceeded', () => {
    const heights = cameras(viewers([1, 2, 3, 4]), { bits: 10_000_000, effort: 4 }).map(({ height }) => height);
    assert.deepEqual(heights, [120, 240, 360, 480]);
  });

  it('of one among seven leaves the small ones their least and gets much more', () => {
    const [large, ...small] = cameras(viewers([4, 1, 1, 1, 1, 1, 1]), { bits: 4_000_000 });
    assert.ok(large.height >= 360, `${large.height}`);
    for (const one of small) assert.deepEqual([one.height, one.fps, one.picture], [120, 10, 'moving']);
  });

  it('is one of five', () => {
    assert.deepEqual([0, -1, 1, 150, 151, 280, 400, 421, 2000].map(sizeFor), [0, 0, 1, 1, 2, 2, 3, 4, 4]);
  });
});

describe('where bits are few', () => {
  it('those who show us smallest get no picture first, and are told why', () => {
    const bits = 3 * SOUND_BITS + 2 * PICTURE_BITS_MIN + 1000;
    const [small, large, middle] = cameras(viewers([1, 4, 3]), { bits });
    assert.deepEqual([small.picture, small.why], ['none', 'bits']);
    assert.deepEqual([large.picture, middle.picture], ['moving', 'moving']);
  });

  it('all get a picture now and then when there isn\'t enough for one that moves', () => {
    const bits = 3 * SOUND_BITS + 3 * 16_000;
    assert.equal(told(viewers([4, 4, 4]), { bits }), 'still,still,still');
  });

  it('then all get sound alone', () => {
    assert.equal(told(viewers([4, 4, 4]), { bits: 3 * SOUND_BITS + 10_000 }), 'none,none,none');
    assert.equal(told(viewers([4, 4, 4]), { bits: 50_000 }), 'none,none,none');
  });

  it('a picture that was left out comes back only with some bits to spare', () => {
    const people = viewers([4]);
    const off = viewers([4], { off: true });
    const bits = SOUND_BITS + PICTURE_BITS_MIN + 1000;
    assert.equal(told(people, { bits }), 'moving');
    assert.notEqual(told(off, { bits }), 'moving');
    assert.equal(told(off, { bits: bits + PICTURE_BITS_MIN / 2 }), 'moving');
  });

  it('a smaller picture is sent', () => {
    const [rich] = cameras(viewers([4]), { bits: 2_000_000 });
    const [poor] = cameras(viewers([4]), { bits: 200_000 });
    assert.ok(poor.height < rich.height);
    assert.equal(poor.why, 'bits');
  });
});

describe('one slow line', () => {
  it('gets less, and the others not a bit less for it', () => {
    const people = viewers([4, 4, 4]);
    const before = cameras(people, { bits: 1_500_000 });
    people[0].bitsMax = 200_000;
    const [slow, ...rest] = cameras(people, { bits: 1_500_000 });
    assert.ok(slow.bits <= 200_000 - SOUND_BITS);
    for (const one of rest) assert.ok(one.bits >= before[1].bits);
  });

  it('that is too slow for a picture gets none, while the others keep theirs', () => {
    const people = viewers([4, 1, 1]);
    people[0].bitsMax = SOUND_BITS + 20_000;
    assert.equal(told(people), 'none,moving,moving');
  });
});

describe('what the person chose', () => {
  it('sound only sends no picture to anybody, and says that it is a choice', () => {
    for (const { picture, why, bits } of cameras(viewers([4, 1, 0]), { quality: 'sound' })) {
      assert.deepEqual([picture, why, bits], ['none', 'choice', 0]);
    }
  });

  it('saving takes less than half of the bits, and pictures go on moving', () => {
    const people = viewers([4, 4]);
    const spent = (quality) => sum(cameras(people, { bits: 5_000_000, quality }).map(({ bits }) => bits));
    assert.ok(spent('saving') * 2 < spent('normal'), `${spent('saving')} ${spent('normal')}`);
    assert.equal(told(people, { quality: 'saving' }), 'moving,moving');
  });
});

describe('a screen', () => {
  const looking = (count) => viewers(Array(count).fill(3), { screen: 4 });

  it('comes before the camera where there isn\'t enough for both', () => {
    const { shares } = ask(looking(2), { screen: true, bits: 2 * (SOUND_BITS + 160_000) });
    for (const { camera, screen } of shares.values()) {
      assert.equal(screen.picture, 'moving');
      assert.notEqual(camera.picture, 'moving');
    }
  });

  it('is sent as high as it is shown or a step above, and whole to who shows it large, with bits to match', () => {
    const people = looking(4);
    for (const [at, size] of [1, 2, 3, 4].entries()) people[at].screen = size;
    const given = [...ask(people, { screen: true, bits: 8_000_000 }).shares.values()].map(({ screen }) => screen);
    assert.deepEqual(given.map(({ height }) => height), [180, 360, 540, 0]);
    assert.deepEqual(given.map(({ bits }) => bits), [150_000, 300_000, 600_000, 1_200_000]);
  });

  it('keeps its size, and goes to nobody who doesn\'t look at it', () => {
    const people = looking(2);
    people[1].screen = 0;
    const [one, other] = [...ask(people, { screen: true }).shares.values()];
    assert.equal(one.screen.height, 0);
    assert.ok(one.screen.bits > one.camera.bits);
    assert.deepEqual([other.screen.picture, other.screen.why], ['none', 'asked']);
  });
});

it('without a camera nothing is wanted but sound', () => {
  const { wanted, shares } = ask(viewers([4, 4]), { camera: false });
  assert.equal(wanted, 2 * SOUND_BITS);
  for (const { camera } of shares.values()) assert.equal(camera.bits, 0);
});

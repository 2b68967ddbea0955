import { FakeTrack } from './lib/browserish.mjs';
import assert from 'node:assert/strict';
import test from 'node:test';
import { Media, ScreenShare } from '../../public_html/klatch/index.js';

/** A browser that shares a screen, with its sound, or refuses with an error. */
function screens(error = null) {
  const given = [];
  const getDisplayMedia = async () => {
    if (error) throw Object.assign(new Error(error.message), error);
    given.push(new FakeTrack('video'), new FakeTrack('audio'));
    return new MediaStream(given.slice(-2));
  };
  const mediaDevices = Object.assign(new EventTarget(), { getDisplayMedia });
  Object.defineProperty(globalThis, 'navigator', { value: { mediaDevices }, configurable: true });
  return given;
}

function shared(media = new ScreenShare()) {
  const problems = [];
  let changes = 0;
  media.on('problem', ({ detail }) => problems.push(detail.code));
  media.on('change', () => {
    changes += 1;
  });
  return { media, problems, changes: () => changes };
}

test('a screen is shared with its sound and asks to be kept sharp', async () => {
  const [video] = [screens()];
  const { media, changes } = shared();
  const { stream } = media;
  await media.start();
  assert.equal(media.live, true);
  assert.deepEqual(stream.getTracks(), video);
  assert.equal(video[0].contentHint, 'detail');
  assert.equal(changes(), 1);
  media.stop();
  assert.deepEqual([media.live, media.stream === stream, stream.getTracks().length], [false, true, 0]);
  assert.deepEqual(video.map(({ readyState }) => readyState), ['ended', 'ended']);
  assert.equal(changes(), 2);
});

test("the browser's own bar ends it, sound too", async () => {
  const given = screens();
  const { media, changes } = shared();
  await media.start();
  given[0].lose();
  assert.deepEqual([media.live, changes()], [false, 2]);
  assert.equal(given[1].readyState, 'ended');
});

test('a screen that is chosen after it was stopped is given back', async () => {
  const given = screens();
  const { media, changes } = shared();
  const asking = media.start();
  media.stop();
  await asking;
  assert.equal(media.live, false);
  assert.ok(given.length === 2 && given.every(({ readyState }) => readyState === 'ended'));
  assert.equal(changes(), 0);
});

for (const [what, error, told] of [
  ['who closes the question hears nothing', { name: 'NotAllowedError', message: 'Permission denied' }, []],
  ['who may not by their system reads that', { name: 'NotAllowedError', message: 'Permission denied by system' }, ['screen-refused']],
  ['what fails is told', { name: 'NotReadableError', message: 'x' }, ['screen-failed']],
]) {
  test(`sharing the screen: ${what}`, async () => {
    screens(error);
    const { media, problems } = shared();
    await media.start();
    assert.deepEqual(problems, told);
    assert.equal(media.live, false);
  });
}

test('the media tell of their screen, and end it when they are closed', async () => {
  screens();
  const { media, changes } = shared(new Media());
  await media.screen.start();
  assert.equal(changes(), 1);
  media.close();
  assert.equal(media.screen.live, false);
});

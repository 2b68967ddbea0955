/* Another source in the place of the camera. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { gathering } from '../browser/lib/gathering.mjs';
import { until } from '../browser/lib/until.mjs';

const COUNTING = fileURLToPath(new URL('../browser/lib/counted-rtc.js', import.meta.url));
const here = gathering({ scripts: [COUNTING] });
/** What is painted on the screen, in four times the camera's pixels: no camera's id. */
const SCREEN_ID = 0xc4;

/** From now on the device 'screen' gives a picture of a screen, every other one the camera's. */
function addScreen(one) {
  return one.ask(([screen, own]) => {
    navigator.mediaDevices.getUserMedia = async ({ video }) => {
      if (video.deviceId.exact !== 'screen') return globalThis.klatchTest.painted(own, 0, { video: true });
      const canvas = Object.assign(document.createElement('canvas'), { width: 320, height: 240 });
      const small = Object.assign(document.createElement('canvas'), { width: 160, height: 120 });
      const [track] = canvas.captureStream(15).getVideoTracks();
      let count = 0;
      const timer = setInterval(() => {
        globalThis.klatchTest.paint(small, screen, count += 1);
        canvas.getContext('2d').drawImage(small, 0, 0, 320, 240);
        if (track.readyState !== 'live') clearInterval(timer);
      }, 66);
      return new MediaStream([track]);
    };
  }, [SCREEN_ID, one.id]);
}

test('a camera that gives way to a screen and comes back is seen as each, and nothing is negotiated', async (t) => {
  const [one, other] = await here.people(t, 2);
  await other.seesMoving(one);
  await addScreen(one);
  const counts = () => Promise.all([one, other].map((who) => who.ask(() => [globalThis.klatchRtc.descriptions, globalThis.klatchRtc.made])));
  const before = await counts();
  for (const [device, id] of [['screen', SCREEN_ID], ['camera', one.id], ['screen', SCREEN_ID], ['camera', one.id]]) {
    await one.ask((cam) => globalThis.klatchTest.call().media.use({ cam }), device);
    await until(`the ${device} is seen, and it moves`, async () => {
      const seen = await other.ask((name) => globalThis.klatchTest.watch(name, 1000), one.name);
      return seen.length >= 3 && seen.every((reading) => reading.id === id);
    });
  }
  await other.hears(one);
  assert.deepEqual(await counts(), before);
});

/* Whether the readings that the other tests trust can tell right from wrong. */

import assert from 'node:assert/strict';
import http from 'node:http';
import test, { after, before } from 'node:test';
import { Participant, heard, launch } from './lib/participant.mjs';

let browser;
let page;
let server;

before(async () => {
  browser = await launch();
  server = http.createServer((_, response) => {
    response.setHeader('Content-Type', 'text/html').end('<!doctype html><p>x');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const one = await Participant.open(browser, `http://127.0.0.1:${server.address().port}`, 'none', 0);
  page = one.page;
  await page.getByText('x').click(); // Sound needs a touch.
});

after(async () => {
  await browser?.close();
  server?.close();
});

/** What is read off a canvas after something was done to it. */
function readAfter(work) {
  return page.evaluate(`(() => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 160, height: 120 });
    const context = canvas.getContext('2d');
    klatchTest.paint(canvas, 0x62, 513);
    (${work})(canvas, context);
    return klatchTest.read(canvas);
  })()`);
}

test('a painted picture is read as whose it is and which', async () => {
  assert.deepEqual(await readAfter(() => {}), { id: 0x62, counter: 513 });
  const last = await readAfter((canvas) => globalThis.klatchTest.paint(canvas, 0x73, 65_535));
  assert.deepEqual(last, { id: 0x73, counter: 65_535 });
});

test('a smaller and duller copy of it still reads the same', async () => {
  const reading = await readAfter((canvas, context) => {
    const small = Object.assign(document.createElement('canvas'), { width: 80, height: 60 });
    small.getContext('2d').drawImage(canvas, 0, 0, 80, 60);
    context.filter = 'contrast(0.7)';
    context.drawImage(small, 0, 0, 160, 120);
  });
  assert.deepEqual(reading, { id: 0x62, counter: 513 });
});

for (const [what, work] of [
  ['black', (canvas, context) => context.fillRect(0, 0, 160, 120)],
  ['white', (canvas, context) => {
    context.fillStyle = '#fff';
    context.fillRect(0, 0, 160, 120);
  }],
  ['grey', (canvas, context) => {
    context.fillStyle = '#808080';
    context.fillRect(0, 0, 160, 120);
  }],
  ['blurred beyond its blocks', (canvas, context) => {
    context.filter = 'blur(14px)';
    context.drawImage(canvas, 0, 0);
  }],
  ['mixed of two people', (canvas, context) => {
    const other = Object.assign(document.createElement('canvas'), { width: 160, height: 120 });
    globalThis.klatchTest.paint(other, 0x73, 77);
    context.globalAlpha = 0.5;
    context.drawImage(other, 0, 0);
  }],
  ["half another's", (canvas, context) => {
    const other = Object.assign(document.createElement('canvas'), { width: 160, height: 120 });
    globalThis.klatchTest.paint(other, 0x73, 77);
    context.drawImage(other, 0, 0, 160, 60, 0, 0, 160, 60);
  }],
  ['mirrored', (canvas, context) => {
    context.scale(-1, 1);
    context.drawImage(canvas, -160, 0);
  }],
  ['with one block inverted', (canvas, context) => {
    context.globalCompositeOperation = 'difference';
    context.fillStyle = '#fff';
    context.fillRect(60, 40, 20, 20);
  }],
]) {
  test(`a picture that is ${what} reads as nothing`, async () => {
    assert.equal(await readAfter(work), null);
  });
}

test('a person is not seen by a standing picture, nor by that of another, nor by none', async () => {
  const watched = { name: 'Ann', id: 0x62 };
  for (const [ids, wrong] of [
    [[], /0 pictures/],
    [[0x62, 0x62], /2 pictures/],
    [[0x73, 0x73, 0x73, 0x73], /the picture of 73/],
    [[0x62, 0x62, 0x62, 0x73], /the picture of 73/],
  ]) {
    const one = new Participant(null, 1);
    one.ask = async () => ids.map((id, counter) => ({ id, counter }));
    await assert.rejects(one.seesMoving(watched, 100), wrong);
  }
});

/** The tones that are heard in a stream of these: [number of the tone, gain]. */
async function tonesIn(parts) {
  const levels = await page.evaluate(async ({ sounding, tones }) => {
    const context = new AudioContext();
    const end = new MediaStreamAudioDestinationNode(context);
    for (const [number, gain] of sounding) {
      const tone = new OscillatorNode(context, { frequency: tones[number] });
      tone.connect(new GainNode(context, { gain })).connect(end);
      tone.start();
    }
    const measured = await globalThis.klatchTest.levels(end.stream, tones);
    await context.close();
    return measured;
  }, { sounding: parts, tones: Participant.tones });
  return heard(levels);
}

for (const number of Participant.tones.keys()) {
  test(`tone ${number} is heard as itself alone`, async () => {
    assert.deepEqual(await tonesIn([[number, 0.3]]), [number]);
  });
}

test("another's tone beside the own one is heard, also a quieter one", async () => {
  assert.deepEqual(await tonesIn([[1, 0.3], [3, 0.3]]), [1, 3]);
  assert.deepEqual(await tonesIn([[1, 0.3], [3, 0.05]]), [1, 3]);
});

test('in silence no tone is heard', async () => {
  assert.deepEqual(await tonesIn([]), []);
  assert.deepEqual(await tonesIn([[2, 0.0005]]), []);
});

// Measured boxes: nothing overlaps, nothing is cut off, nothing scrolls.
import assert from 'node:assert/strict';
import test from 'node:test';
import { SIZES, galleryHere } from './browser.mjs';

const here = galleryHere();
/** A small phone held sideways below its browser's bars, and a desktop's window at 400%. */
const LOW = { low: [568, 256], zoomed: [320, 256] };

/** The boxes of all that matches, through shadow roots. */
const boxesOf = (page, selector) => page.evaluate((wanted) => window.deep(wanted).map((element) => {
  const { left, top, right, bottom, width, height } = element.getBoundingClientRect();
  return { left, top, right, bottom, width, height };
}).filter(({ width, height }) => width > 1 && height > 1), selector);

const inside = (box, frame) => box.left >= frame.left - 0.5 && box.top >= frame.top - 0.5
  && box.right <= frame.right + 0.5 && box.bottom <= frame.bottom + 0.5;
const overlap = (a, b) => a.left < b.right - 0.5 && b.left < a.right - 0.5
  && a.top < b.bottom - 0.5 && b.top < a.bottom - 0.5;

/** Give the page a size, and time to lay itself out. */
async function resize(page, [width, height]) {
  await page.setViewportSize({ width, height });
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(
    () => setTimeout(resolve, 30)))));
  return { left: 0, top: 0, right: width, bottom: height };
}

async function checkCall(page, size, people) {
  const frame = await resize(page, SIZES[size] ?? LOW[size]);
  const say = (what, box) => `${people} people, ${size}: ${what} ${JSON.stringify(box)}`;
  const tiles = await boxesOf(page, 'klatch-tile');
  const controls = await boxesOf(page, 'button.control');
  const faces = await boxesOf(page, '.face');
  const top = await boxesOf(page, '.top > *');
  const cells = [...tiles, ...await boxesOf(page, 'klatch-invite')];

  assert.equal(tiles.length, people, say('tiles'));
  assert.equal(controls.length, 6, say('controls'));
  for (const box of [...cells, ...controls, ...faces, ...top]) assert.ok(inside(box, frame), say('cut off', box));
  for (const box of faces) assert.ok(box.width >= 43 && box.height >= 43, say('too small for a thumb', box));
  const apart = [...cells, ...faces, ...top];
  for (const [i, box] of apart.entries()) {
    for (const other of apart.slice(i + 1)) assert.ok(!overlap(box, other), say('overlap', [box, other]));
  }
  for (const strip of await boxesOf(page, '.strip')) {
    assert.ok(tiles.some((tile) => inside(strip, tile)), say('a name leaves its tile', strip));
  }
  const scrolls = await page.evaluate(() => {
    const boxes = [document.scrollingElement, ...window.deep('klatch-room, klatch-call, klatch-grid, .stage, .call')];
    return boxes.filter((box) => box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight)
      .map((box) => `${box.localName} ${box.scrollWidth}x${box.scrollHeight} in ${box.clientWidth}x${box.clientHeight}`);
  });
  assert.deepEqual(scrolls, [], say('scrolls'));
}

for (const people of [1, 2, 3, 4, 6, 8, 9, 16]) {
  test(`${people} of us fit on every screen without overlap, cut or scrollbar`, async () => {
    const { page, complaints, close } = await here.open(`call-${people}`);
    for (const size of Object.keys(SIZES)) await checkCall(page, size, people);
    assert.deepEqual(complaints, []);
    await close();
  });
}

test('all controls are in sight on the lowest screens, and the chat leaves them or covers them all', async () => {
  const { page, close } = await here.open('call-2');
  for (const size of Object.keys(LOW)) await checkCall(page, size, 2);
  await page.getByRole('button', { name: 'Chat', exact: true }).click();
  await page.getByRole('textbox', { name: 'Write a message' }).waitFor();
  for (const [size, [width]] of Object.entries(LOW)) {
    const frame = await resize(page, LOW[size]);
    const [panel] = await boxesOf(page, 'klatch-chat');
    const inner = [...await boxesOf(page, 'klatch-chat header > *'), ...await boxesOf(page, '.write > *')];
    for (const box of inner) assert.ok(inside(box, panel) && inside(box, frame), `${size}: ${JSON.stringify(box)}`);
    const beside = (await boxesOf(page, '.face')).every((box) => !overlap(box, panel));
    assert.ok(beside || panel.width === width, size);
  }
  await close();
});

test('with letters of twice the size nothing of chat and settings is cut off sideways', async () => {
  const { page, close } = await here.open('call-chat');
  await page.evaluate(() => { document.documentElement.style.fontSize = '200%'; });
  const frame = await resize(page, SIZES.phone);
  for (const box of [...await boxesOf(page, 'klatch-chat header > *'), ...await boxesOf(page, '.write > *')]) {
    assert.ok(inside(box, frame), `chat: ${JSON.stringify(box)}`);
  }
  await page.getByRole('button', { name: 'Close chat' }).click();
  await page.getByRole('button', { name: 'Settings' }).click();
  const [dialog] = await boxesOf(page, 'dialog');
  const inner = [...await boxesOf(page, 'dialog header > *'), ...await boxesOf(page, 'dialog input:not([type=checkbox])'),
    ...await boxesOf(page, 'dialog select'), ...await boxesOf(page, 'dialog klatch-devices')];
  assert.ok(inner.length >= 5);
  for (const box of inner) assert.ok(box.left >= dialog.left && box.right <= dialog.right, `settings: ${JSON.stringify(box)}`);
  await close();
});

test('the grid makes place for the banner and for the chat beside it', async () => {
  const { page, close } = await here.open('call-server-away');
  for (const size of Object.keys(SIZES)) await checkCall(page, size, 4);
  await close();
  const chat = await here.open('call-chat', { size: 'desk' });
  await checkCall(chat.page, 'desk', 4);
  const [panel] = await boxesOf(chat.page, 'klatch-chat');
  for (const tile of await boxesOf(chat.page, 'klatch-tile')) assert.ok(!overlap(tile, panel));
  await chat.close();
});

test('on a phone the chat covers the call but not the count of connections', async () => {
  const { page, close } = await here.open('call-chat');
  const [panel] = await boxesOf(page, 'klatch-chat');
  const [count] = await boxesOf(page, '.count');
  assert.equal(panel.width, SIZES.phone[0]);
  assert.equal(panel.bottom, SIZES.phone[1]);
  assert.ok(!overlap(panel, count));
  await close();
});

/** How far a tile's button can be pressed, across and down from its middle: the least of all tiles. */
const pressedFor = (page) => page.evaluate(() => window.deep('klatch-tile').map(({ shadowRoot: root }) => {
  const button = root.querySelector('.menu');
  const { x, y, width, height } = button.getBoundingClientRect();
  const [left, top] = [x + width / 2, y + height / 2];
  const far = (dx, dy) => {
    let px = 0;
    while (root.elementFromPoint(left + dx * px, top + dy * px)?.closest('.menu') === button) px += 0.25;
    return px;
  };
  return Math.min(far(1, 0) + far(-1, 0), far(0, 1) + far(0, -1));
}).reduce((least, px) => Math.min(least, px)));

test('what opens the menu of a tile is large enough for a thumb, however small the tile is', async () => {
  for (const scene of ['call-2', 'call-16', 'call-speaker']) {
    const { page, close } = await here.open(scene, { size: 'small' });
    const px = await pressedFor(page);
    assert.ok(px >= 43, `${scene}: ${px} px`);
    await close();
  }
});

test('why a picture is paused is told in whole words or by its sign, on no tile by pieces of words', async () => {
  const { page, complaints, close } = await here.open('call-paused', { size: 'small' });
  const marks = () => page.evaluate(() => window.deep('.cover p').filter((mark) => mark.offsetHeight > 0).map((mark) => {
    const text = mark.querySelector('span');
    return { words: text.offsetWidth > 0, cut: text.scrollWidth > text.clientWidth, sign: mark.querySelector('.icon').getBoundingClientRect().width };
  }));
  const large = await marks();
  assert.ok(large.length >= 3 && large.every(({ words, cut, sign }) => words && !cut && sign > 8), JSON.stringify(large));
  await page.evaluate(() => { window.gallery.tiles().at(-1).emit('tile-act', { act: 'pin', key: window.gallery.tiles().at(-1).props.key }); });
  await page.waitForFunction(() => window.gallery.tiles()[0].offsetWidth < 100);
  const small = await marks();
  assert.ok(small.length >= 3 && small.every(({ words, cut, sign }) => !(words && cut) && sign > 8), JSON.stringify(small));
  assert.deepEqual(complaints, []);
  await close();
});

test('in the lobby "Join" is in sight on every screen, whatever is wrong', async () => {
  for (const scene of ['lobby', 'lobby-permission-denied-both', 'lobby-room-full', 'lobby-long-room']) {
    const { page, close } = await here.open(scene);
    for (const size of Object.keys(SIZES)) {
      const frame = await resize(page, SIZES[size]);
      const [join] = await boxesOf(page, '.join');
      assert.ok(inside(join, frame), `${scene}, ${size}: ${JSON.stringify(join)}`);
      assert.ok(join.height >= 44);
      const wide = await page.evaluate(() => {
        const [lobby] = window.deep('klatch-lobby');
        return lobby.scrollWidth - lobby.clientWidth;
      });
      assert.ok(wide <= 0, `${scene}, ${size}: scrolls sideways by ${wide}`);
    }
    await close();
  }
});

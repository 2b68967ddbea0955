// How much is sent, as the page shows it: sizes that tiles tell, pictures that stand still and why,
// and the person's choice.
import assert from 'node:assert/strict';
import test from 'node:test';
import { gallery } from './browser.mjs';

const within = gallery();

const shown = (page) => page.evaluate(() => {
  const { room } = window.gallery;
  return room.people.map((person) => room.budget.shown.get(person)?.camera);
});
const setPicture = (page, picture, why) => page.evaluate(([its, reason]) => {
  const { room } = window.gallery;
  const [person] = room.people;
  Object.assign(person, { picture: its, why: reason });
  room.budget.emit('told', { person });
}, [picture, why]);

test('each tile tells how high its picture stands on the screen, and that it doesn\'t any more', () => within('call-3', { size: 'desk' }, async (page) => {
  const heights = await page.evaluate(() => window.gallery.tiles().slice(0, 2).map((tile) => tile.offsetHeight));
  await page.waitForFunction((all) => window.gallery.room.people
    .every((person, at) => window.gallery.room.budget.shown.get(person)?.camera === all[at]), heights);
  await page.setViewportSize({ width: 400, height: 500 });
  await page.waitForFunction((full) => window.gallery.room.budget.shown.get(window.gallery.room.people[0]).camera < full, heights[0]);
  await page.evaluate(() => window.gallery.tiles()[0].remove());
  assert.equal((await shown(page))[0], 0);
}));

test('a screen\'s tile tells its own height, not its person\'s, and the next screen is asked for whole', () => within('call-screen', { size: 'desk' }, async (page) => {
  const agrees = () => page.waitForFunction(() => {
    const tile = window.gallery.tiles().find(({ props }) => props.screen && !props.mine);
    const beside = window.gallery.tiles().find(({ props }) => !props.screen && props.name === tile.props.name);
    const { camera, screen } = window.gallery.room.budget.shown.get(beside.props.person) ?? {};
    return tile.offsetHeight > beside.offsetHeight && screen === tile.offsetHeight && camera === beside.offsetHeight;
  });
  await agrees();
  await page.setViewportSize({ width: 900, height: 500 });
  await agrees();
  await page.evaluate(() => {
    const { room } = window.gallery;
    const sharer = room.people.find(({ screen }) => screen);
    sharer.screen = null;
    room.emit('peer-updated', { person: sharer });
    window.sharer = sharer;
  });
  await page.waitForFunction(() => window.gallery.room.budget.shown.get(window.sharer).screen === innerHeight);
}));

test('a page that nobody sees asks for nothing', () => within('call-2', {}, async (page) => {
  await page.waitForFunction(() => window.gallery.room.budget.shown.get(window.gallery.room.people[0])?.camera > 0);
  await page.evaluate(() => {
    Object.defineProperty(document, 'hidden', { value: true, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  });
  assert.deepEqual(await shown(page), [0]);
  await page.evaluate(() => {
    Object.defineProperty(document, 'hidden', { value: false });
    document.dispatchEvent(new Event('visibilitychange'));
  });
  assert.deepEqual(await shown(page), await page.evaluate(() => [window.gallery.tiles()[0].offsetHeight]));
}));

test('a picture that stands still says why, keeps the last one, and says nothing when it moves again', () => within('call-2', {}, async (page) => {
  for (const [picture, why, words] of [
    ['none', 'bits', 'Sound only: too little bandwidth'], ['still', 'bits', 'One picture in 5 seconds: too little bandwidth'],
    ['none', 'choice', 'Sends sound only'],
  ]) {
    await setPicture(page, picture, why);
    await page.getByRole('group', { name: `Maya, connected, ${words}`, exact: true }).waitFor();
    await page.getByText(words, { exact: true }).waitFor();
    assert.equal(await page.evaluate(() => window.deep('[data-picture]').length), 2);
  }
  await setPicture(page, 'moving', 'asked');
  await page.getByRole('group', { name: 'Maya, connected', exact: true }).waitFor();
}));

test('a picture that nobody stopped and that stands still is reported, at the tile, in the panel and in the report', () => within('call-2', {}, async (page) => {
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  const freeze = (frozen) => page.evaluate((its) => {
    const { room } = window.gallery;
    const [person] = room.people;
    person.frozen = its;
    room.budget.emit('told', { person });
    const reading = { up: 0, down: 0, rttMs: 48, rttNew: true, lossUp: 0, lossDown: 0, path: 'direct', sends: [],
      receives: [{ kind: 'video', mid: '1', bits: 0, codec: 'VP8', width: 320, height: 240, fps: 0, freezes: 1, frozenS: 0.4 }] };
    room.budget.emit('readings', new Map([[person, reading]]));
  }, frozen);
  await freeze(true);
  await page.getByRole('group', { name: 'Maya, connected, The picture stands still', exact: true }).waitFor();
  await page.getByText('The picture stands still', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Settings', exact: true }).click();
  await page.getByRole('button', { name: 'How the connections do' }).click();
  await page.getByRole('dialog', { name: 'Connections' }).waitFor();
  await freeze(true);
  await page.getByText('1 (0 s), stands still now', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Copy a report without names and addresses' }).click();
  await page.getByRole('button', { name: 'Report copied' }).waitFor();
  assert.match(await page.evaluate(() => navigator.clipboard.readText()), /Person 1: connected, direct, the picture stands still/);
  await freeze(false);
  await page.getByText('1 (0 s)', { exact: true }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('group', { name: 'Maya, connected', exact: true }).waitFor();
}));

test('what is left out for want of bits is told in words', () => within('call-2', {}, async (page) => {
  const tell = (picture) => page.evaluate((its) => {
    const { room } = window.gallery;
    room.budget.emit('sending', { person: room.people[0], picture: its });
  }, picture);
  await tell('none');
  await page.getByRole('status').filter({ hasText: 'Sending sound only to Maya' }).waitFor();
  await tell('moving');
  await page.getByRole('status').filter({ hasText: 'Sending your picture to Maya again' }).waitFor();
}));

test('the chosen data use is taken at once, and remembered for the next call', () => within('call-2', {}, async (page) => {
  await page.getByRole('button', { name: 'Settings', exact: true }).click();
  const choice = page.getByRole('dialog').getByLabel('Data use');
  assert.equal(await choice.inputValue(), 'normal');
  await choice.selectOption('saving');
  assert.equal(await page.evaluate(() => window.gallery.room.budget.quality), 'saving');
  const quality = await page.evaluate(async () => {
    const next = document.createElement('klatch-room');
    for (const [name, value] of [['room', 'garden'], ['api', '/api/v1']]) next.setAttribute(name, value);
    document.getElementById('page').append(next);
    await next.join();
    return next.call.budget.quality;
  });
  assert.equal(quality, 'saving');
}));

// Hosts: what the lobby asks, who knocks, what a host changes and decides, and what others see of it.
import assert from 'node:assert/strict';
import test from 'node:test';
import { gallery } from './browser.mjs';

const show = gallery();
const within = (scene, body, look = {}) => show(scene, look, body);
const decided = (page) => page.evaluate(() => window.gallery.room.decided);
const join = (page) => page.getByRole('button', { name: 'Join', exact: true }).click();
const hangUp = (page) => page.getByRole('button', { name: 'Hang up' }).waitFor();
/** What a host does isn't answered until `answer` is called. */
async function held(page) {
  await page.evaluate(() => { window.klatchPlan.hostAnswer = new Promise((resolve) => { window.klatchAnswer = resolve; }); });
  return () => page.evaluate(() => window.klatchAnswer());
}
const titled = (page, name) => page.getByRole('heading', { name }).waitFor();

test('the lobby asks for the password of a room that has one, and joins with it', () => within('lobby-password', async (page) => {
  await page.getByText('In this room a host lets people in.').waitFor();
  await page.getByLabel('Password of the room').fill('plum');
  await join(page);
  await hangUp(page);
  assert.equal(await page.evaluate(() => window.klatchJoins.at(-1).password), 'plum');
}));

test('a room that did not tell before asks when it is joined, and again after a wrong one', () => within('lobby-password-missing', async (page) => {
  await page.getByRole('alert').getByText('This room has a password').waitFor();
  const field = page.getByLabel('Password of the room');
  assert.equal(await field.evaluate((one) => one.matches(':focus')), true);
  await field.fill('prune');
  await join(page);
  await page.getByRole('alert').getByText('The password is wrong').waitFor();
  assert.equal(await field.evaluate((one) => one.matches(':focus')), true);
  await field.fill('plum');
  await field.press('Enter');
  await hangUp(page);
}));

test('a locked room is shown as that before joining', () => within('lobby-locked', async (page) => {
  await page.getByRole('status').getByText('The room is locked now.').waitFor();
}));

test('who was turned away by the lock is told once', () => within('lobby-room-locked', async (page) => {
  await page.getByRole('alert').getByText('The room is locked').waitFor();
  assert.equal(await page.getByText('The room is locked').count(), 1);
}));

test('who waits is told so, and whether a host is there, and can give up', async () => {
  await within('lobby-waiting-nobody', async (page) => {
    await page.getByRole('status').getByText('No host is there now.').waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Join', exact: true }).waitFor();
    assert.equal(await page.getByText('No host is there now.').count(), 0);
  });
  await within('lobby-waiting', async (page) => {
    await page.getByRole('status').getByText('Waiting to be let in').waitFor();
    await page.evaluate(() => window.klatchDecide());
    await hangUp(page);
  });
});

test('who is refused learns that, and can ask again', () => within('lobby-waiting', async (page) => {
  await page.evaluate(() => window.klatchDecide('refused'));
  await titled(page, 'You were not let in');
  await page.getByRole('button', { name: 'Ask again' }).click();
  await page.getByText('Waiting to be let in').waitFor();
}));

test('who knocks is announced by name, as text, and let in or refused one by one', () => within('call-knocking', async (page) => {
  await page.getByRole('status').getByText('<b>Bold</b> wants to come in; 4 people wait').waitFor({ state: 'attached' });
  const region = page.getByRole('region', { name: 'Who wants to come in' });
  assert.equal(await region.getByRole('listitem').count(), 4);
  await region.getByText('by another link').waitFor();
  await region.getByRole('button', { name: 'Let in Noor' }).click();
  await region.getByRole('button', { name: 'Refuse <b>Bold</b>' }).click();
  await region.getByRole('listitem').nth(2).waitFor({ state: 'detached' });
  assert.deepEqual(await decided(page), [['admit', 'Noor'], ['refuse', '<b>Bold</b>']]);
}));

test('a decision that is pressed twice is made once', () => within('call-knocking', async (page) => {
  const answer = await held(page);
  const admit = page.getByRole('button', { name: 'Let in Noor' });
  await admit.click();
  await admit.click();
  await answer();
  await admit.waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Refuse <b>Bold</b>' }).click();
  await page.getByRole('button', { name: 'Refuse <b>Bold</b>' }).waitFor({ state: 'detached' });
  assert.deepEqual(await decided(page), [['admit', 'Noor'], ['refuse', '<b>Bold</b>']]);
}));

test('a decision that fails is told', () => within('call-knocking', async (page) => {
  await page.evaluate(() => { window.klatchPlan.hostProblem = 'room-full'; });
  await page.getByRole('button', { name: 'Let in Noor' }).click();
  await page.getByRole('alert').getByText('The room is full').waitFor();
}));

test('a host locks the room, opens the lobby and sets a password in the settings', () => within('call-host-settings', async (page) => {
  await page.getByRole('checkbox', { name: /^Lock the room/ }).click();
  const sign = page.getByRole('img', { name: 'The room is locked', includeHidden: true });
  await sign.waitFor({ state: 'attached' });
  await page.getByRole('checkbox', { name: /^Let people in/, checked: true }).click();
  await page.getByLabel('Another password for newcomers').fill('plum');
  await page.getByRole('button', { name: 'Set password' }).click();
  await page.getByRole('button', { name: 'Remove password' }).click();
  await page.getByLabel('Password for newcomers', { exact: true }).waitFor();
  assert.deepEqual(await decided(page), [['change', { locked: true }], ['change', { lobby: false }],
    ['change', { password: 'plum' }], ['change', { password: null }]]);
}));

test('a switch shows at once what was asked for, and goes back where the server refuses', () => within('call-host-settings', async (page) => {
  const lock = (checked) => page.getByRole('checkbox', { name: /^Lock the room/, checked });
  const lobby = (checked) => page.getByRole('checkbox', { name: /^Let people in/, checked });
  const answer = await held(page);
  await lock(false).click();
  await lobby(true).click();
  await lock(true).waitFor();
  await lobby(false).waitFor();
  assert.deepEqual(await decided(page), []);
  await page.evaluate(() => { window.klatchPlan.hostProblem = 'not-permitted'; });
  await answer();
  await lock(false).waitFor();
  await lobby(true).waitFor();
  assert.deepEqual(await decided(page), []);
}));

test('of two presses on one switch the later one is shown until both are answered', () => within('call-host-settings', async (page) => {
  const lock = (checked) => page.getByRole('checkbox', { name: /^Lock the room/, checked });
  const answer = await held(page);
  await lock(false).click();
  await lock(true).click();
  await lock(false).waitFor();
  await answer();
  await page.waitForFunction(() => window.gallery.room.decided.length === 2);
  await lock(false).waitFor();
  assert.deepEqual(await decided(page), [['change', { locked: true }], ['change', { locked: false }]]);
}));

test('a switch stays as it is where the server refuses', () => within('call-host-settings', async (page) => {
  await page.evaluate(() => { window.klatchPlan.hostProblem = 'not-permitted'; });
  await page.getByRole('checkbox', { name: /^Lock the room/ }).click();
  await page.getByText('That is not permitted here').waitFor({ state: 'attached' });
  await page.getByRole('checkbox', { name: /^Lock the room/, checked: false }).waitFor();
}));

test('who is no host reads how the room is, and has nothing to change or decide', () => within('call-guest', async (page) => {
  for (const text of ['The room is locked: nobody else comes in', 'A host lets newcomers in.', 'Newcomers need a password.', 'Host: Maya']) {
    await page.getByText(text, { exact: true }).waitFor();
  }
  assert.equal(await page.getByRole('checkbox', { name: /^Lock the room/ }).count(), 0);
  await page.getByRole('button', { name: 'Done' }).click();
  await page.getByRole('group', { name: /^Maya, host, connected/ }).waitFor();
  await page.getByRole('button', { name: 'Options for Jonas Lindqvist' }).click();
  await page.getByRole('button', { name: 'Pin' }).waitFor();
  assert.equal(await page.getByRole('button', { name: 'Make host' }).count(), 0);
}));

test('a host is asked once more before somebody is removed, and may change their mind', () => within('call-host-menu', async (page) => {
  await page.getByRole('button', { name: 'Remove and keep out' }).click();
  await page.getByText('Maya is sent out and can’t come back').waitFor();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.getByRole('button', { name: 'Remove', exact: true }).click();
  await page.getByText('Maya is sent out of the room, and can come back.').waitFor();
  await page.keyboard.press('Enter');
  await page.getByText('Maya was sent out').waitFor();
  assert.deepEqual(await decided(page), [['remove', 'Maya', { ban: false }]]);
}));

test('keeping somebody out says so to the server', () => within('call-host-sure', async (page) => {
  await page.getByRole('button', { name: 'Remove and keep out' }).click();
  await page.getByText('Maya was sent out').waitFor();
  assert.deepEqual(await decided(page), [['remove', 'Maya', { ban: true }]]);
}));

test('what the call tells is in the language that the element has now', () => within('call-2', async (page) => {
  await page.evaluate(() => { window.gallery.element.lang = 'pl'; });
  await page.getByRole('button', { name: 'Czat' }).waitFor();
  await page.evaluate(() => window.gallery.room.update({ locked: true }));
  await page.getByRole('status').getByText('Pokój jest teraz zamknięty').waitFor();
}));

test('the part of the host is handed on, and both sides are told', async () => {
  await within('call-host-menu', async (page) => {
    await page.getByRole('button', { name: 'Make host' }).click();
    await page.getByRole('button', { name: 'Make host' }).click();
    await page.getByRole('status').getByText('Maya is host now').waitFor();
    await page.getByRole('group', { name: /^Maya, host/ }).waitFor();
  });
  await within('call-became-host', async (page) => {
    await page.getByRole('status').getByText('You are host now').waitFor();
    await page.getByRole('status').getByText('The room is locked').waitFor();
    await page.getByRole('group', { name: /^Ada \(You\), host/ }).waitFor();
  });
});

test('who was removed or may not come in is told on a page of its own', async () => {
  for (const [scene, title] of [['ended-kicked', 'You were sent out of the room'], ['ended-banned', 'You may not enter this room'],
    ['ended-closed', 'The room was closed']]) {
    await within(scene, (page) => titled(page, title));
  }
});

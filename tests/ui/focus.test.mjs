// Where the focus goes when what had it is gone: keyboards and screen readers go on near it.
import assert from 'node:assert/strict';
import test from 'node:test';
import { gallery } from './browser.mjs';

const within = gallery();
const desk = { size: 'desk' };

/** Wait until what has the focus, through shadow roots, is this or holds it in a text of its own. */
async function focusIs(page, wanted) {
  const now = () => page.evaluate(() => {
    let element = document.activeElement;
    while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
    return element === document.body ? 'nothing' : element.getAttribute('aria-label') ?? element.textContent.trim().replace(/\s+/g, ' ');
  });
  const deadline = Date.now() + 5000;
  while (await now() !== wanted && Date.now() < deadline) await page.waitForTimeout(20);
  assert.equal(await now(), wanted);
}

const button = (page, name) => page.getByRole('button', { name, exact: true });

test('the focus goes with the person into the call, out of it and in again', () => within('lobby', desk, async (page) => {
  await button(page, 'Join').press('Enter');
  await focusIs(page, 'kitchen-table');
  await button(page, 'Hang up').press('Enter');
  await focusIs(page, 'You hung up');
  await button(page, 'Join again').press('Enter');
  await focusIs(page, 'kitchen-table');
}));

test('who joins from the name and waits comes to Cancel with the next Tab, and from there back to Join', () => within('lobby', desk, async (page) => {
  await page.evaluate(() => { window.klatchPlan = { ...window.klatchPlan, waiting: { hosts: 1 } }; });
  await page.getByLabel('Your name').press('Enter');
  await focusIs(page, 'Waiting… Cancel');
  await page.keyboard.press('Tab');
  await focusIs(page, 'Cancel');
  await page.keyboard.press('Enter');
  await focusIs(page, 'Join');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await focusIs(page, 'Waiting… Cancel');
}));

test('a password that was wrong is written over', () => within('lobby-password-missing', desk, async (page) => {
  await page.getByLabel('Password of the room').fill('prune');
  await button(page, 'Join').click();
  await page.getByRole('alert').getByText('The password is wrong').waitFor();
  await page.keyboard.type('plum');
  await page.keyboard.press('Enter');
  await focusIs(page, 'kitchen-table');
}));

test('a host who lets somebody in is at those who still knock, then at the room', () => within('call-knocking', desk, async (page) => {
  const list = page.getByRole('list', { name: 'Who wants to come in' });
  for (let left = await list.getByRole('listitem').count(); left > 0; left -= 1) {
    await list.getByRole('button').first().press('Enter');
    await focusIs(page, left > 1 ? 'Who wants to come in' : 'kitchen-table');
  }
}));

test('a host who removes somebody is at the room, and whose tap brought the sound too', async () => {
  await within('call-host-sure', desk, async (page) => {
    await page.getByRole('alertdialog').getByRole('button').first().press('Enter');
    await focusIs(page, 'kitchen-table');
  });
  await within('call-sound-blocked', { ...desk, soundNeedsTap: true }, async (page) => {
    await button(page, 'Turn the sound on').press('Enter');
    await focusIs(page, 'kitchen-table');
  });
});

test('a password that is taken away leaves the focus in the settings', () => within('call-host-settings', desk, async (page) => {
  await button(page, 'Remove password').press('Enter');
  await focusIs(page, 'Room');
}));

test('who writes elsewhere on the page keeps the focus when the call ends', () => within('call-2', desk, async (page) => {
  await page.evaluate(() => {
    const field = document.createElement('input');
    field.setAttribute('aria-label', 'Search the shop');
    document.body.append(field);
    field.focus();
    window.gallery.room.end('closed');
  });
  await page.getByRole('heading', { name: 'The room was closed' }).waitFor();
  await focusIs(page, 'Search the shop');
}));

/* Hosts, as people use them: the lock, the password, the lobby, who has to go, who is host next. */

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import test from 'node:test';
import { gathering } from './lib/gathering.mjs';
import { until } from './lib/until.mjs';

const here = gathering();
const LIMIT_MS = 20_000;

const button = ({ page }, name) => page.getByRole('button', { name, exact: true });
const reads = ({ page }, text) => page.getByText(text).first().waitFor({ timeout: LIMIT_MS });

/** A room with its host alone, and others before its door. */
async function hosted(t, visitors, secret = '') {
  const host = await here.newcomer(t, `test-${randomBytes(6).toString('hex')}${secret}`, 0);
  await host.join();
  await until('they are host', () => host.ask(() => globalThis.klatchTest.call().room.self.host));
  const guests = [];
  for (let number = 1; number <= visitors; number += 1) guests.push(await here.newcomer(t, host.room, number));
  return { host, guests };
}

/** Change what the room asks of newcomers, in the settings. */
async function set({ page }, change) {
  await page.getByRole('button', { name: 'Settings' }).click();
  await change(page);
  await page.getByRole('button', { name: 'Done' }).click();
}

const lock = (host, on) => set(host, async (page) => {
  const box = page.getByRole('checkbox', { name: /^Lock the room/ });
  await box.click();
  await page.getByRole('checkbox', { name: /^Lock the room/, checked: on }).waitFor({ timeout: LIMIT_MS });
});

const lobby = (host) => set(host, async (page) => {
  await page.getByRole('checkbox', { name: /^Let people in/ }).click();
  await page.getByRole('checkbox', { name: /^Let people in/, checked: true }).waitFor({ timeout: LIMIT_MS });
});

/** Name and Join, whatever comes of it. */
async function knock(one) {
  await one.page.getByRole('textbox', { name: 'Your name' }).fill(one.name);
  await button(one, 'Join').click();
}

/** In the menu of somebody's tile, with the question that follows. */
async function decide(host, other, what) {
  await host.page.getByRole('button', { name: `Options for ${other.name}` }).click();
  await button(host, what).click();
  await button(host, what).click();
}

test('a locked room takes nobody until it is open again', async (t) => {
  const { host, guests: [guest] } = await hosted(t, 1);
  await lock(host, true);
  await knock(guest);
  await reads(guest, 'The room is locked');
  await lock(host, false);
  await button(guest, 'Join').click();
  await guest.inCall();
  await guest.connectedTo([host]);
});

test('a room with a password asks for it, and lets in who knows it', async (t) => {
  const { host, guests: [guest] } = await hosted(t, 1);
  await set(host, async (page) => {
    await page.getByLabel('Password for newcomers').fill('plum & <peach>');
    await page.getByRole('button', { name: 'Set password' }).click();
    await page.getByText('There is a password.').waitFor({ timeout: LIMIT_MS });
  });
  const field = guest.page.getByLabel('Password of the room');
  await knock(guest);
  await reads(guest, 'This room has a password');
  await field.fill('prune');
  await button(guest, 'Join').click();
  await reads(guest, 'The password is wrong');
  await guest.page.reload();
  await field.waitFor({ timeout: LIMIT_MS });
  await field.fill('plum & <peach>');
  await button(guest, 'Join').click();
  await guest.inCall();
  await guest.connectedTo([host]);
});

test('in a sealed room with a lobby the host lets in and refuses by name, and nothing reaches who waits', async (t) => {
  const { host, guests } = await hosted(t, 2, `.${'s'.repeat(22)}`);
  const [guest, other] = guests;
  await lobby(host);
  for (const one of guests) {
    await knock(one);
    await reads(one, 'Waiting to be let in');
  }
  await button(host, `Let in ${guest.name}`).waitFor({ timeout: LIMIT_MS });
  await host.gridShows([]);
  await guest.page.reload();
  await knock(guest);
  await reads(guest, 'Waiting to be let in');
  await button(host, `Let in ${guest.name}`).click();
  await guest.inCall();
  await Promise.all([guest.connectedTo([host]), host.connectedTo([guest])]);
  await guest.seesMoving(host);
  await button(host, `Refuse ${other.name}`).click();
  await reads(other, 'You were not let in');
  await button(other, 'Ask again').click();
  await button(host, `Let in ${other.name}`).waitFor({ timeout: LIMIT_MS });
});

test('who is removed is out of the call and of every grid at once, and can come back', async (t) => {
  const people = await here.people(t, 3);
  const host = await hostOf(people);
  const [gone, rest] = people.filter((one) => one !== host);
  await decide(host, gone, 'Remove');
  await reads(gone, 'You were sent out of the room');
  await Promise.all([host.gridShows([rest], LIMIT_MS), rest.gridShows([host], LIMIT_MS)]);
  assert.equal(await gone.ask(() => globalThis.klatchTest.call().room), null);
  await rest.seesMoving(host);
  await button(gone, 'Join again').click();
  await gone.inCall();
  await gone.connectedTo([host, rest]);
});

test('who is kept out stays out, and the host who leaves hands that on to the next', async (t) => {
  const people = await here.people(t, 3);
  const host = await hostOf(people);
  const [gone, next] = people.filter((one) => one !== host);
  await decide(host, gone, 'Remove and keep out');
  await reads(gone, 'You were sent out of the room');
  await button(gone, 'Join again').click();
  await reads(gone, 'You may not enter this room');
  await host.hangUp();
  await reads(next, 'You are host now');
  assert.equal(await next.ask(() => globalThis.klatchTest.call().room.self.host), true);
});

test('the part of the host is handed on, and stays through a reload', async (t) => {
  const people = await here.people(t, 2);
  const host = await hostOf(people);
  const next = people.find((one) => one !== host);
  await decide(host, next, 'Make host');
  await reads(next, 'You are host now');
  await reads(host, `${next.name} is host now`);
  await next.reload();
  await next.join();
  await Promise.all([next.connectedTo([host]), host.connectedTo([next])]);
  await until('both see the same host', async () => await next.ask(() => globalThis.klatchTest.call().room.self.host)
    && host.ask(() => globalThis.klatchTest.call().room.people[0].host));
  assert.equal(await host.ask(() => globalThis.klatchTest.call().room.self.host), false);
});

/** Who came first of people who came at once. */
async function hostOf(people) {
  for (const one of people) if (await one.ask(() => globalThis.klatchTest.call().room.self.host)) return one;
  throw new Error('nobody is host');
}

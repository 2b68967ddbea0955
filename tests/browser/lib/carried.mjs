/* carried: three people, of whom the first and the last have no path to each other. */

import { fileURLToPath } from 'node:url';
import { until } from './until.mjs';

export const script = (name) => fileURLToPath(new URL(`./${name}`, import.meta.url));
export const SCRIPTS = [script('no-picker.js'), script('apart-rtc.js')];

const state = (one, other) => one.ask((name) => {
  const person = globalThis.klatchTest.call().room.people.find((who) => who.name === name);
  return person ? [person.state, person.via?.name ?? null] : [];
}, other.name);

/** Wait until both ends say so; their pages look again meanwhile, as they do by themselves in time. */
export function both(one, other, wanted, wake = false) {
  return until(`${one.name} and ${other.name} are ${wanted}`, async () => {
    if (wake) for (const who of [one, other]) await who.ask(() => globalThis.klatchTest.call().room.wake());
    const now = [await state(one, other), await state(other, one)];
    if (!now.every((pair) => String(pair) === String(wanted))) throw new Error(JSON.stringify(now));
    return true;
  }, 60_000, 1_000);
}

/** They have all come in, and the two reach each other through the second. */
export async function threeApart(here, t) {
  const people = await here.visitors(t, 3);
  const [one, third, other] = people;
  for (const who of people) await who.join();
  await both(one, third, ['connected', null]);
  await both(other, third, ['connected', null]);
  await both(one, other, ['no-path', third.name], true);
  await Promise.all(people.map((who) => who.openChat()));
  return people;
}

/** A line's network is better than the first guess. */
export function generous(one, bits) {
  return one.ask((value) => Object.defineProperty(globalThis.klatchTest.call().room.budget, 'bits', { value }) && null, bits);
}

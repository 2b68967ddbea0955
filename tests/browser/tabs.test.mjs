/* One browser, many tabs. */

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import test from 'node:test';
import { everybodyConnected, gathering } from './lib/gathering.mjs';
import { until } from './lib/until.mjs';

const here = gathering({ counted: true });

const button = ({ page }, name) => page.getByRole('button', { name, exact: true });
const idOf = (one) => one.ask(() => globalThis.klatchTest.call().room.self.id);

/** Two people in a call, and a second tab of the first one's before the same room. */
async function coupleAndTab(t) {
  const [one, other] = await here.people(t, 2);
  const second = await one.secondTab();
  second.room = one.room;
  await second.page.getByText('Your call in this room runs in another tab').waitFor();
  return { one, other, second };
}

test('a second tab takes the call over: the first ends in words, the others see the same person', async (t) => {
  const { one, other, second } = await coupleAndTab(t);
  const former = await idOf(one);
  const joined = [];
  await other.page.exposeFunction('heardOf', (what) => joined.push(what));
  await other.ask(() => {
    const { room } = globalThis.klatchTest.call();
    room.on('peer-left', ({ detail }) => globalThis.heardOf(`${detail.person.name} ${detail.reason}`));
  });
  await button(second, 'Take it over here').click();
  await second.inCall();
  await one.page.getByRole('heading', { name: 'The call goes on in another tab' }).waitFor();
  await everybodyConnected([second, other]);
  await other.seesMoving(second);
  await second.hears(other);
  assert.deepEqual(joined, [`${one.name} replaced`]);

  // Of two readers before and two after, one is the other person: the first tab reads no more.
  const { requests } = here.tally;
  const taken = requests.findLastIndex(({ room, what }) => room === one.room && what === 'join');
  const readers = (part) => new Set(part.filter(({ room, reads }) => room === one.room && reads).map(({ key }) => key));
  const [before, after] = [readers(requests.slice(0, taken)), readers(requests.slice(taken))];
  assert.deepEqual([before.size, after.size], [2, 2]);
  assert.equal([...after].filter((key) => before.has(key)).length, 1);
  assert.notEqual(await idOf(second), former);

  await button(one, 'Take it back').click();
  await one.inCall();
  await second.page.getByRole('heading', { name: 'The call goes on in another tab' }).waitFor();
  await everybodyConnected([one, other]);
});

test('a second tab may also join as another person', async (t) => {
  const { one, other, second } = await coupleAndTab(t);
  const former = await idOf(one);
  await button(second, 'Join as another person').click();
  await second.inCall();
  await until('three are connected', async () => {
    const lists = await Promise.all([one, other, second].map((who) => who.others()));
    return lists.every((list) => list.length === 2 && list.every((text) => text.endsWith(' connected')));
  }, 30_000);
  assert.equal(await idOf(one), former);
  assert.notEqual(await idOf(second), former);
});

/** Somebody who uses the room API from outside of a browser, over connections of their own. */
async function outsider(room) {
  const call = async (what, body) => {
    const response = await fetch(`${here.server.origin}/api/v1/rooms/${room}/${what}`, {
      method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body),
    });
    return response.json();
  };
  const { key, cursor } = await call('join', { name: 'outside' });
  let after = cursor;
  return {
    say: (text) => call('exchange', { key, send: [{ id: randomBytes(8).toString('hex'), type: 'chat', data: { text } }] }),
    /** Wait for a message of a type. */
    async get(type, limitMs) {
      const end = Date.now() + limitMs;
      while (Date.now() < end) {
        const { messages, next } = await call('exchange', { key, after, wait_ms: end - Date.now() });
        after = next;
        if (messages.some((message) => message.type === type)) return true;
      }
      throw new Error(`no ${type} came within ${limitMs} ms`);
    },
  };
}

test('eight tabs over HTTP/1.1: three polls are held, sends wait for none, everybody gets everything', async (t) => {
  const tabs = [];
  const [first] = await here.visitors(t, 1);
  for (let at = 0; at < 8; at += 1) {
    const tab = at === 0 ? first : await first.secondTab();
    tab.room = `tab-${at}-${randomBytes(6).toString('hex')}`;
    tabs.push(tab);
    await tab.page.evaluate((hash) => {
      globalThis.location.hash = hash;
    }, tab.room);
    await button(tab, 'Camera').click();
    await tab.join();
  }
  here.tally.heldMost = 0;
  for (const tab of tabs) await tab.openChat();
  const since = Date.now();
  // The tab hears of somebody by its poll, and offers them a connection by a send: far under a hold.
  await Promise.all(tabs.map(async (tab) => {
    const somebody = await outsider(tab.room);
    await somebody.get('offer', 20_000);
    await somebody.say(`for ${tab.room}`);
    await until('it is read', async () => (await tab.lines()).includes(`for ${tab.room}`), 20_000);
  }));
  t.diagnostic(`all had offers and lines within ${Date.now() - since} ms`);
  assert.ok(here.tally.heldMost <= 3, `${here.tally.heldMost} polls were held`);
  for (const tab of tabs) assert.deepEqual(await tab.lines(), [`for ${tab.room}`]);
});

import { FakeChannels, FakeLocks, quiet, until } from './lib/browserish.mjs';
import { FakeNet } from './lib/fake-rtc.mjs';
import { FakeServer } from './lib/fake-server.mjs';
import { allConnected, join, names } from './lib/people.mjs';
import { runsElsewhere } from '../../public_html/klatch/index.js';
import assert from 'node:assert/strict';
import test, { describe } from 'node:test';

async function world(t, clocks) {
  const server = await new FakeServer(clocks).start();
  t.after(() => server.stop());
  const [locks, channels] = [new FakeLocks(), new FakeChannels()];
  return { server, net: new FakeNet(), locks, channels, tab: (name) => ({ locks, channel: channels.for(name) }) };
}

const elsewhere = ({ server, locks }, room = 'tea') => runsElsewhere({ api: server.api, room, env: { locks } });

describe('tabs of one browser', { concurrency: true }, () => {
  test('a call is seen from another tab, that of another room and one that has ended are not', async (t) => {
    const here = await world(t);
    assert.equal(await elsewhere(here), false);
    const ann = await join(t, here.server, here.net, 'Ann', here.tab('first'));
    assert.equal(await elsewhere(here), true);
    assert.equal(await elsewhere(here, 'coffee'), false);
    assert.equal(await elsewhere(here, 'te'), false);
    await ann.room.leave();
    assert.equal(await elsewhere(here), false);
  });

  test('a page that is just being reloaded is no other tab', async (t) => {
    const here = await world(t);
    const ann = await join(t, here.server, here.net, 'Ann', here.tab('first'));
    setTimeout(() => ann.room.leave(), 300);
    assert.equal(await elsewhere(here), false);
  });

  test('a tab that takes a call over is the same person to the others, and the first one ends', async (t) => {
    const here = await world(t);
    const { server, net } = here;
    const bo = await join(t, server, net, 'Bo');
    const first = await join(t, server, net, 'Ann', here.tab('first'));
    await allConnected(first, bo);
    const former = first.room.self.id;
    const second = await join(t, server, net, 'Ann', { ...here.tab('second'), takeOver: true });
    assert.deepEqual(first.heard.out, ['taken-over']);
    assert.notEqual(second.room.self.id, former);
    await allConnected(second, bo);
    assert.deepEqual(names(bo), ['Ann']);
    assert.deepEqual(bo.heard.left, [['Ann', 'replaced']]);
    // Not one request under the first one's key once the second one has joined.
    const after = server.requests.findIndex(({ body }) => 'replaces' in body);
    const { replaces } = server.requests[after].body;
    assert.ok(server.requests.slice(0, after).some(({ body }) => body.key === replaces));
    assert.ok(server.requests.slice(after).every(({ body }) => body.key !== replaces));
    assert.equal(await elsewhere(here), true);
  });

  test('a call that was given up and taken by nobody is left', { timeout: 30_000 }, async (t) => {
    const here = await world(t);
    const { server, net } = here;
    const bo = await join(t, server, net, 'Bo');
    const first = await join(t, server, net, 'Ann', here.tab('first'));
    await allConnected(first, bo);
    server.fail(100, { status: 409, body: '{"code":"room-full"}' }, /join/);
    await assert.rejects(join(t, server, net, 'Ann', { ...here.tab('second'), takeOver: true }), { code: 'room-full' });
    assert.deepEqual(first.heard.out, ['taken-over']);
    await until('he sees that she is gone', () => bo.room.people.length === 0, 15_000);
  });

  test('a tab that stands still is not waited for, and ends when it wakes', async (t) => {
    const here = await world(t);
    const { server, net, channels } = here;
    const first = await join(t, server, net, 'Ann', here.tab('first'));
    channels.frozen.add('first');
    const second = await join(t, server, net, 'Ann', { ...here.tab('second'), takeOver: true });
    assert.equal(server.room('tea').members.size, 2);
    assert.deepEqual(first.heard.out, []);
    channels.wake('first');
    await until('it has ended', () => first.heard.out.length === 1);
    assert.deepEqual(first.heard.out, ['taken-over']);
    assert.deepEqual(second.heard.out, []);
  });

  test('without being asked to, a second tab is another person', async (t) => {
    const here = await world(t);
    const first = await join(t, here.server, here.net, 'Ann', here.tab('first'));
    const second = await join(t, here.server, here.net, 'Ann', here.tab('second'));
    await allConnected(first, second);
    await quiet(50);
    assert.deepEqual([first.heard.out, second.heard.out], [[], []]);
  });

  test('where a browser has neither locks nor channels nothing is taken over', async (t) => {
    const here = await world(t);
    const bare = { locks: null, channel: () => null };
    const first = await join(t, here.server, here.net, 'Ann', bare);
    assert.equal(await runsElsewhere({ api: here.server.api, room: 'tea', env: bare }), false);
    await join(t, here.server, here.net, 'Ann', { ...bare, takeOver: true });
    assert.deepEqual(first.heard.out, []);
  });
});

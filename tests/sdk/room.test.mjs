import { FakeTrack, quiet, until } from './lib/browserish.mjs';
import { FakeNet } from './lib/fake-rtc.mjs';
import { FakeServer } from './lib/fake-server.mjs';
import { allConnected, find, join, names } from './lib/people.mjs';
import { requests } from './lib/mailbox.mjs';
import { unwrap, wrap } from '../../public_html/klatch/seal.js';
import assert from 'node:assert/strict';
import test, { describe } from 'node:test';
import { isDeepStrictEqual } from 'node:util';

async function world(t, clocks) {
  const server = await new FakeServer(clocks).start();
  t.after(() => server.stop());
  return { server, net: new FakeNet() };
}

/** Everything that was mailed, opened. */
const mailed = (server) => requests(server, 'send').flatMap(({ body }) => body.send)
  .map(({ type, to, data }) => ({ type, to, body: unwrap(data).value }));

/** Use the HTTP API by hand. */
async function api(server, what, body) {
  const response = await fetch(`${server.api}/rooms/tea/${what}`, { method: 'POST', body: JSON.stringify(body),
    headers: { 'Content-Type': 'application/json' } });
  return response.json();
}

// They mostly wait.
describe('a room', { concurrency: 8 }, () => {
  test('three people who join one after another are all connected, with names and streams', async (t) => {
    const { server, net } = await world(t);
    const ann = await join(t, server, net, 'Ann');
    const bo = await join(t, server, net, 'Bo');
    const cy = await join(t, server, net, 'Cy');
    await allConnected(ann, bo, cy);
    assert.deepEqual(names(cy), ['Ann', 'Bo']);
    assert.deepEqual(names(ann), ['Bo', 'Cy']);
    assert.deepEqual(ann.heard.joined, ['Bo', 'Cy']);
    assert.equal(net.connections.length, 6);
    assert.deepEqual(find(cy, 'Ann').stream.getTracks().map(({ kind }) => kind).sort(), ['audio', 'video']);
  });

  test('five people who join at once are all connected', async (t) => {
    const { server, net } = await world(t);
    const people = await Promise.all(['A', 'B', 'C', 'D', 'E'].map((name) => join(t, server, net, name)));
    await allConnected(...people);
    assert.equal(net.connections.length, 20);
  });

  test('who joined earlier makes the offer', async (t) => {
    const { server, net } = await world(t);
    const ann = await join(t, server, net, 'Ann');
    const bo = await join(t, server, net, 'Bo');
    await allConnected(ann, bo);
    const offers = mailed(server).filter(({ type }) => type === 'offer');
    assert.deepEqual(offers.map(({ to }) => to), [bo.room.self.id]);
  });

  test('names and everything else go through the mailbox in an envelope', async (t) => {
    const { server, net } = await world(t);
    const people = [await join(t, server, net, 'Ann <b>'), await join(t, server, net, 'Bo')];
    await allConnected(...people);
    const bodies = JSON.stringify(server.requests.map(({ body }) => body));
    for (const word of ['Ann', 'ice-ufrag', 'instance']) assert.ok(!bodies.includes(word), word);
    for (const { data } of requests(server, 'send').flatMap(({ body }) => body.send)) {
      assert.deepEqual(Object.keys(data), ['u']);
    }
    assert.equal(find(people[1], 'Ann <b>').plain, false);
  });

  test('a line reaches everybody once, and the speaker as their own', async (t) => {
    const { server, net } = await world(t);
    const people = [];
    for (const name of ['Ann', 'Bo', 'Cy']) people.push(await join(t, server, net, name));
    await allConnected(...people);
    const before = requests(server, 'send').length;
    const message = people[0].room.say(' hello ');
    assert.deepEqual([message.text, message.mine, message.from], ['hello', true, people[0].room.self.id]);
    await until('all heard it', () => people.every(({ heard }) => heard.texts.length === 1));
    await quiet(50);
    for (const { heard } of people) assert.deepEqual(heard.texts, ['Ann: hello']);
    assert.equal(requests(server, 'send').length, before);
  });

  test('a line said before the channel is open comes when it is', async (t) => {
    const { server, net } = await world(t);
    const ann = await join(t, server, net, 'Ann');
    const bo = await join(t, server, net, 'Bo');
    bo.room.say('early');
    await until('it was heard', () => ann.heard.texts.length === 1);
    assert.deepEqual(ann.heard.texts, ['Bo: early']);
  });

  test('names, microphones and cameras are told over the channels', async (t) => {
    const { server, net } = await world(t);
    const [ann, bo] = [await join(t, server, net, 'Ann'), await join(t, server, net, 'Bo')];
    await allConnected(ann, bo);
    assert.deepEqual([find(bo, 'Ann').mic, find(bo, 'Ann').cam], [true, false]);
    const sent = requests(server, 'send').length;
    await ann.room.microphone(false);
    await ann.room.camera(true);
    ann.room.rename('  Anna ');
    const anna = await until('it was told', () => find(bo, 'Anna'));
    assert.deepEqual([anna.mic, anna.cam], [false, true]);
    assert.deepEqual(ann.room.self, { id: anna.id, name: 'Anna', mic: false, cam: true, screen: false, host: false });
    assert.equal(requests(server, 'send').length, sent);
  });

  test('tracks that come are sent and those that go are not, and nothing is negotiated', async (t) => {
    const { server, net } = await world(t);
    const [ann, bo] = [await join(t, server, net, 'Ann'), await join(t, server, net, 'Bo')];
    await allConnected(ann, bo);
    const sent = (number) => net.connections[number].getTransceivers().map(({ sender }) => sender.track);
    const described = () => net.connections.map(({ localDescription }) => localDescription.sdp);
    const before = described();
    assert.deepEqual([sent(0), sent(1)], [[null, null], [null, null]]);
    const [audio, video] = [new FakeTrack('audio'), new FakeTrack('video')];
    for (const one of [ann, bo]) {
      one.media.stream.addTrack(audio);
      one.media.stream.addTrack(video);
      await one.media.setCam(true);
    }
    await until('both are sent', () => [0, 1].every((number) => isDeepStrictEqual(sent(number), [audio, video])));
    ann.media.stream.removeTrack(video);
    await ann.room.camera(false);
    await until('the picture is taken back', () => sent(0)[1] === null);
    assert.deepEqual([sent(0), sent(1)], [[audio, null], [audio, video]]);
    assert.deepEqual(described(), before);
  });

  test('who hangs up is gone at once, without the server too', async (t) => {
    const { server, net } = await world(t);
    net.latencyMs = 50;
    const [ann, bo] = [await join(t, server, net, 'Ann'), await join(t, server, net, 'Bo')];
    await allConnected(ann, bo);
    server.away = true;
    server.cut();
    const leaving = bo.room.leave();
    await until('he is gone', () => ann.room.people.length === 0);
    assert.deepEqual(ann.heard.left, [['Bo', 'left']]);
    assert.deepEqual(bo.heard.out, ['left']);
    await leaving;
  });

  test('leaving twice is leaving once', async (t) => {
    const { server, net } = await world(t);
    const ann = await join(t, server, net, 'Ann');
    await Promise.all([ann.room.leave(), ann.room.leave()]);
    ann.room.destroy();
    assert.deepEqual(ann.heard.out, ['left']);
    assert.equal(requests(server, 'leave').length, 1);
  });

  test('a closed tab is shown as away and goes when its lease has ended', async (t) => {
    const { server, net } = await world(t, { soonMs: 600 });
    const [ann, bo] = [await join(t, server, net, 'Ann'), await join(t, server, net, 'Bo')];
    await allConnected(ann, bo);
    const bos = net.connections.find((connection) => connection.options && connection.other?.number === 0);
    const said = [];
    net.sent = (connection) => connection === bos && said.push(connection);
    const states = [];
    ann.room.on('peer-updated', ({ detail }) => states.push(detail.person.state));
    bo.page.dispatchEvent(new Event('pagehide'));
    await until('he has said it', () => said.length > 0);
    bos.close();
    await until('he is gone', () => ann.room.people.length === 0);
    assert.ok(states.includes('away'), states.join());
    assert.deepEqual(ann.heard.left, [['Bo', 'lapsed']]);
  });

  test('a reloaded page comes back in its own place, without a ghost', async (t) => {
    const { server, net } = await world(t);
    const ann = await join(t, server, net, 'Ann');
    const bo = await join(t, server, net, 'Bo');
    const cy = await join(t, server, net, 'Cy');
    await allConnected(ann, bo, cy);
    const { storage } = bo;
    bo.page.dispatchEvent(new Event('pagehide'));
    // What the end of the page does: its locks are free, its connections gone.
    const again = await join(t, server, net, 'Bo', { storage });
    await allConnected(ann, again, cy);
    assert.deepEqual(names(ann), ['Bo', 'Cy']);
    assert.deepEqual(ann.heard.left, [['Bo', 'replaced']]);
  });

  test('who the server holds for gone stays as long as they are heard', async (t) => {
    const { server, net } = await world(t, { graceMs: 60_000 });
    const [ann, bo] = [await join(t, server, net, 'Ann'), await join(t, server, net, 'Bo')];
    await allConnected(ann, bo);
    const member = server.room('tea').members.get(bo.room.self.id);
    server.room('tea').post(null, null, 'peer-left', { peer: member.peer, reason: 'lapsed' });
    await quiet(2500);
    assert.equal(find(ann, 'Bo')?.state, 'connected');
    net.cut = () => true;
    net.look();
    await until('he is gone', () => ann.room.people.length === 0);
    assert.deepEqual(ann.heard.left, [['Bo', 'lapsed']]);
  });

  for (const latencyMs of [0, 400]) {
    test(`a server that forgot everything changes nobody: connections go on (channels of ${latencyMs} ms)`,
      (t) => forgotten(t, latencyMs));
  }

  async function forgotten(t, latencyMs) {
    const { server, net } = await world(t);
    net.latencyMs = latencyMs;
    const people = [];
    for (const name of ['Ann', 'Bo', 'Cy']) people.push(await join(t, server, net, name));
    await allConnected(...people);
    const before = people.map(({ room }) => room.self.id);
    server.forget();
    const knows = (one, other) => one === other || one.room.people.some(({ id }) => id === other.room.self.id);
    await until('all have new ids', () => people.every(({ room }, at) => room.self.id !== before[at]));
    await until('all know the others by them', () => people.every((one) => people.every((other) => knows(one, other))));
    await quiet(300);
    assert.equal(net.connections.length, 6);
    for (const one of people) {
      assert.deepEqual(one.room.counts, { connected: 2, others: 2 });
      assert.deepEqual(one.heard.left, []);
    }
    const dan = await join(t, server, net, 'Dan');
    await allConnected(...people, dan);
  }

  test('who joins anew while the server still lists them as before is one person, connected as before', async (t) => {
    const { server, net } = await world(t);
    const [ann, bo] = [await join(t, server, net, 'Ann'), await join(t, server, net, 'Bo')];
    await allConnected(ann, bo);
    const before = bo.room.self.id;
    const { keys } = server.room('tea');
    for (const [key, { member }] of keys) if (member.peer === before) keys.delete(key);
    server.cut();
    await until('he has another id', () => bo.room.self.id !== before);
    await until('she knows it', () => ann.room.people[0].id === bo.room.self.id);
    assert.deepEqual([names(ann), names(bo)], [['Bo'], ['Ann']]);
    server.room('tea').post(null, null, 'peer-left', { peer: before, reason: 'lapsed' });
    await quiet(300);
    assert.deepEqual([names(ann), names(bo)], [['Bo'], ['Ann']]);
    assert.deepEqual([ann.room.counts.connected, bo.room.counts.connected, net.connections.length], [1, 1, 2]);
    bo.room.say('still here');
    await until('it was heard', () => ann.heard.texts.length === 1);
  });

  test('a newcomer after the server was away is connected', async (t) => {
    const { server, net } = await world(t);
    const [ann, bo] = [await join(t, server, net, 'Ann'), await join(t, server, net, 'Bo')];
    await allConnected(ann, bo);
    server.away = true;
    server.cut();
    await until('it is away', () => ann.room.server === 'away');
    assert.deepEqual(ann.room.counts, { connected: 1, others: 1 });
    server.away = false;
    const cy = await join(t, server, net, 'Cy');
    await until('all are connected', () => [ann, bo, cy].every(({ room }) => room.counts.connected === 2));
    assert.deepEqual(ann.heard.server, ['away', 'online']);
  });

  test('after a gap the list is as the server has it: who is gone goes, who is new is connected', async (t) => {
    const { server, net } = await world(t, { holdMs: 300 });
    const [ann, bo] = [await join(t, server, net, 'Ann'), await join(t, server, net, 'Bo')];
    await allConnected(ann, bo);
    const room = server.room('tea');
    const post = room.post.bind(room);
    // Nobody is told of these two.
    room.post = (from, to, type, ...more) => (type.startsWith('peer-') ? room.seq : post(from, to, type, ...more));
    net.cut = (one, other) => Math.max(one.number, other.number) < 2;
    await bo.room.leave();
    await join(t, server, net, 'Cy');
    assert.equal(find(ann, 'Cy'), undefined);
    room.post = post;
    room.epoch = 'another';
    await until('the newcomer is there', () => find(ann, 'Cy')?.state === 'connected');
    await until('who is not heard any more is gone', () => names(ann).join() === 'Cy');
  });

  test('a page that hides and comes back is no longer taken to be leaving', async (t) => {
    const { server, net } = await world(t, { soonMs: 60_000 });
    const [ann, bo] = [await join(t, server, net, 'Ann'), await join(t, server, net, 'Bo')];
    await allConnected(ann, bo);
    bo.page.dispatchEvent(new Event('pagehide'));
    await quiet(50);
    bo.page.dispatchEvent(new Event('pageshow'));
    await quiet(50);
    server.room('tea').post(null, null, 'peer-left', { peer: bo.room.self.id, reason: 'lapsed' });
    await quiet(200);
    assert.equal(find(ann, 'Bo')?.state, 'connected');
  });

  test('a change of network restarts what still seems to work, by the mailbox', async (t) => {
    const { server, net } = await world(t);
    const [ann, bo] = [await join(t, server, net, 'Ann'), await join(t, server, net, 'Bo')];
    await allConnected(ann, bo);
    const before = net.connections.map(({ ufrag }) => ufrag);
    const offers = () => mailed(server).filter(({ type }) => type === 'offer').length;
    assert.equal(offers(), 1);
    for (const { page } of [ann, bo]) page.dispatchEvent(new Event('online'));
    await until('a new path was offered', () => offers() >= 2);
    await until('both go by it', () => net.connections.every(({ ufrag }, at) => ufrag !== before[at]));
    await allConnected(ann, bo);
  });

  test('a lost path is mended by a restart, on the same connection', { timeout: 30_000 }, async (t) => {
    const { server, net } = await world(t);
    const [ann, bo] = [await join(t, server, net, 'Ann'), await join(t, server, net, 'Bo')];
    await allConnected(ann, bo);
    net.cut = () => true;
    net.look();
    await until('it is seen', () => find(ann, 'Bo').state === 'reconnecting');
    net.cut = (one) => one.ufrag.endsWith('g0');
    await until('it is mended', () => ann.room.counts.connected === 1 && bo.room.counts.connected === 1);
    assert.equal(net.connections.length, 2);
  });

  test('after two failures a new connection takes the place of the old one', { timeout: 60_000 }, async (t) => {
    const { server, net } = await world(t);
    const [ann, bo] = [await join(t, server, net, 'Ann'), await join(t, server, net, 'Bo')];
    await allConnected(ann, bo);
    const { stream } = find(ann, 'Bo');
    const states = [];
    ann.room.on('peer-updated', ({ detail }) => states.push(detail.person.state));
    net.cut = (one, other) => Math.min(one.number, other.number) < 2;
    net.look();
    await until('a new one is there', () => net.connections.length >= 4, 40_000);
    await allConnected(ann, bo);
    assert.equal(net.connections.length, 4);
    assert.ok(states.includes('no-path'), states.join());
    assert.equal(find(ann, 'Bo').stream, stream);
    assert.equal(stream.getTracks().length, 2);
  });

  test('an offer for another page load, and a candidate of another connection, are dropped', async (t) => {
    const { server, net } = await world(t);
    const [ann, bo] = [await join(t, server, net, 'Ann'), await join(t, server, net, 'Bo')];
    await allConnected(ann, bo);
    const room = server.room('tea');
    const { body } = mailed(server).find(({ type }) => type === 'offer');
    const from = ann.room.self.id;
    room.post(from, bo.room.self.id, 'offer', wrap({ ...body, to: 'another', conn: 'new' }));
    room.post(from, bo.room.self.id, 'offer', wrap({ ...body, from: 'another', conn: 'new' }));
    room.post(from, bo.room.self.id, 'candidate', wrap({ ...body, conn: 'new', candidate: { candidate: 'x' } }));
    room.post(from, bo.room.self.id, 'offer', { ...body, conn: 'plain' });
    await quiet(200);
    assert.equal(net.connections.length, 2);
    assert.deepEqual(bo.room.counts, { connected: 1, others: 1 });
  });

  test('candidates that come before their description are kept for it', async (t) => {
    const { server, net } = await world(t);
    const room = server.room('tea');
    const post = room.post.bind(room);
    const order = [];
    const late = new Map();
    // Candidates overtake every description on this server.
    room.post = (from, to, type, data) => {
      const deliver = () => {
        order.push(type);
        return post(from, to, type, data);
      };
      if (type === 'offer' || type === 'answer') {
        late.set(from, deliver);
        return 0;
      }
      const seq = deliver();
      if (type === 'candidate' && late.has(from)) {
        late.get(from)();
        late.delete(from);
      }
      return seq;
    };
    const [ann, bo] = [await join(t, server, net, 'Ann'), await join(t, server, net, 'Bo')];
    await allConnected(ann, bo);
    assert.ok(order.indexOf('candidate') < order.indexOf('offer'));
    assert.ok(net.connections.every(({ candidates }) => candidates.length > 0));
  });

  test('a user of the HTTP API is shown as plain and can be read', async (t) => {
    const { server, net } = await world(t);
    const ann = await join(t, server, net, 'Ann');
    const { key } = await api(server, 'join', { name: 'curl' });
    const person = await until('it is there', () => find(ann, 'curl'));
    assert.equal(person.plain, true);
    const send = [{ id: '1', type: 'chat', data: { text: 'hello' } }, { id: '2', type: 'chat', data: 'again' }];
    await api(server, 'exchange', { key, send });
    await until('it was heard', () => ann.heard.texts.length === 2);
    assert.deepEqual(ann.heard.texts, ['curl: hello', 'curl: again']);
  });

  test('odd words from others break nothing', async (t) => {
    const { server, net } = await world(t);
    const [ann, bo] = [await join(t, server, net, 'Ann'), await join(t, server, net, 'Bo')];
    await allConnected(ann, bo);
    const room = server.room('tea');
    for (const type of ['offer', 'answer', 'candidate', 'again', 'chat', 'odd']) {
      for (const data of [null, 7, 'x', [], {}, { u: '!' }, wrap(null), wrap(7), wrap({ conn: 7 }), { s: 'x' }]) {
        room.post(bo.room.self.id, ann.room.self.id, type, data);
      }
    }
    for (const data of [null, 7, {}, { peer: 7 }, { peer: 'nobody' }]) {
      for (const type of ['peer-joined', 'peer-left', 'peer-updated', 'room-updated', 'later']) {
        if (typeof data?.peer === 'string' && type !== 'peer-left') continue;
        room.post(null, null, type, data ?? {});
      }
    }
    bo.room.say('still here');
    await until('it was heard', () => ann.heard.texts.length >= 1);
    assert.deepEqual(names(ann), ['Bo']);
    assert.deepEqual(ann.room.counts, { connected: 1, others: 1 });
  });

  test('two rooms on one page do not know of each other', async (t) => {
    const { server, net } = await world(t);
    const page = new EventTarget();
    const tea = await join(t, server, net, 'Ann', { room: 'tea', page });
    const coffee = await join(t, server, net, 'Ann', { room: 'coffee', page, storage: tea.storage, locks: tea.locks });
    const bo = await join(t, server, net, 'Bo', { room: 'tea' });
    const cy = await join(t, server, net, 'Cy', { room: 'coffee' });
    await allConnected(tea, bo);
    await allConnected(coffee, cy);
    await coffee.room.leave();
    bo.room.say('here');
    await until('it was heard', () => tea.heard.texts.length === 1);
    assert.deepEqual(coffee.heard.texts, []);
  });

  test('a name is cut to what fits', async (t) => {
    const { server, net } = await world(t);
    const ann = await join(t, server, net, `  ${'x'.repeat(100)}`);
    assert.equal(ann.room.self.name, 'x'.repeat(64));
  });

  for (const [room, code] of [
    ['', 'bad-link'],
    ['a b', 'bad-link'],
    ['x'.repeat(65), 'bad-link'],
    ['tea.short', 'bad-link'],
  ]) {
    test(`the room '${room.slice(0, 30)}' is refused before anything is asked (${code})`, async (t) => {
      const { server, net } = await world(t);
      await assert.rejects(join(t, server, net, 'Ann', { room }), { code });
      assert.equal(server.requests.length, 0);
    });
  }

  test('without WebRTC joining says so', async (t) => {
    const { server, net } = await world(t);
    await assert.rejects(join(t, server, net, 'Ann', { rtc: undefined }), { code: 'no-webrtc' });
  });
});

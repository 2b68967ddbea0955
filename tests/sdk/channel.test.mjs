// Channels of an application between the pages of a room.
import { quiet, until } from './lib/browserish.mjs';
import { apart } from './lib/apart.mjs';
import { FakeNet } from './lib/fake-rtc.mjs';
import { FakeServer } from './lib/fake-server.mjs';
import { allConnected, find, join } from './lib/people.mjs';
import { Channel } from '../../public_html/klatch/channel.js';
import assert from 'node:assert/strict';
import test from 'node:test';

const SECRET = 'abcdefghijklmnopqrstuv';

async function world(t, names, options = {}) {
  const server = await new FakeServer().start();
  t.after(() => server.stop());
  const net = new FakeNet();
  const people = [];
  for (const name of names) people.push(await join(t, server, net, name, { data: true, ...options }));
  await allConnected(...people);
  return { server, net, people };
}

/** Open a channel; what comes lies in `heard`, by [name, data], and who came and went in `came`. */
async function open({ room }, name = 'game', options = {}) {
  const channel = await room.channel(name, options);
  const heard = [];
  const came = [];
  channel.on('message', ({ detail }) => heard.push([detail.person.name, detail.data]));
  channel.on('open', ({ detail }) => came.push(`+${detail.person.name}`));
  channel.on('close', ({ detail }) => came.push(`-${detail.person.name} ${detail.reason}`));
  return { channel, heard, came };
}

const all = (count, ...ends) => until('all have it open', () => ends.every(({ channel }) => channel.people.length === count));

async function pair(t, options, more) {
  const { people, net, server } = await world(t, ['Ann', 'Bo'], more);
  const [ann, bo] = [await open(people[0], 'game', options), await open(people[1], 'game', options)];
  await all(1, ann, bo);
  return { net, server, people, ann, bo };
}

test('a channel opened on all sides, in any order, carries what each says to all the others and to one alone', async (t) => {
  const { people } = await world(t, ['Ann', 'Bo', 'Cy']);
  const ann = await open(people[0]);
  ann.channel.send('nobody has it open');
  const cy = await open(people[2]);
  await all(1, ann, cy);
  assert.deepEqual(ann.channel.send({ x: 1, y: [2, null, 'ü'] }), []);
  const bo = await open(people[1]);
  await all(2, ann, bo, cy);
  bo.channel.send('to all');
  assert.deepEqual(ann.channel.send('to Bo', find(people[0], 'Bo')), []);
  await until('it arrives', () => cy.heard.length === 2 && bo.heard.length === 1 && ann.heard.length === 1);
  assert.deepEqual(cy.heard, [['Ann', { x: 1, y: [2, null, 'ü'] }], ['Bo', 'to all']]);
  assert.deepEqual(bo.heard, [['Ann', 'to Bo']]);
  assert.deepEqual(ann.heard, [['Bo', 'to all']]);
  assert.deepEqual([ann.came, bo.came.sort()], [['+Cy', '+Bo'], ['+Ann', '+Cy']]);
});

test('who joins later finds the channel that the others have open', async (t) => {
  const { people, server, net } = await world(t, ['Ann', 'Bo']);
  const [ann, bo] = [await open(people[0]), await open(people[1])];
  const cy = await open(await join(t, server, net, 'Cy', { data: true }));
  await all(2, ann, bo, cy);
  cy.channel.send(1);
  await until('both hear', () => ann.heard.length + bo.heard.length === 2);
});

test('two channels are apart, and the same name twice is the same one', async (t) => {
  const { people, ann, bo } = await pair(t);
  const other = { ann: await open(people[0], 'other', { ordered: false }), bo: await open(people[1], 'other', { maxRetransmits: 0 }) };
  await all(1, other.ann, other.bo);
  other.ann.channel.send('other');
  ann.channel.send('game');
  other.bo.channel.send('back');
  await until('all arrives', () => bo.heard.length + other.bo.heard.length + other.ann.heard.length === 3);
  assert.deepEqual([bo.heard, other.bo.heard, other.ann.heard], [[['Ann', 'game']], [['Ann', 'other']], [['Bo', 'back']]]);
  assert.equal(await people[0].room.channel('game'), ann.channel);
  await assert.rejects(people[0].room.channel('game', { ordered: false }), { code: 'bad-channel' });
});

test('who listens late for who opens it is told of who has it open', async (t) => {
  const { ann } = await pair(t);
  const told = [];
  ann.channel.addEventListener('open', ({ detail }) => told.push([detail.person.name, detail.already]));
  await quiet(1);
  assert.deepEqual(told, [['Bo', true]]);
});

for (const [what, data] of [['bytes', new Uint8Array([0, 1, 255])], ['an ArrayBuffer', new Uint8Array([7]).buffer],
  ['a view', new Uint16Array([513])], ['no bytes', new Uint8Array()]]) {
  test(`${what} arrive as bytes, as they were when they were sent`, async (t) => {
    const { ann, bo } = await pair(t);
    const wanted = [...new Uint8Array(data.buffer ?? data)];
    ann.channel.send(data);
    new Uint8Array(data.buffer ?? data).fill(9);
    await until('they arrive', () => bo.heard.length === 1);
    assert.ok(bo.heard[0][1] instanceof Uint8Array);
    assert.deepEqual([...bo.heard[0][1]], wanted);
  });
}

test('what is not defined arrives as null, and the largest message arrives', async (t) => {
  const { ann, bo } = await pair(t);
  ann.channel.send(undefined);
  ann.channel.send('x'.repeat(59_998));
  ann.channel.send(new Uint8Array(60_000));
  await until('they arrive', () => bo.heard.length === 3);
  assert.deepEqual(bo.heard.map(([, data]) => data?.length ?? data), [null, 59_998, 60_000]);
});

test('more than a message may hold is refused before anything goes', async (t) => {
  const { ann, bo } = await pair(t);
  assert.throws(() => ann.channel.send('x'.repeat(59_999)), { name: 'KlatchProblem', code: 'message-too-large' });
  assert.throws(() => ann.channel.send('ü'.repeat(30_000)), { code: 'message-too-large' });
  assert.throws(() => ann.channel.send(new Uint8Array(60_001)), { code: 'message-too-large' });
  await assert.rejects(ann.channel.request(ann.channel.people[0], 'x'.repeat(60_000)), { code: 'message-too-large' });
  assert.throws(() => ann.channel.send(1n), TypeError);
  ann.channel.send('small');
  await until('the next arrives', () => bo.heard.length === 1);
});

for (const [name, options] of [[''], ['x'.repeat(65)], [undefined], [7], ['a', { ordered: 'no' }], ['a', { maxRetransmits: -1 }],
  ['a', { maxRetransmits: 0.5 }], ['a', { maxRetransmits: 65_536 }]]) {
  test(`${JSON.stringify([name, options])} is no channel, and that is said in a sentence`, async (t) => {
    const { people: [ann] } = await world(t, ['Ann']);
    await assert.rejects(ann.room.channel(name, options), (error) => {
      assert.equal(error.code, 'bad-channel');
      assert.match(error.message, /1 to 64 characters/);
      return true;
    });
  });
}

test('a room takes sixty-four channels, and a closed one of the same kind makes no more', async (t) => {
  const { people: [ann] } = await world(t, ['Ann']);
  for (let i = 0; i < 70; i += 1) (await ann.room.channel('again')).close();
  for (let i = 1; i < 64; i += 1) await ann.room.channel(`c${i}`);
  await assert.rejects(ann.room.channel('c64'), { code: 'bad-channel' });
});

test('closing is told to the others, ends everything here, and the channel can be opened again', async (t) => {
  const { people, ann, bo } = await pair(t);
  const over = [];
  ann.channel.on('closed', ({ detail }) => over.push(detail.reason));
  const asked = ann.channel.request(ann.channel.people[0], 'never answered');
  ann.channel.close();
  ann.channel.close();
  await assert.rejects(asked, { code: 'channel-closed' });
  assert.throws(() => ann.channel.send(1), { code: 'channel-closed' });
  await assert.rejects(ann.channel.drained(), { code: 'channel-closed' });
  await until('Bo is told', () => bo.came.length === 2);
  assert.deepEqual([over, bo.came, bo.channel.people], [['closed'], ['+Ann', '-Ann closed'], []]);
  assert.deepEqual(bo.channel.send('not carried', people[1].room.people[0]), [people[1].room.people[0]]);
  const again = await open(people[0]);
  assert.notEqual(again.channel, ann.channel);
  await all(1, again, bo);
  bo.channel.send('hello again');
  again.channel.send('and back');
  await until('both arrive', () => again.heard.length + bo.heard.length === 2);
  assert.deepEqual(ann.heard, []);
});

test('leaving the room closes its channels, and none is opened afterwards', async (t) => {
  const { people, ann, bo } = await pair(t);
  const over = [];
  ann.channel.on('closed', ({ detail }) => over.push(detail.reason));
  await people[0].room.leave();
  await until('Bo is told', () => bo.came.length === 2);
  assert.deepEqual([over, bo.came, bo.channel.people], [['left'], ['+Ann', '-Ann left'], []]);
  await assert.rejects(people[0].room.channel('game'), { code: 'channel-closed' });
  const { people: [cy] } = await world(t, ['Cy']);
  await cy.room.leave();
  await assert.rejects(cy.room.channel('game'), { code: 'channel-closed' });
});

test('a request is answered by whom it was asked, by a value, a promise or bytes', async (t) => {
  const { people, ann, bo } = await pair(t);
  bo.channel.on('request', ({ detail: { person, data, answer } }) => {
    answer(data === 'bytes' ? new Uint8Array([1, 2]) : data === 'later' ? quiet(5).then(() => 'now') : [person.name, data]);
    answer('the first counts');
  });
  const [person] = people[0].room.people;
  const ask = (data) => ann.channel.request(person, data);
  const answers = await Promise.all([ask('later'), ask({ a: 1 }), ask('bytes'), ask(undefined)]);
  assert.deepEqual(answers, ['now', ['Ann', { a: 1 }], new Uint8Array([1, 2]), ['Ann', null]]);
  assert.deepEqual(bo.heard, [], 'a request is no message');
});

test('a request waits until the other page has the channel open', async (t) => {
  const { people } = await world(t, ['Ann', 'Bo']);
  const ann = await open(people[0]);
  const answer = ann.channel.request(people[0].room.people[0], 2);
  const bo = await people[1].room.channel('game');
  bo.on('request', ({ detail }) => detail.answer(detail.data * 2));
  assert.equal(await answer, 4);
});

test('a request that is refused, fails, is late, called off or asked of nobody ends with a code of its own', async (t) => {
  const { people, ann, bo } = await pair(t);
  bo.channel.on('request', ({ detail: { data, answer, refuse } }) => {
    if (data === 'refuse') refuse('not today');
    if (data === 'throw') answer(Promise.reject(new Error('no luck')));
    if (data === 'large') answer('x'.repeat(60_000));
  });
  const [person] = people[0].room.people;
  const ends = async (data, options) => {
    const error = await ann.channel.request(person, data, options).catch((one) => one);
    return [error.code, error.detail, error.message.length > 20];
  };
  assert.deepEqual(await ends('refuse'), ['request-failed', 'not today', true]);
  assert.deepEqual(await ends('throw'), ['request-failed', 'no luck', true]);
  assert.equal((await ends('large'))[0], 'request-failed');
  assert.deepEqual(await ends('nothing', { timeout: 20 }), ['request-timeout', '', true]);
  const stop = new AbortController();
  setTimeout(() => stop.abort(new Error('enough')), 5);
  assert.equal((await ends('nothing', { signal: stop.signal }))[0], 'aborted');
  const error = await ann.channel.request(person, 1, { signal: AbortSignal.abort('before') }).catch((one) => one);
  assert.deepEqual([error.code, error.cause], ['aborted', 'before']);
  const late = ends('nothing');
  await people[1].room.leave();
  assert.ok(['peer-not-found', 'not-connected'].includes((await late)[0]));
  assert.equal((await ends('nothing'))[0], 'peer-not-found');
});

test('what waits for somebody is told, what is too much is not carried, and who waits for it goes on', async (t) => {
  const { net, people, ann, bo } = await pair(t);
  net.latencyMs = 100;
  const drains = [];
  ann.channel.on('drain', () => drains.push(ann.channel.buffered));
  await ann.channel.drained();
  const big = 'x'.repeat(50_000);
  let taken = 0;
  while (ann.channel.send(big).length === 0) taken += 1;
  assert.ok(taken > 20 && taken < 25, `${taken}`);
  assert.ok(ann.channel.buffered > 1_000_000);
  assert.deepEqual(ann.channel.send('no more'), people[0].room.people);
  await ann.channel.drained();
  assert.ok(ann.channel.buffered <= 256 * 1024);
  assert.equal(drains.length, 1);
  assert.deepEqual(ann.channel.send('goes'), []);
  await until('all that was taken arrives', () => bo.heard.length === taken + 1, 10_000);
  assert.deepEqual(bo.heard.at(-1), ['Ann', 'goes']);
});

test('where messages may be lost, what is too much for the line is not carried', async (t) => {
  const { net, people, ann, bo } = await pair(t, { ordered: false, maxRetransmits: 0 });
  ann.channel.send('first');
  await until('they listen', () => bo.heard.length === 1);
  net.latencyMs = 100;
  const big = 'x'.repeat(50_000);
  assert.deepEqual([big, big, big].map((data) => ann.channel.send(data).length), [0, 0, 1]);
  await ann.channel.drained();
  assert.deepEqual(ann.channel.send('goes'), []);
  net.cut = () => true;
  net.look();
  await until('the connection is lost', () => people[0].room.people[0].state === 'reconnecting');
  assert.deepEqual(ann.channel.send('lost'), people[0].room.people);
  assert.deepEqual(ann.channel.people, people[0].room.people, 'they are still in it');
});

for (const options of [{}, { ordered: false }]) {
  test(`what is said while the connection is replaced arrives once (${JSON.stringify(options)})`, async (t) => {
    const { net, people, ann, bo } = await pair(t, options);
    const made = net.connections.length;
    ann.channel.send(0);
    await until('the first is there', () => bo.heard.length === 1);
    net.cut = () => true;
    net.look();
    // Some of this is on its way when the path is gone, some is said after it.
    for (let i = 1; i <= 5; i += 1) ann.channel.send(i);
    bo.channel.send('from the other side');
    await until('it is noticed', () => people.every(({ room }) => room.people[0].state === 'reconnecting'));
    for (let i = 6; i <= 9; i += 1) assert.deepEqual(ann.channel.send(i), []);
    const answer = ann.channel.request(people[0].room.people[0], 'how are you', { timeout: 30_000 });
    bo.channel.on('request', ({ detail }) => detail.answer('well'));
    net.cut = (a, b) => net.connections.indexOf(a) < made || net.connections.indexOf(b) < made;
    const waking = setInterval(() => people[0].page.dispatchEvent(new Event('pageshow')), 300);
    t.after(() => clearInterval(waking));
    await until('all is there', () => bo.heard.length === 10 && ann.heard.length === 1, 20_000);
    assert.deepEqual(bo.heard.map(([, data]) => data), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert.equal(await answer, 'well');
    assert.ok(net.connections.length > made);
    assert.deepEqual([ann.came, bo.came], [['+Bo'], ['+Ann']]);
    await until('all is confirmed', () => ann.channel.buffered === 0);
  });
}

test('where there is no path nothing is carried, which is told, and with a path the channel is open again', async (t) => {
  const two = await apart(t, { who: ['Ann', 'Bo', 'Cy'], cut: [['Ann', 'Bo']] });
  const ann = await open(two.people.Ann);
  const bo = await open(two.people.Bo);
  const cy = await open(two.people.Cy);
  await until('Cy has both', () => cy.channel.people.length === 2);
  assert.deepEqual(ann.channel.people.map(({ name }) => name), ['Cy']);
  const person = find(two.people.Ann, 'Bo');
  assert.deepEqual(ann.channel.send('to Bo', person), [person]);
  ann.channel.send('to all');
  await until('Cy hears', () => cy.heard.length === 1);
  await two.mend();
  await all(2, ann, bo, cy);
  ann.channel.send('now');
  await until('Bo hears', () => bo.heard.length === 1);
  assert.deepEqual(bo.heard, [['Ann', 'now']]);
});

/** One end of a channel with somebody who is not there, whose words the test says. */
function alone(graceMs) {
  let words = 0;
  const person = { name: 'Bo', state: 'connected' };
  const data = new Map();
  const said = [];
  const member = { person, instance: 'b', connected: true, beating: true, sayDirect: (value) => said.push(value),
    beside: (label, id) => {
      if (!data.has(id)) data.set(id, Object.assign(new EventTarget(), { readyState: 'open', bufferedAmount: 0, sent: [], send(one) { this.sent.push(one); } }));
      return data.get(id);
    } };
  const channel = new Channel({ name: 'game', number: 0, init: { ordered: true }, mine: 'a', word: () => `${words += 1}`, members: () => [member], ended: () => {}, graceMs });
  const came = [];
  channel.on('open', () => came.push('open'));
  channel.on('close', ({ detail }) => came.push(detail.reason));
  channel.opened(member);
  channel.told(member, { t: 'channel', name: 'game', id: 17, s: 'x', ordered: true });
  const ready = () => channel.told(member, { t: 'channel-ready', name: 'game', s: said.findLast(({ t }) => t === 'channel').s });
  ready();
  return { channel, member, person, said, came, ready, data, out: data.get(16) };
}

test('without a path for a moment nothing is given up; the former connection is told anew and goes on', async () => {
  const { channel, member, person, said, came, ready, out } = alone(60_000);
  channel.send('one');
  Object.assign(person, { state: 'no-path' });
  member.connected = false;
  channel.updated(member);
  channel.updated(member);
  assert.deepEqual(channel.send('two'), []);
  Object.assign(person, { state: 'connected' });
  member.connected = true;
  said.length = 0;
  channel.updated(member);
  assert.deepEqual(said.map(({ t }) => t), ['channel']);
  out.sent.length = 0;
  ready();
  assert.deepEqual(out.sent.map((text) => JSON.parse(text)), [{ n: 1, d: 'one' }, { n: 2, d: 'two' }]);
  ready();
  assert.equal(out.sent.length, 2, 'said twice it is given once');
  channel.updated(member);
  assert.deepEqual([said.length, came], [1, ['open']]);
  channel.close();
});

test('what came is confirmed later where the line is full, each number once', async (t) => {
  const { channel, data } = alone(60_000);
  t.after(() => channel.close());
  const theirs = data.get(17);
  const heard = [];
  channel.on('message', ({ detail }) => heard.push(detail.data));
  let tries = 0;
  let full = true;
  theirs.send = (text) => {
    tries += 1;
    if (full) throw new DOMException('send queue is full', 'OperationError');
    theirs.sent.push(JSON.parse(text));
  };
  const come = (n) => theirs.dispatchEvent(Object.assign(new Event('message'), { data: JSON.stringify({ n, d: n }) }));
  come(1);
  come(2);
  await until('it is tried', () => tries === 1);
  await until('it is tried again', () => tries === 2);
  come(3);
  full = false;
  await until('all are confirmed', () => theirs.sent.length > 0);
  assert.deepEqual([theirs.sent, heard], [[{ k: [1, 2, 3] }], [1, 2, 3]]);
});

test('without a path for long it is told, what waited is given up, and a request with it', async () => {
  const { channel, member, person, came } = alone(10);
  Object.assign(person, { state: 'no-path' });
  channel.updated(member);
  channel.send('one');
  const asked = channel.request(person, 'you');
  await assert.rejects(asked, { code: 'not-connected' });
  assert.deepEqual([came, channel.people, channel.buffered], [['open', 'no-path'], [], 0]);
  assert.deepEqual(channel.send('two', person), [person]);
  // The same page, with numbers of its own from one on again.
  channel.told(member, { t: 'channel', name: 'game', id: 17, s: 'y', ordered: true });
  assert.deepEqual(came, ['open', 'no-path', 'open']);
  channel.told(member, { t: 'channel', name: 'game', id: 17, s: 'z', ordered: true });
  assert.deepEqual(came.slice(3), ['no-path', 'open'], 'they gave up what they had sent');
  channel.close();
});

test('in a sealed room channels work, and nothing of them is mailed', async (t) => {
  const { server, ann, bo } = await pair(t, {}, { room: `tea.${SECRET}` });
  const before = server.requests.length;
  ann.channel.send('between us');
  await until('it arrives', () => bo.heard.length === 1);
  assert.equal(server.requests.slice(before).filter(({ body }) => body.send).length, 0);
});

test('what somebody makes up on a channel is not believed, and harms nothing', async (t) => {
  const { net, ann, bo } = await pair(t);
  const odd = ['', '{', 'null', '7', '[]', '{"n":-1,"d":1}', '{"n":"1","d":1}', '{"q":0,"d":1}', '{"k":7}', '{"k":[1,"x",null]}',
    '{"a":99,"d":1}', `{"d":"${'x'.repeat(70_000)}"}`];
  const channels = net.connections.flatMap((pc) => [...pc.channels.values()]).filter(({ id }) => id >= 16);
  assert.equal(channels.length, 4);
  const hear = (channel, data) => channel.dispatchEvent(Object.assign(new Event('message'), { data }));
  for (const channel of channels) {
    for (const data of odd) hear(channel, data);
    for (const bytes of [[], [0], [0, 9, 1], [255, 255, 123, 125], [0, 2, 91, 93]]) hear(channel, new Uint8Array(bytes).buffer);
  }
  await quiet(60);
  assert.deepEqual([ann.heard, bo.heard], [[], []]);
  const words = [{}, { id: 15 }, { id: 16.5 }, { id: 144 }, { id: 1, s: 'x' }, { id: 16 }, { id: 17 }, { id: 16, s: '' },
    { id: 17, s: 'x'.repeat(33) }, { id: 16, s: 7 }];
  for (const more of words) {
    for (const pc of net.connections) {
      for (const name of ['game', 'else', 7, null]) {
        hear(pc.channels.get(0), JSON.stringify({ t: 'channel', name, ...more }));
        hear(pc.channels.get(0), JSON.stringify({ t: 'channel-ready', name, ...more }));
      }
    }
  }
  assert.equal(net.connections.flatMap((pc) => [...pc.channels.values()]).filter(({ id }) => id >= 16).length, 4);
  ann.channel.send('still here');
  await until('it arrives', () => bo.heard.length === 1);
});

test('who names one line and another again and again makes nothing arrive twice', async (t) => {
  const { net, ann, bo } = await pair(t, { ordered: false, maxRetransmits: 0 });
  const theirs = net.connections.flatMap((pc) => [...pc.channels.values()]).filter(({ id }) => id >= 16).map(({ id }) => id);
  const [odd, even] = [1, 0].map((rest) => theirs.filter((id) => id % 2 === rest));
  const hear = (channel, data) => channel.dispatchEvent(Object.assign(new Event('message'), { data }));
  for (let round = 0; round < 50; round += 1) {
    for (const id of [...odd, odd[0] + 2, ...even, even[0] + 2]) {
      for (const pc of net.connections) hear(pc.channels.get(0), JSON.stringify({ t: 'channel', name: 'game', id, s: 'made-up', ordered: false, retransmits: 0 }));
    }
  }
  for (const pc of net.connections) for (const id of [odd[0] + 2, even[0] + 2]) if (pc.channels.get(id)) hear(pc.channels.get(id), '{"d":"once"}');
  assert.deepEqual([ann.heard, bo.heard], [[['Bo', 'once']], [['Ann', 'once']]]);
});

test('a refusal in far too many words comes as its beginning, and what is sent after it arrives', async (t) => {
  const { people, ann, bo } = await pair(t);
  bo.channel.on('request', ({ detail }) => detail.refuse('no '.repeat(100_000)));
  const { code, detail } = await ann.channel.request(find(people[0], 'Bo'), 'ask').catch((error) => error);
  assert.deepEqual([code, detail.length], ['request-failed', 200]);
  bo.channel.send('after');
  await until('it arrives', () => ann.heard.length === 1);
});

test('who waits for somebody to take what may be lost goes on when they are gone', async (t) => {
  const { net, people, ann, bo } = await pair(t, { ordered: false, maxRetransmits: 0 });
  ann.channel.send('first');
  await until('they listen', () => bo.heard.length === 1);
  net.latencyMs = 3_000;
  ann.channel.send('x'.repeat(50_000));
  ann.channel.send('x'.repeat(50_000));
  const drained = ann.channel.drained().then(() => 'drained');
  await people[1].room.leave();
  await until('they are gone', () => people[0].room.people.length === 0);
  assert.equal(await Promise.race([drained, quiet(2_000)]), 'drained', 'before what was sent is taken');
});

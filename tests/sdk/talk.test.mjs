/* Text in rooms: private lines, who writes, what was said before. */

import './lib/browserish.mjs';
import assert from 'node:assert/strict';
import test from 'node:test';
import { quiet, until } from './lib/browserish.mjs';
import { FakeNet } from './lib/fake-rtc.mjs';
import { FakeServer } from './lib/fake-server.mjs';
import { allConnected, find, join } from './lib/people.mjs';
import { Before } from '../../public_html/klatch/before.js';

/** People in a room, and what each hears: lines, what was said before, who writes. */
async function gathered(t, ...names) {
  const server = await new FakeServer().start();
  t.after(() => server.stop());
  const net = new FakeNet();
  const come = async (name) => {
    const one = await join(t, server, net, name);
    Object.assign(one, { lines: [], before: [], writing: [] });
    one.room.on('message', ({ detail: { message } }) => one.lines.push(message));
    one.room.on('before', ({ detail: { messages, by } }) => one.before.push({ by: by.name, messages }));
    one.room.on('writing', ({ detail: { writers } }) => {
      one.writing = writers.map((writer) => `${writer.person.name}${writer.private ? ' alone' : ''}`);
    });
    return one;
  };
  const people = [];
  for (const name of names) people.push(await come(name));
  await allConnected(...people);
  return { people, come, net };
}
const texts = ({ lines }) => lines.map(({ text }) => text);
test('a line to one person reaches that person alone, and is marked at both ends', async (t) => {
  const { people: [ann, bo, cy] } = await gathered(t, 'Ann', 'Bo', 'Cy');
  ann.room.say('only for Bo', find(ann, 'Bo'));
  ann.room.say('for all');
  await until('all is read', () => texts(bo).length === 2 && texts(cy).length === 1);
  assert.deepEqual(texts(cy), ['for all']);
  assert.equal(bo.lines[0].private, true);
  assert.equal(bo.lines[1].private, false);
  assert.equal(ann.lines[0].private, true);
  assert.equal(ann.lines[0].toName, 'Bo');
  assert.equal(ann.lines[0].to, find(ann, 'Bo'));
});

test('a line to somebody who is gone is refused', async (t) => {
  const { people: [ann, bo] } = await gathered(t, 'Ann', 'Bo');
  const gone = find(ann, 'Bo');
  await bo.room.leave();
  await until('Bo is gone', () => ann.room.people.length === 0);
  assert.throws(() => ann.room.say('are you there?', gone), { code: 'peer-not-found' });
});

test('who writes is told, at most every three seconds, and ends with the line', async (t) => {
  const { people: [ann, bo, cy], net } = await gathered(t, 'Ann', 'Bo', 'Cy');
  let told = 0;
  const channel = net.connections.find(({ channel: one }) => one).channel;
  channel.addEventListener('message', ({ data }) => {
    told += JSON.parse(data).t === 'writing' ? 1 : 0;
  });
  for (let at = 0; at < 20; at += 1) [ann, bo, cy][at % 3].room.writing(true);
  await until('it is known', () => bo.writing.includes('Ann') && cy.writing.includes('Ann'));
  await quiet(50);
  assert.equal(told, 1);
  ann.room.say('done');
  await until('it is over', () => !bo.writing.includes('Ann') && !cy.writing.includes('Ann'));
});

test('who writes to one person is known to that person alone', async (t) => {
  const { people: [ann, bo, cy] } = await gathered(t, 'Ann', 'Bo', 'Cy');
  ann.room.writing(true, find(ann, 'Bo'));
  await until('Bo knows', () => bo.writing[0] === 'Ann alone');
  await quiet(50);
  assert.deepEqual(cy.writing, []);
  ann.room.writing(false, find(ann, 'Bo'));
  await until('it is over', () => bo.writing.length === 0);
});

test('a newcomer gets what was said to all, once, and nothing private', async (t) => {
  const { people: [ann, bo], come } = await gathered(t, 'Ann', 'Bo');
  ann.room.say('good morning');
  bo.room.say('hello');
  bo.room.say('a secret', find(bo, 'Ann'));
  ann.room.say('another', find(ann, 'Bo'));
  await until('it is read', () => texts(ann).length === 4 && texts(bo).length === 4);
  const cy = await come('Cy');
  await until('Cy knows', () => cy.before.length === 1, 20_000);
  const [{ messages }] = cy.before;
  assert.deepEqual(messages.map(({ name, text }) => `${name}: ${text}`), ['Ann: good morning', 'Bo: hello']);
  assert.ok(messages.every((message) => message.before && !message.mine && !message.private));
  await quiet(50);
  assert.equal(cy.before.length, 1);
  assert.deepEqual(texts(cy), []);
});

test('what a newcomer was told goes on to the next when the first has left', async (t) => {
  const { people: [ann], come } = await gathered(t, 'Ann');
  ann.room.say('good morning');
  const bo = await come('Bo');
  await until('Bo knows', () => bo.before.length === 1, 20_000);
  await ann.room.leave();
  await until('Ann is gone', () => bo.room.people.length === 0);
  const cy = await come('Cy');
  await until('Cy knows', () => cy.before.length === 1, 20_000);
  assert.equal(cy.before[0].by, 'Bo');
  assert.deepEqual(cy.before[0].messages.map(({ name, text }) => `${name}: ${text}`), ['Ann: good morning']);
});

test('of a long talk a newcomer gets the last 200 lines', async (t) => {
  const { people: [ann], come } = await gathered(t, 'Ann');
  for (let at = 0; at < 300; at += 1) ann.room.say(`line ${at}`);
  const bo = await come('Bo');
  await until('Bo knows', () => bo.before.length === 1, 20_000);
  const [{ messages }] = bo.before;
  assert.deepEqual([messages.length, messages[0].text, messages.at(-1).text], [200, 'line 100', 'line 299']);
});

/* The asking, by itself. */

function member(name, { connected = true, instance = name } = {}) {
  const said = [];
  return { person: { name }, instance, connected, said, say: (value) => said.push(value) > 0 };
}
const asked = ({ said }) => said.some(({ t }) => t === 'before?');
const line = (at, text = 'x') => ({ id: `l${at}`, name: 'Ann', text, time: at });

function newcomer(t, members, earlier = () => true) {
  const lines = new Map();
  const before = new Before({ members: () => members, earlier, lines, nameMax: 64 });
  t.after(() => before.close());
  return Object.assign(before, { keep: (one) => lines.set(one.id, one), has: (id) => lines.has(id) });
}

test('the first is asked, not who is connected first; when the first never answers, the next is', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const [ann, bo] = [member('Ann', { connected: false }), member('Bo')];
  const before = newcomer(t, [ann, bo]);
  before.opened(bo);
  assert.ok(!asked(bo));
  ann.connected = true;
  before.opened(ann);
  assert.ok(asked(ann) && !asked(bo));
  t.mock.timers.tick(5001);
  assert.ok(asked(bo));
  assert.equal(before.take(ann, [line(1)]).length, 0, 'too late');
  assert.equal(before.take(bo, [line(1)]).length, 1);
  assert.equal(before.take(bo, [line(2)]).length, 0, 'one answer is enough');
});

test('who was asked over a channel that is gone is asked again on the next', (t) => {
  const ann = member('Ann');
  const before = newcomer(t, [ann]);
  before.opened(ann);
  before.opened(ann);
  assert.equal(ann.said.length, 2);
  assert.equal(before.take(ann, [line(1)]).length, 1);
  before.opened(ann);
  assert.equal(ann.said.length, 2);
});

test('who asks before our end of the channel is open is answered when it is', (t) => {
  const bo = member('Bo');
  const before = newcomer(t, [bo], () => false);
  before.keep(line(1));
  const { say } = bo;
  bo.say = () => false;
  before.answer(bo);
  bo.say = say;
  before.opened(bo);
  before.opened(bo);
  assert.deepEqual(bo.said.map(({ lines }) => lines.length), [1]);
});

test('who came later, or uses the API by hand, is not asked, nor believed', (t) => {
  const [plain, late] = [member('plain', { instance: null }), member('Cy')];
  const before = newcomer(t, [plain, late], (who) => who === plain);
  for (const one of [plain, late]) {
    before.opened(one);
    assert.ok(!asked(one));
    assert.deepEqual(before.take(one, [line(1)]), []);
  }
});

test('an answer has at most 60,000 bytes, the newest lines', (t) => {
  const before = newcomer(t, []);
  for (let at = 0; at < 200; at += 1) before.keep(line(at));
  const asker = member('Bo');
  before.answer(asker);
  assert.equal(asker.said[0].lines.length, 200);
  for (let at = 1000; at < 1200; at += 1) before.keep(line(at, '\u0001'.repeat(4000)));
  before.answer(asker);
  const { lines } = asker.said[1];
  assert.ok(JSON.stringify(lines).length < 61_000 && lines.length === 2, `${lines.length} lines`);
  assert.equal(lines.at(-1).id, 'l1199');
  for (let at = 0; at < 10; at += 1) before.answer(asker);
  assert.equal(asker.said.length, 3, 'who asks on and on is not answered');
});

for (const bad of [null, 7, {}, { ...line(1), id: '' }, { ...line(1), id: 'x'.repeat(65) }, { ...line(1), text: '' },
  { ...line(1), text: 'x'.repeat(4001) }, { ...line(1), text: {} }, { ...line(1), name: 7 }, { ...line(1), time: NaN },
  { ...line(1), time: -1 }]) {
  test(`${JSON.stringify(bad).slice(0, 50)} was not said before`, (t) => {
    const ann = member('Ann');
    const before = newcomer(t, [ann]);
    before.opened(ann);
    assert.deepEqual(before.take(ann, [bad, line(2)]).map(({ id }) => id), ['l2']);
  });
}

test('what is handed is cut to its bounds: lines, names, times that are to come', (t) => {
  const ann = member('Ann');
  const before = newcomer(t, [ann]);
  before.opened(ann);
  const lines = Array.from({ length: 500 }, (_, at) => ({ ...line(at), name: 'n'.repeat(500), time: 1e15 }));
  const taken = before.take(ann, lines);
  assert.equal(taken.length, 200);
  assert.equal(taken.at(-1).id, 'l499');
  assert.ok(taken.every(({ name, time }) => name.length === 64 && time <= Date.now()));
});

test('a line that came by itself is not handed once more, nor the other way round', (t) => {
  const ann = member('Ann');
  const before = newcomer(t, [ann]);
  before.opened(ann);
  before.keep(line(2));
  assert.deepEqual(before.take(ann, [line(1), line(2)]).map(({ id }) => id), ['l1']);
  assert.ok(before.has('l1'));
});

import './lib/browserish.mjs';
import assert from 'node:assert/strict';
import test from 'node:test';
import { Chat } from '../../public_html/klatch/chat.js';

const ann = { person: { id: 'a', name: 'Ann' }, instance: 'page-1' };

function receiver(reachable = true) {
  const lines = [];
  return { lines, say: (line) => reachable && lines.push(line) > 0 };
}

test('a line is received once, however often it is sent', () => {
  const chat = new Chat();
  const line = new Chat().compose('hello');
  const message = chat.receive(ann, line);
  assert.equal(message?.text, 'hello');
  assert.equal(message.name, 'Ann');
  assert.equal(message.mine, false);
  assert.equal(chat.receive(ann, line), null);
});

test('a line comes once although its sender goes by another id in the meantime', () => {
  const chat = new Chat();
  const line = chat.compose('hello');
  assert.ok(chat.receive(ann, line));
  assert.equal(chat.receive({ ...ann, person: { id: 'b', name: 'Ann' } }, line), null);
});

test('the same id from two people is two lines', () => {
  const chat = new Chat();
  const line = chat.compose('hello');
  assert.ok(chat.receive(ann, line));
  assert.ok(chat.receive({ person: { id: 'b', name: 'Bo' }, instance: 'page-2' }, line));
});

test('a line is said again on a new channel until it is confirmed', () => {
  const chat = new Chat();
  const to = receiver();
  const line = chat.compose('hello');
  chat.send(to, line);
  chat.resend(to);
  assert.equal(to.lines.length, 2);
  chat.confirmed(to, line.id);
  chat.resend(to);
  assert.equal(to.lines.length, 2);
});

test('what nobody could hear yet is said when the channel opens, in order', () => {
  const chat = new Chat();
  let open = false;
  const lines = [];
  const to = { say: (line) => open && lines.push(line.text) > 0 };
  for (const text of ['one', 'two', 'three']) chat.send(to, chat.compose(text));
  open = true;
  chat.resend(to);
  assert.deepEqual(lines, ['one', 'two', 'three']);
});

test('what waits for one person has a bound', () => {
  const chat = new Chat();
  const to = receiver(false);
  for (let at = 0; at < 1000; at += 1) chat.send(to, chat.compose(`${at}`));
  to.say = (line) => to.lines.push(line.text) > 0;
  chat.resend(to);
  assert.equal(to.lines.length, 200);
  assert.equal(to.lines.at(-1), '999');
});

for (const text of ['', '  \n ', 'x'.repeat(4001)]) {
  test(`${text.length} characters ${JSON.stringify(text.slice(0, 5))} are not a line`, () => {
    assert.throws(() => new Chat().compose(text), { code: 'bad-message' });
  });
}

for (const line of [null, 7, {}, { id: 'x' }, { id: 7, text: 'a' }, { id: 'x', text: 7 }, { id: 'x', text: '' },
  { id: 'x'.repeat(65), text: 'a' }, { id: 'x', text: 'x'.repeat(4001) }]) {
  test(`${JSON.stringify(line)?.slice(0, 40)} from a channel is not a line`, () => {
    assert.equal(new Chat().receive(ann, line), null);
  });
}

test("a clock that is far off doesn't date a line", () => {
  const before = Date.now();
  for (const time of [0, 1e15, 'noon', undefined]) {
    const message = new Chat().receive(ann, { id: 'x', text: 'a', time });
    assert.ok(message.time >= before && message.time <= Date.now());
  }
});

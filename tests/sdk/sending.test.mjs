/* Sending: letters that go with the poll that follows anyhow, and what becomes of them when it fails. */

import { quiet, until } from './lib/browserish.mjs';
import { Refusal } from './lib/fake-server.mjs';
import { present, requests, serverFor } from './lib/mailbox.mjs';
import assert from 'node:assert/strict';
import test from 'node:test';

const texts = (guest) => guest.heard.messages.map(([, data]) => data);
const id = () => crypto.randomUUID();

/** Ann, and Bo who answers each of her questions at once, to her and to `more`; `options` are of his visit. */
async function asking(t, more = [], options = {}) {
  const server = await serverFor(t);
  const [ann, bo] = [await present(t, server), await present(t, server, options)];
  await until('Ann has met Bo', () => ann.heard.seqs.length > 0);
  bo.signaling.on('message', ({ detail }) => {
    if (detail.type !== 'ask') return;
    for (const to of [...more, ann.signaling.peer]) bo.signaling.send(to, 'reply', `re ${detail.data}`);
  });
  const [key] = [...server.room('tea').keys].find(([, { member }]) => member.peer === bo.signaling.peer);
  return { server, ann, bo, ofBo: () => requests(server, 'send').filter(({ body }) => body.key === key) };
}

test('what is written while mail is read goes with the poll that follows', async (t) => {
  const { ann, bo, ofBo } = await asking(t);
  for (const at of [1, 2, 3]) {
    ann.signaling.send(null, 'ask', at);
    await until('it was answered', () => ann.heard.messages.length === at);
  }
  assert.deepEqual(texts(ann), ['re 1', 're 2', 're 3']);
  assert.deepEqual(ofBo().map(({ body }) => [body.send.length, 'after' in body]), [[1, true], [1, true], [1, true]]);
  // Its answer is the receipt, so it isn't held for long.
  assert.ok(ofBo().every(({ body }) => body.wait_ms > 0 && body.wait_ms <= 5000));
  assert.deepEqual(bo.heard.problems, []);
});

test('what is written before that poll is answered goes at once, in order and once', async (t) => {
  const { ann, bo, ofBo } = await asking(t);
  ann.signaling.send(null, 'ask', 1);
  await until('it was answered', () => ann.heard.messages.length === 1);
  bo.signaling.send(null, 'note', 'and more');
  await until('that came too', () => ann.heard.messages.length === 2);
  assert.deepEqual(texts(ann), ['re 1', 'and more']);
  const [riding, lane] = ofBo().map(({ body }) => body);
  assert.deepEqual(['after' in riding, 'after' in lane], [true, false]);
  assert.deepEqual(lane.send.map((letter) => letter.id === riding.send[0].id), [true, false]);
  bo.signaling.send(null, 'note', 'the rest');
  await until('the rest came', () => ann.heard.messages.length === 3);
  assert.equal(ofBo().at(-1).body.send.length, 1);
});

test('a poll that breaks with letters in it loses none and doubles none', async (t) => {
  for (const after of [true, false]) {
    const { server, ann, bo } = await asking(t);
    const room = server.room('tea');
    const exchange = room.exchange.bind(room);
    let broken = 0;
    room.exchange = async (body, gone) => {
      if (!body.send || !('after' in body) || broken > 0) return exchange(body, gone);
      broken += 1;
      if (after) await exchange({ ...body, wait_ms: 0 }, gone);
      throw new Error('the worker was killed');
    };
    ann.signaling.send(null, 'ask', 1);
    ann.signaling.send(null, 'ask', 2);
    await until('both were answered', () => ann.heard.messages.length >= 2);
    ann.signaling.send(null, 'ask', 3);
    await until('the third was answered', () => ann.heard.messages.length >= 3);
    assert.deepEqual([broken, texts(ann)], [1, ['re 1', 're 2', 're 3']]);
    assert.deepEqual(bo.heard.problems, []);
  }
});

test('a letter that is refused with its poll takes neither mail nor other letters with it', async (t) => {
  const { ann, bo } = await asking(t, [id()]);
  ann.signaling.send(null, 'ask', 1);
  await until('it was answered', () => ann.heard.messages.length === 1);
  ann.signaling.send(null, 'ask', 2);
  await until('the next one too', () => ann.heard.messages.length === 2);
  assert.deepEqual([texts(bo), texts(ann)], [[1, 2], ['re 1', 're 2']]);
  assert.deepEqual([bo.heard.problems, bo.heard.states], [[], []]);
});

test('who may not send for a while reads on at once', async (t) => {
  // A pause of Bo's lasts longer than this test.
  const { server, ann, bo } = await asking(t, [], { random: () => 10_000 });
  const room = server.room('tea');
  const send = room.send.bind(room);
  let full = true;
  room.send = (member, letters) => {
    if (full && member.peer === bo.signaling.peer && letters.length > 0) throw new Refusal(507, 'mailbox-full');
    return send(member, letters);
  };
  const tries = () => requests(server, 'send').filter(({ body }) => body.send[0].type === 'reply');
  ann.signaling.send(null, 'ask', 1);
  await until('Bo tried with his poll and alone', () => tries().length === 2);
  ann.signaling.send(null, 'ask', 2);
  await until('Bo read on', () => texts(bo).length === 2);
  assert.deepEqual(tries().map(({ body }) => 'after' in body), [true, false]);
  assert.deepEqual([texts(ann), bo.heard.problems, bo.heard.states], [[], [], []]);
  full = false;
  await until('all is answered', () => {
    bo.signaling.wake();
    return ann.heard.messages.length === 2;
  });
  assert.deepEqual(texts(ann), ['re 1', 're 2']);
});

test('more than one request takes goes in the lane of its own', async (t) => {
  const { ann, bo, ofBo } = await asking(t);
  bo.signaling.on('message', ({ detail }) => {
    if (detail.type === 'ask') for (let at = 0; at < 40; at += 1) bo.signaling.send(null, 'note', at);
  });
  ann.signaling.send(null, 'ask', 1);
  await until('all came', () => ann.heard.messages.length === 41);
  assert.deepEqual(texts(ann).slice(1), Array.from({ length: 40 }, (_, at) => at));
  await quiet(20);
  assert.deepEqual(ofBo().map(({ body }) => 'after' in body), [false, false]);
});

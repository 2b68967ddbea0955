import './lib/browserish.mjs';
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import { quiet, until } from './lib/browserish.mjs';
import { FakeSink, FilePair, fakeFile } from './lib/file-pair.mjs';
import { cleanFileName, cleanFileType } from '../../public_html/klatch/file-names.js';

const MB = 1024 * 1024;
const shaOf = (parts) => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest('hex');

/** Ann offers a file; what Bo sees of it. */
async function offered(wire, file, to = null) {
  const mine = wire.ann.files.offer(file, to);
  const theirs = await until('it is offered', () => wire.bo.seen.find(({ id }) => id === mine.id));
  return { mine, theirs };
}
const stateOf = ({ ways: [way] }) => `${way.state} ${way.why}`.trim();
const become = (share, state) => until(`it is ${state}`, () => stateOf(share) === state);

test('a file comes whole, in order, and both know it', async (t) => {
  const wire = new FilePair(t);
  const file = fakeFile(3 * MB + 17);
  const { mine, theirs } = await offered(wire, file);
  const sink = new FakeSink();
  wire.bo.files.take(theirs, sink);
  await Promise.all([become(mine, 'done'), become(theirs, 'done')]);
  assert.equal(shaOf(sink.bytes), shaOf([file.bytes]));
  assert.ok(sink.closed && !sink.aborted);
  assert.equal(mine.ways[0].done, file.size);
});

test('a file without a byte is a file', async (t) => {
  const wire = new FilePair(t);
  const { mine, theirs } = await offered(wire, fakeFile(0));
  const sink = new FakeSink();
  wire.bo.files.take(theirs, sink);
  await Promise.all([become(mine, 'done'), become(theirs, 'done')]);
  assert.ok(sink.closed);
});

test('nothing comes before it is taken', async (t) => {
  const wire = new FilePair(t);
  await offered(wire, fakeFile(MB));
  await quiet(50);
  assert.equal(wire.bytes, 0);
});

test('neither the file nor the channel is ever filled: blocks are read, and the channel is kept nearly empty', async (t) => {
  const wire = new FilePair(t);
  const file = fakeFile(6 * MB);
  const { theirs } = await offered(wire, file);
  wire.bo.files.take(theirs, new FakeSink());
  await become(theirs, 'done');
  assert.ok(file.largest <= 256 * 1024, `${file.largest} bytes were read at once`);
  assert.ok(wire.bufferedMax <= 320 * 1024, `${wire.bufferedMax} bytes stood in the channel`);
});

test('a receiver that writes slowly is not overrun', async (t) => {
  const wire = new FilePair(t);
  const { theirs } = await offered(wire, fakeFile(12 * MB));
  const sink = new FakeSink({ slowMs: 20 });
  wire.bo.files.take(theirs, sink);
  await until('some is written', () => sink.size > 0);
  while (stateOf(theirs) === 'coming') {
    assert.ok(wire.bytes - sink.size <= 4.6 * MB, `${wire.bytes - sink.size} bytes lay in memory`);
    await quiet(5);
  }
  assert.equal(stateOf(theirs), 'done');
});

test('a file goes on where it broke off when there is a new channel', async (t) => {
  const wire = new FilePair(t);
  const file = fakeFile(8 * MB);
  const { mine, theirs } = await offered(wire, file);
  const sink = new FakeSink();
  wire.bo.files.take(theirs, sink);
  for (const part of [2, 5]) {
    await until('a part is there', () => wire.bytes > part * MB);
    wire.cut();
    await until('it waits', () => stateOf(mine) === 'waiting');
    wire.mend();
  }
  await Promise.all([become(mine, 'done'), become(theirs, 'done')]);
  assert.equal(shaOf(sink.bytes), shaOf([file.bytes]));
  assert.ok(wire.bytes < 9.5 * MB, `${wire.bytes} bytes went over the wire`);
});

test('an offer and an end that were lost with the channel are told on the next', async (t) => {
  const wire = new FilePair(t);
  wire.cut();
  const mine = wire.ann.files.offer(fakeFile(100));
  wire.mend();
  const theirs = await until('it is offered', () => wire.bo.seen[0]);
  wire.bo.files.take(theirs, new FakeSink());
  await become(theirs, 'done');
  if (stateOf(mine) !== 'done') {
    wire.cut();
    assert.notEqual(stateOf(mine), 'done');
    wire.mend();
  }
  await become(mine, 'done');
});

test('either side can stop it, and nothing of it stays', async (t) => {
  for (const who of ['ann', 'bo']) {
    const wire = new FilePair(t);
    const { mine, theirs } = await offered(wire, fakeFile(8 * MB));
    const sink = new FakeSink();
    wire.bo.files.take(theirs, sink);
    await until('it is on its way', () => sink.size > 0);
    wire[who].files.stop(who === 'ann' ? mine : theirs);
    await Promise.all([become(mine, 'stopped'), become(theirs, 'stopped')]);
    await until('it is thrown away', () => sink.aborted);
    const { bytes } = wire;
    await quiet(50);
    assert.ok(wire.bytes - bytes < MB, 'it went on');
    assert.ok(!sink.closed);
  }
});

test('a file that is refused is known to be', async (t) => {
  const wire = new FilePair(t);
  const { mine, theirs } = await offered(wire, fakeFile(10));
  wire.bo.files.stop(theirs);
  await become(mine, 'refused');
  assert.equal(stateOf(theirs), 'refused refused');
});

test('a file that changes on its way is not taken for the one that was sent', async (t) => {
  const wire = new FilePair(t);
  const file = fakeFile(2 * MB);
  const { mine, theirs } = await offered(wire, file);
  const sink = new FakeSink();
  wire.bo.files.take(theirs, sink);
  const channel = await until('there is a channel', () => wire.bo.channel);
  let count = 0;
  const dispatch = channel.dispatchEvent.bind(channel);
  channel.dispatchEvent = (event) => {
    count += event.type === 'message' ? 1 : 0;
    if (count === 9 && event.data instanceof ArrayBuffer) new Uint8Array(event.data)[77] ^= 1;
    return dispatch(event);
  };
  await Promise.all([become(mine, 'failed hash'), become(theirs, 'failed hash')]);
  await until('it is thrown away', () => sink.aborted);
  assert.ok(!sink.closed);
});

test('a disk that fills up is told to both', async (t) => {
  const wire = new FilePair(t);
  const { mine, theirs } = await offered(wire, fakeFile(4 * MB));
  const sink = new FakeSink({ fullAfter: MB });
  wire.bo.files.take(theirs, sink);
  await Promise.all([become(mine, 'failed space'), become(theirs, 'failed space')]);
  await until('it is thrown away', () => sink.aborted);
});

test("a file that can't be read any more is told to both", async (t) => {
  const wire = new FilePair(t);
  const file = fakeFile(4 * MB);
  const { mine, theirs } = await offered(wire, file);
  const slice = file.slice.bind(file);
  file.slice = (from, to) => (from < 2 * MB ? slice(from, to) : { arrayBuffer: () => Promise.reject(new Error('NotReadable')) });
  wire.bo.files.take(theirs, new FakeSink());
  await Promise.all([become(mine, 'failed unreadable'), become(theirs, 'failed unreadable')]);
});

test('a file that was offered before waits while the only way is for smaller ones', async (t) => {
  const wire = new FilePair(t);
  const file = fakeFile(MB);
  const { mine, theirs } = await offered(wire, file);
  const narrow = { fileBytesMax: MB - 1 };
  wire.ann.member.way = narrow;
  const sink = new FakeSink();
  wire.bo.files.take(theirs, sink);
  await until('it was asked for', () => wire.bo.said.some(({ t: type }) => type === 'file-take'));
  await quiet(50);
  assert.deepEqual([wire.bytes, stateOf(mine)], [0, 'offered'], 'its sender holds it back');
  wire.bo.member.way = narrow;
  await become(theirs, 'waiting');
  wire.ann.member.way = null;
  wire.bo.member.way = null;
  wire.cut();
  wire.mend();
  await Promise.all([become(mine, 'done'), become(theirs, 'done')]);
  assert.equal(shaOf(sink.bytes), shaOf([file.bytes]));
});

test('who leaves ends what was on its way', async (t) => {
  const wire = new FilePair(t);
  const { mine, theirs } = await offered(wire, fakeFile(MB));
  wire.ann.files.forget(wire.ann.member);
  wire.bo.files.forget(wire.bo.member);
  assert.equal(stateOf(mine), 'failed gone');
  assert.equal(stateOf(theirs), 'failed gone');
});

test('several files come side by side', async (t) => {
  const wire = new FilePair(t);
  const files = [1, 2, 3].map((n) => fakeFile(n * MB + n, `${n}.bin`));
  const sinks = [];
  for (const file of files) {
    const { theirs } = await offered(wire, file);
    sinks.push(new FakeSink());
    wire.bo.files.take(theirs, sinks.at(-1));
  }
  for (const share of wire.bo.seen) await become(share, 'done');
  for (const [at, file] of files.entries()) assert.equal(shaOf(sinks[at].bytes), shaOf([file.bytes]));
});

/* What a hostile page may send. Bo hears it as from Ann. */

const hostile = (wire, value) => wire.bo.files.heard(wire.bo.member, value);

for (const offer of [{ id: 7, name: 'a', size: 1 }, { id: 'x'.repeat(33), name: 'a', size: 1 }, { id: 'x', name: 'a' },
  { id: 'x', name: 'a', size: -1 }, { id: 'x', name: 'a', size: 1.5 }, { id: 'x', name: 'a', size: 2 ** 41 },
  { id: 'x', name: 'a', size: '1' }, { id: 'x', name: 'a', size: null }]) {
  test(`${JSON.stringify(offer).slice(0, 60)} is no offer`, (t) => {
    const wire = new FilePair(t);
    hostile(wire, { t: 'file-offer', ...offer });
    assert.equal(wire.bo.seen.length, 0);
  });
}

test('offers without end are not heard', (t) => {
  const wire = new FilePair(t);
  for (let at = 0; at < 500; at += 1) hostile(wire, { t: 'file-offer', id: `f${at}`, name: 'a', size: 1 });
  assert.equal(wire.bo.seen.length, 20);
  for (let at = 500; at < 900; at += 1) {
    for (const share of wire.bo.seen) wire.bo.files.stop(share);
    hostile(wire, { t: 'file-offer', id: `f${at}`, name: 'a', size: 1 });
  }
  assert.ok(wire.bo.seen.length <= 40, `${wire.bo.seen.length} offers`);
});

test('a sender that sends more than it offered, or faster than it may, is stopped', async (t) => {
  for (const [size, pieces] of [[100, 1], [40 * MB, 160]]) {
    const wire = new FilePair(t);
    hostile(wire, { t: 'file-offer', id: 'x', name: 'a', size });
    const [share] = wire.bo.seen;
    const sink = new FakeSink({ stuck: true });
    wire.bo.files.take(share, sink);
    const { n } = await until('it is asked for', () => wire.bo.said.find(({ t: type }) => type === 'file-take'));
    const piece = new Uint8Array(4 + 32 * 1024);
    new DataView(piece.buffer).setUint32(0, n);
    const channel = wire.ann.member.bulk;
    await until('the channel is open', () => channel.readyState === 'open');
    for (let at = 0; at < pieces; at += 1) channel.send(piece);
    await become(share, 'failed too-much');
  }
});

test('pieces of nothing that was taken, or that are none, are let fall', async (t) => {
  const wire = new FilePair(t);
  for (const id of ['x', 'y']) hostile(wire, { t: 'file-offer', id, name: 'a', size: 100_000 });
  const [offer, taken] = wire.bo.seen;
  wire.bo.files.take(taken, new FakeSink());
  const { n } = await until('it is asked for', () => wire.bo.said.find(({ t: type }) => type === 'file-take'));
  const channel = wire.ann.member.bulk;
  await until('the channel is open', () => channel.readyState === 'open' && wire.bo.channel?.readyState === 'open');
  const large = new Uint8Array(90_000);
  new DataView(large.buffer).setUint32(0, n);
  for (const data of [new Uint8Array(8), new Uint8Array(2), large, 'nonsense', '{"t":"end","n":0,"hash":"x"}', 'null',
    'x'.repeat(1000)]) channel.send(data);
  await quiet(50);
  assert.equal(stateOf(offer), 'offered');
  assert.equal(stateOf(taken), 'coming');
  const end = JSON.stringify({ t: 'end', n, hash: 'x' });
  channel.send(end);
  await become(taken, 'failed hash');
});

test('a receiver is sent only what it was offered, from where it can be', async (t) => {
  const wire = new FilePair(t);
  const { mine } = await offered(wire, fakeFile(1000));
  const ask = (value) => wire.ann.files.heard(wire.ann.member, value);
  for (const [n, at] of [[1, -1], [1, 1001], [1, 0.5], [-1, 0], [2 ** 32, 0], ['1', 0], [1, null]]) {
    ask({ t: 'file-take', id: mine.id, n, at });
  }
  ask({ t: 'file-take', id: 'another', n: 1, at: 0 });
  ask({ t: 'file-done', id: mine.id });
  ask({ t: 'file-ack', id: mine.id, n: 1, at: 1000 });
  await quiet(30);
  assert.equal(stateOf(mine), 'offered');
  assert.equal(wire.bytes, 0);
});

test('who begins again without end is sent nothing more', async (t) => {
  const wire = new FilePair(t);
  const { mine } = await offered(wire, fakeFile(10));
  for (let n = 1; n < 300; n += 1) wire.ann.files.heard(wire.ann.member, { t: 'file-take', id: mine.id, n, at: 10 });
  await become(mine, 'failed many');
});

for (const [name, clean] of [
  ['plan.pdf', 'plan.pdf'],
  ['../../etc/passwd', 'passwd'],
  ['C:\\Users\\x\\a b.txt', 'a b.txt'],
  ['.htaccess', 'htaccess'],
  ['photo\u202Egpj.exe', 'photogpj.exe'],
  ['a\u0000b\n.txt', 'ab.txt'],
  ['<b>:"|?*', '_b______'],
  ['', 'file'], ['...', 'file'], [null, 'file'], [undefined, 'file'],
  ['übung – тест 😀.odt', 'übung – тест 😀.odt'],
]) {
  test(`a file called ${JSON.stringify(name)} is shown as ${clean}`, () => {
    assert.equal(cleanFileName(name), clean);
  });
}

test('a long name keeps its ending', () => {
  const clean = cleanFileName(`${'x'.repeat(5000)}.tar`);
  assert.equal(cleanFileName(`${'y'.repeat(300)}.pdf`).length, 120);
  assert.ok(cleanFileName(`${'y'.repeat(300)}.pdf`).endsWith('.pdf'));
  assert.equal(clean.length, 120);
});

test('what is no media type is none', () => {
  assert.equal(cleanFileType('Image/PNG'), 'image/png');
  for (const type of ['text/html"><script>', 'x', null, `a/${'b'.repeat(200)}`]) assert.equal(cleanFileType(type), '');
});

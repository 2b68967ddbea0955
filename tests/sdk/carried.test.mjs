import { quiet, until } from './lib/browserish.mjs';
import { apart } from './lib/apart.mjs';
import { FakeSink, fakeFile } from './lib/file-pair.mjs';
import { requests } from './lib/mailbox.mjs';
import { find } from './lib/people.mjs';
import { CarriedKeys } from '../../public_html/klatch/carried-seal.js';
import assert from 'node:assert/strict';
import test, { describe } from 'node:test';

const SEALED = `tea.${'A'.repeat(22)}`;
const CARRY = 2;

const letters = (server) => requests(server, 'send').flatMap(({ body }) => body.send);
const chats = (server) => letters(server).filter(({ type, data }) => type === 'chat' || (type === 'sealed'
  && JSON.stringify(data).length < 400)).length;

/** What a person is told from now on, whole. */
function listen({ room }) {
  const messages = [];
  room.on('message', ({ detail }) => messages.push(detail.message));
  return messages;
}

const reads = (messages, text) => until(`${text} is read`, () => messages.find((one) => one.text === text && !one.mine));
const through = (world, name, a = 'Ann', b = 'Bo') => until(`${a} and ${b} reach each other through ${name}`, () => (
  world.via(a, b).every((via) => via === name)), 30_000);
const generous = (...people) => {
  for (const { room } of people) Object.defineProperty(room.budget, 'bits', { value: 200_000_000 });
};

async function sendFile(from, to, file) {
  const shares = [];
  to.room.on('file', ({ detail }) => shares.includes(detail.share) || detail.share.mine || shares.push(detail.share));
  const mine = (await from.room.files()).offer(file, find(from, to.room.self.name));
  const share = await until('it is offered', () => shares.find(({ name }) => name === file.name));
  const sink = new FakeSink();
  (await to.room.files()).take(share, sink);
  return { mine, share, sink };
}

const whole = ({ bytes }) => Buffer.concat(bytes);

// They mostly wait.
describe('two with no path between them', { concurrency: true }, () => {
  for (const [kind, room] of [['an open', 'tea'], ['a sealed', SEALED]]) {
    test(`write and send files in ${kind} room through a third, who is told and can read nothing of it`, async (t) => {
      const world = await apart(t, { room, who: ['Ann', 'Cy', 'Bo'], cut: [['Ann', 'Bo']] });
      const { Ann, Bo, Cy } = world.people;
      await through(world, 'Cy');
      assert.deepEqual([find(Ann, 'Bo').state, world.pairs('Cy'), world.pairs('Ann')], ['no-path', ['Ann-Bo'], []]);
      const passed = [];
      world.net.sent = (pc, channel, { data }) => {
        if (channel.id === CARRY || world.of(pc) === 'Cy') passed.push(typeof data === 'string' ? data : Buffer.from(data).toString('latin1'));
      };
      const before = chats(world.server);
      const [ann, bo, cy] = [listen(Ann), listen(Bo), listen(Cy)];
      const said = Ann.room.say('good morning from Ann');
      const alone = Bo.room.say('between us', find(Bo, 'Ann'));
      const came = await reads(bo, 'good morning from Ann');
      await reads(ann, 'between us');
      await reads(cy, 'good morning from Ann');
      const detours = (message) => message.detours.map(({ person, via }) => [person.name, via?.name]);
      assert.deepEqual([said, alone, came].map(detours), [[['Bo', 'Cy']], [['Ann', 'Cy']], [['Ann', 'Cy']]]);
      assert.deepEqual(detours(cy[0]), []);
      assert.deepEqual([ann.at(-1).private, cy.length], [true, 1]);

      generous(Cy);
      const file = fakeFile(300_000);
      const { mine, share, sink } = await sendFile(Bo, Ann, file);
      await until('it is there, and both know', () => [mine, share].every(({ ways }) => ways[0].state === 'done'));
      assert.ok(whole(sink).equals(Buffer.from(file.bytes)));
      assert.ok(passed.some((data) => data.length > 4_000), 'it went through him');
      for (const secret of ['good morning', 'between us', 'plan.pdf', Buffer.from(file.bytes.slice(5_000, 5_020)).toString('latin1')]) {
        // He was told the line to all himself, by Ann.
        assert.ok(!passed.some((data) => data.includes(secret) && !data.startsWith('{"t":"chat"')), secret);
      }
      assert.equal(chats(world.server), before, 'nothing of it by mailbox');
      assert.deepEqual([Ann, Bo, Cy].flatMap(({ heard }) => heard.problems), []);
    });
  }

  test('go on through another when the third leaves, and by mailbox when nobody is left; what was said is not lost', async (t) => {
    const world = await apart(t, { who: ['Ann', 'Cy', 'Di', 'Bo'], cut: [['Ann', 'Bo']] });
    const { Ann, Bo, Cy, Di } = world.people;
    await through(world, 'Cy');
    assert.deepEqual(world.pairs('Di'), [], 'who joined first does it');
    const [ann, bo] = [listen(Ann), listen(Bo)];
    const { mine, share, sink } = await sendFile(Ann, Bo, fakeFile(150_000));
    await until('it is on its way', () => share.ways[0].done > 0, 10_000);
    Ann.room.say('one moment');
    await Cy.room.leave();
    await through(world, 'Di');
    assert.deepEqual(world.pairs('Di'), ['Ann-Bo']);
    generous(Di);
    await reads(bo, 'one moment');
    await until('the file is there too', () => [mine, share].every(({ ways }) => ways[0].state === 'done'), 10_000);
    assert.ok(whole(sink).equals(Buffer.from(fakeFile(150_000).bytes)));

    await Di.room.leave();
    await through(world, null);
    const line = Bo.room.say('still here');
    assert.deepEqual(line.detours.map(({ via }) => via), [null]);
    assert.deepEqual((await reads(ann, 'still here')).detours.map(({ person, via }) => [person.name, via]), [['Bo', null]]);
    assert.equal(bo.filter(({ text }) => text === 'one moment').length, 1);
  });

  test('return to a path of their own when there is one, with the file that was on its way', async (t) => {
    const world = await apart(t, { who: ['Ann', 'Cy', 'Bo'], cut: [['Ann', 'Bo']] });
    const { Ann, Bo } = world.people;
    await through(world, 'Cy');
    const bo = listen(Bo);
    Ann.room.say('by and by');
    await reads(bo, 'by and by');
    // At a tenth of 2 Mbit/s it would take half a minute.
    const { mine, share, sink } = await sendFile(Ann, Bo, fakeFile(700_000));
    await until('it is on its way', () => share.ways[0].done > 0, 10_000);
    await world.mend();
    await through(world, null);
    await until('nothing is passed on any more', () => world.pairs('Cy').length === 0);
    await until('the file is there', () => [mine, share].every(({ ways }) => ways[0].state === 'done'), 10_000);
    assert.ok(whole(sink).equals(Buffer.from(fakeFile(700_000).bytes)));
    const line = Ann.room.say('directly');
    await reads(bo, 'directly');
    assert.deepEqual([line.detours, bo.length], [[], 2]);
  });

  for (const [what, harm] of [
    ['changes', (event) => {
      new Uint8Array(event.data)[40] ^= 1;
    }],
    ['repeats', (event, again) => again()],
    ['loses', (event) => {
      event.data = new ArrayBuffer(0);
    }],
  ]) {
    test(`drop and report what a third ${what}, and go through another`, async (t) => {
      const world = await apart(t, { who: ['Ann', 'Cy', 'Di', 'Bo'], cut: [['Ann', 'Bo']] });
      const { Ann, Bo } = world.people;
      await through(world, 'Cy');
      const [ann, bo] = [listen(Ann), listen(Bo)];
      let harmed = false;
      world.net.sent = (pc, channel, event) => {
        if (channel.id !== CARRY || world.of(pc) !== 'Cy' || harmed) return;
        harmed = true;
        harm(event, () => setTimeout(() => {
          const copy = Object.assign(new Event('message'), { data: event.data });
          pc.other.channels.get(CARRY).dispatchEvent(copy);
        }, 1));
      };
      Ann.room.say('first');
      Ann.room.say('second');
      await through(world, 'Di');
      await reads(bo, 'first');
      await reads(bo, 'second');
      Bo.room.say('third');
      await reads(ann, 'third');
      assert.deepEqual([Ann.heard.problems, Bo.heard.problems], [[], ['seal-broken']]);
      assert.equal(bo.length, 3);
    });
  }

  test('write by mailbox where the only third changes what it passes on', async (t) => {
    const world = await apart(t, { who: ['Ann', 'Cy', 'Bo'], cut: [['Ann', 'Bo']] });
    const { Ann, Bo } = world.people;
    await through(world, 'Cy');
    const bo = listen(Bo);
    world.net.sent = (pc, channel, event) => {
      if (channel.id === CARRY && world.of(pc) === 'Cy') new Uint8Array(event.data)[40] ^= 1;
    };
    Ann.room.say('hello');
    await reads(bo, 'hello');
    await through(world, null);
    assert.deepEqual(Bo.heard.problems, ['seal-broken']);
  });

  test('are refused a file of more than 50 MB, and the others of the room get it', async (t) => {
    const world = await apart(t, { who: ['Ann', 'Cy', 'Bo'], cut: [['Ann', 'Bo']] });
    const { Ann } = world.people;
    await through(world, 'Cy');
    const desk = await Ann.room.files();
    const big = { name: 'big', type: '', size: 50_000_001, slice: () => new Blob() };
    assert.throws(() => desk.offer(big, find(Ann, 'Bo')), { code: 'file-too-large-to-carry' });
    const share = desk.offer(big);
    assert.deepEqual(share.ways.map(({ person }) => person.name), ['Cy']);
    assert.deepEqual(Ann.heard.problems, ['file-too-large-to-carry']);
  });

  test('of two pairs apart each goes its own way through the same third', async (t) => {
    const world = await apart(t, { who: ['Ann', 'Cy', 'Bo', 'Di'], cut: [['Ann', 'Bo'], ['Ann', 'Di']] });
    const { Ann, Bo, Di } = world.people;
    await through(world, 'Cy');
    await through(world, 'Cy', 'Ann', 'Di');
    const [bo, di] = [listen(Bo), listen(Di)];
    Ann.room.say('for Bo', find(Ann, 'Bo'));
    Ann.room.say('for Di', find(Ann, 'Di'));
    await reads(bo, 'for Bo');
    await reads(di, 'for Di');
    await quiet(50);
    assert.deepEqual([bo.length, di.length, world.pairs('Cy').sort()], [1, 1, ['Ann-Bo', 'Ann-Di']]);
  });
});

describe('what is sealed for a pair', () => {
  const part = new TextEncoder().encode('something');

  async function pair(room = 'tea') {
    const [ann, bo] = [await CarriedKeys.make(room), await CarriedKeys.make(room)];
    return { ann, bo, out: await ann.pair(bo.pub, 'a', 'b'), into: await bo.pair(ann.pub, 'b', 'a') };
  }

  test('is opened by the other end', async () => {
    const { out, into } = await pair();
    for (const counter of [0, 1]) {
      const opened = await into.open(1, await out.seal(1, part));
      assert.deepEqual([opened.counter, new TextDecoder().decode(opened.part)], [counter, 'something']);
    }
  });

  test('is refused when it was changed anywhere, or comes as another stream, to another page, or back to its sender', async () => {
    const { ann, bo, out, into } = await pair();
    const rest = await out.seal(0, part);
    for (let at = 0; at < rest.length; at += 1) {
      const changed = rest.slice();
      changed[at] ^= 1;
      await assert.rejects(into.open(0, changed), `byte ${at}`);
    }
    await assert.rejects(into.open(1, rest));
    await assert.rejects(out.open(0, rest));
    await assert.rejects((await bo.pair(ann.pub, 'b', 'c')).open(0, rest));
    await assert.rejects((await bo.pair(ann.pub, 'd', 'a')).open(0, rest));
    await assert.rejects((await (await CarriedKeys.make('tea')).pair(ann.pub, 'b', 'a')).open(0, rest));
    await into.open(0, rest);
  });

  test('needs another key than our own', async () => {
    const { ann } = await pair();
    await assert.rejects(ann.pair(ann.pub, 'a', 'b'), { code: 'seal-broken' });
  });
});

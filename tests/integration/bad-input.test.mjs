import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import { expectProblem, expectStatus, newId, newRoom } from './lib/api.mjs';
import { it } from './lib/it.mjs';
import { roomOf } from './lib/member.mjs';
import { Stack } from './lib/stack.mjs';

const BAD_400 = [400, 'invalid-request'];
const bytes = (...parts) => Buffer.concat(parts.map((p) => (typeof p === 'string' ? Buffer.from(p) : Buffer.from(p))));

/** Not strict JSON in UTF-8, wherever in a body it stands. */
const NOT_JSON = [
  ['a leading zero', '01'], ['two zeros', '00'], ['a negative leading zero', '-01'],
  ['a dot without digits', '1.'], ['a dot first', '.5'], ['an exponent without digits', '1e'],
  ['a signed exponent without digits', '1e+'], ['a plus', '+1'], ['a lone minus', '-'],
  ['hexadecimal', '0x10'], ['NaN', 'NaN'], ['Infinity', '-Infinity'], ['True', 'True'],
  ['a cut literal', 'nul'], ['a long literal', 'nulll'], ['undefined', 'undefined'],
  ['single quotes', "'a'"], ['a bare word', 'abc'], ['a comma behind the last element', '[1,]'],
  ['a comma behind the last field', '{"a":1,}'], ['two commas', '[1,,2]'], ['a comma first', '[,1]'],
  ['a field without a colon', '{"a" 1}'], ['a field without a value', '{"a":}'],
  ['a key without quotes', '{a:1}'], ['an open array', '[1'], ['an open object', '{"a":1'],
  ['an open string', '"abc'], ['a closing bracket of the wrong kind', '[1}'], ['a comment', '/*x*/1'],
  ['a line comment', '1//x\n'], ['a tab in a string', '"a\tb"'], ['a line feed in a string', '"a\nb"'],
  ['a NUL in a string', bytes('"a', [0], 'b"')], ['a raw 0x1f in a string', bytes('"', [0x1f], '"')],
  ['an unknown escape', '"\\x41"'], ['an escaped apostrophe', '"\\\'"'], ['a short \\u', '"\\u12"'],
  ['a \\u that is not hexadecimal', '"\\u12G4"'], ['a backslash at the end', '"\\"'],
  ['a form feed as white space', '\f1'], ['a no-break space as white space', bytes([0xc2, 0xa0], '1')],
  ['a NUL as white space', bytes([0], '1')], ['a byte order mark', bytes([0xef, 0xbb, 0xbf], '1')],
  ['a lone continuation byte', bytes('"', [0x80], '"')], ['0xff', bytes('"', [0xff], '"')],
  ['Latin-1', bytes('"', [0xfc], '"')], ['an overlong slash', bytes('"', [0xc0, 0xaf], '"')],
  ['an overlong NUL', bytes('"', [0xc0, 0x80], '"')], ['overlong in three', bytes('"', [0xe0, 0x80, 0xaf], '"')],
  ['overlong in four', bytes('"', [0xf0, 0x80, 0x80, 0xaf], '"')],
  ['a surrogate in UTF-8', bytes('"', [0xed, 0xa0, 0x80], '"')],
  ['a pair of surrogates in UTF-8', bytes('"', [0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80], '"')],
  ['above U+10FFFF', bytes('"', [0xf4, 0x90, 0x80, 0x80], '"')],
  ['five bytes', bytes('"', [0xf8, 0x88, 0x80, 0x80, 0x80], '"')],
  ['a cut sequence', bytes('"', [0xe2, 0x82], '"')], ['nothing', ''], ['white space', '  '],
];

/** What is strict JSON and must come back as these very bytes. */
const VERBATIM = [
  '12345678901234567890', '-0', '-0.0e-0', '1E400', '1e-400', '0.1000000000000000055511151231257827',
  '"a\\u0000b"', '"\\u0000"', '"\\/\\b\\f\\n\\r\\t\\"\\\\"', '"\\u00e9 é \\ud83d\\ude00 😀"', '"\u007f\u2028\u2029"',
  '{"b":1,"a":2,"b":3}', '{ "a" : [ 1 , { } , [ ] ] }', '[]', '{}', '""', 'null', 'true', 'false', '0',
  '{"\\u0061":1,"":2}', '"</script><!--"', '"\'; DROP TABLE message; --"', '[1,\n\t\r 2]',
  '{"key":"x","send":[{"id":"y"}],"after":5}', '"]}],\\"data\\":1"', `"${'é'.repeat(2000)}"`,
];

describe('bad input', () => {
  let stack;
  let api;
  let ada;
  let bob;
  before(async () => {
    stack = await Stack.start({ workers: 1 });
    api = stack.api;
    [ada, bob] = await roomOf(api, newRoom(), 2);
  });
  after(() => stack?.stop());

  const messageWith = (data) => bytes(`{"key":"${ada.key}","send":[{"id":"${ada.nextId()}","type":"x","data":`,
    data, '}]}');
  const exchange = (body, more) => api.room(ada.room, 'exchange', body, more);
  const sendBad = async (body, [status, code] = BAD_400, action = 'exchange') => expectProblem(
    await api.room(ada.room, action, body), status, code);

  for (const [name, text] of NOT_JSON) {
    it(`refuses ${name}: as data, as a field it does not know, as the whole body, as meta`, async () => {
      await sendBad(messageWith(text));
      await sendBad(bytes(`{"key":"${ada.key}","unknown":`, text, '}'));
      await sendBad(bytes(text));
      const room = newRoom();
      expectProblem(await api.room(room, 'join', bytes('{"meta":', text, '}')), ...BAD_400);
      expectProblem(await api.get(`/v1/rooms/${room}`), 404, 'room-not-found');
    });
  }

  it('carries data byte for byte', async () => {
    const [eve, joe] = await roomOf(api, newRoom(), 2);
    for (const data of VERBATIM) {
      const body = `{"key":"${eve.key}","send":[{"id":"${eve.nextId()}","type":"x","data": \t${data}\r\n}]}`;
      expectStatus(await api.room(eve.room, 'exchange', body), 200);
    }
    const answer = expectStatus(await joe.raw({ after: joe.cursor }), 200);
    let { text } = answer;
    for (const data of VERBATIM) {
      const field = `"data":${data}`;
      const at = text.indexOf(field);
      assert.notEqual(at, -1, `${data} in ${text.slice(0, 500)}`);
      text = text.slice(at + field.length);
      assert.match(text, /^[,}]/, `${data}, and nothing behind it`);
    }
    assert.equal(answer.json.messages.length, VERBATIM.length);
  });

  it('carries 64 levels of data and refuses 65, and a thousand, and a hundred thousand', async () => {
    const deep = (n, open = '[', close = ']') => open.repeat(n) + close.repeat(n);
    expectStatus(await exchange(messageWith(deep(64))), 200);
    await sendBad(messageWith(deep(65)));
    await sendBad(messageWith(deep(1000)));
    await sendBad(messageWith(`${'{"a":'.repeat(65)}1${'}'.repeat(65)}`));
    await sendBad(deep(30000));
    await sendBad('['.repeat(60000));
    const much = await exchange('['.repeat(100000));
    assert.ok([400, 413].includes(much.status), much.text);
  });

  it('refuses JSON of the wrong shape', async () => {
    for (const action of ['join', 'exchange', 'messages', 'leave']) {
      for (const body of ['[]', '"x"', '5', 'null', 'true', '[{}]', '{}x', '{}{}', '{} ]', '"key"']) {
        await sendBad(body, BAD_400, action);
      }
    }
  });

  it('refuses fields of the wrong type or out of bounds', async () => {
    const message = { id: 'm', type: 'x', data: 1 };
    const table = [
      { send: {} }, { send: 'x' }, { send: 5 }, { send: [5] }, { send: [null] }, { send: [[]] }, { send: ['x'] },
      { send: [{}] }, { send: [{ ...message, id: undefined }] }, { send: [{ ...message, type: undefined }] },
      { send: [{ ...message, data: undefined }] }, { send: [{ ...message, id: 5 }] },
      { send: [{ ...message, id: '' }] }, { send: [{ ...message, id: 'i'.repeat(65) }] },
      { send: [{ ...message, id: 'é'.repeat(33) }] }, { send: [{ ...message, id: 'a\0b' }] },
      { send: [{ ...message, type: '' }] }, { send: [{ ...message, type: 5 }] },
      { send: [{ ...message, type: 't'.repeat(1000) }] }, { send: [{ ...message, type: 'offer\0' }] },
      { send: [{ ...message, to: 5 }] }, { send: [{ ...message, to: {} }] },
      { send: [{ ...message, to: [bob.peer] }] },
      { wait_ms: -1 }, { wait_ms: 'x' }, { wait_ms: '5' }, { wait_ms: 1.5 }, { wait_ms: [] }, { wait_ms: true },
      { turn: -1 }, { turn: 'x' }, { turn: 1.5 }, { turn: {} },
    ];
    for (const type of ['peer-joined', 'peer-', 'room-x', 'klatch-y', 'peer-left']) {
      table.push({ send: [{ ...message, type }] });
    }
    for (const fields of table) {
      await sendBad({ key: ada.key, after: ada.cursor, ...fields });
    }
    for (const wait of ['1e309', '-1e309', '99999999999999999999999', '-0.5']) {
      const answer = await exchange(`{"key":"${ada.key}","wait_ms":${wait}}`);
      assert.ok([200, 400].includes(answer.status), answer.text);
    }
    for (const fields of [{ id: 5 }, { id: '' }, { id: {} }, { name: 5 }, { name: ['x'] }, { id: 'x'.repeat(5000) },
      { name: 'n'.repeat(5000) }, { resume: 5 }, { replaces: 5 }, { after: 5, resume: 'x' }, { name: 'a\0b' }]) {
      const room = newRoom();
      const answer = await api.room(room, 'join', fields);
      assert.ok([400, 401, 410].includes(answer.status), `${JSON.stringify(fields).slice(0, 80)}: ${answer.text}`);
      expectProblem(await api.get(`/v1/rooms/${room}`), 404, 'room-not-found');
    }
    await sendBad({ key: ada.key, soon: 'yes' }, BAD_400, 'leave');
    await sendBad({ key: ada.key }, BAD_400, 'messages');
  });

  it('refuses meta that is too large, and makes no room', async () => {
    const room = newRoom();
    const answer = await api.room(room, 'join', { meta: 'x'.repeat(65537) });
    expectProblem(answer, 413, 'message-too-large');
    expectProblem(await api.get(`/v1/rooms/${room}`), 404, 'room-not-found');
  });

  it('refuses a wait in a query that is no wait', async () => {
    const headers = { 'x-klatch-key': ada.key };
    const get = (query, more) => api.get(`/v1/rooms/${ada.room}/messages?after=${ada.cursor}${query}`, { headers, ...more });
    for (const query of ['&wait_ms=-1', '&wait_ms=x', '&wait_ms=', '&wait_ms=1.5', '&wait_ms=0x10', '&wait_ms=+5',
      '&turn=-1', '&turn=x', '&turn=', '&wait_ms=5%00', '&wait_ms=%']) {
      expectProblem(await get(query), ...BAD_400);
    }
    expectStatus(await get('&wait_ms=5&x=%zz&=&&;', { nonsense: true }), 200);
    const huge = await get('&wait_ms=99999999999999999999999999');
    assert.ok([200, 400].includes(huge.status), huge.text);
  });

  it('refuses wrong, foreign and missing keys', async () => {
    const [foreign] = await roomOf(api, newRoom(), 1);
    const keys = ['', 'x', foreign.key, ada.peer, ada.key.slice(0, -1), `${ada.key}x`, ada.key.toLowerCase(),
      `${ada.key}=`, ` ${ada.key}`, 'k'.repeat(1000), `${ada.key}\0`, `${ada.key}\0junk`, '\0', '%', "' OR 1=1 --"];
    for (const key of keys) {
      for (const action of ['exchange', 'messages', 'leave']) {
        const answer = await api.room(ada.room, action, { key, ...action !== 'leave' && { send: [ada.message(1)] } });
        const code = /\0/.test(key) || key.length > 100 || key === ''
          ? ['key-invalid', 'invalid-request'] : 'key-invalid';
        expectProblem(answer, answer.status === 400 ? 400 : 401, code);
      }
    }
    for (const name of ['key\\u0000', 'key\\u0000x', '\\u0000key']) {
      const answer = await exchange(`{"${name}":"${ada.key}"}`);
      expectProblem(answer, answer.status === 400 ? 400 : 401, ['invalid-request', 'key-invalid']);
    }
    for (const body of [{}, { after: ada.cursor }]) expectProblem(await exchange(body), 401, 'key-invalid');
    expectProblem(await exchange({ key: null }, { nonsense: true }), 401, 'key-invalid');
    for (const key of [5, {}, [], true, [ada.key]]) {
      const answer = await exchange({ key });
      expectProblem(answer, answer.status === 401 ? 401 : 400, ['key-invalid', 'invalid-request']);
    }
    for (const headers of [{ 'x-klatch-key': 'x' }, { authorization: `Basic ${ada.key}` },
      { authorization: ada.key }, { authorization: 'Bearer' }, { authorization: `Bearer ${ada.key}x` }]) {
      expectProblem(await exchange({}, { headers }), 401, 'key-invalid');
      expectProblem(await api.get(`/v1/rooms/${ada.room}/messages`, { headers }), 401, 'key-invalid');
    }
    expectStatus(await ada.raw({}), 200);
  });

  it('refuses other types of body', async () => {
    for (const type of ['text/plain', 'application/octet-stream', 'multipart/form-data; boundary=x', 'text/json',
      'application/jsonp', 'application/problem+json', 'json', ' ', 'application/json-patch+json']) {
      const answer = await api.room(ada.room, 'exchange', `{"key":"${ada.key}"}`,
        { headers: { 'content-type': type } });
      expectProblem(answer, 415, 'unsupported-type');
    }
  });

  it('refuses forms that hold no JSON', async () => {
    for (const body of ['', 'json', 'json=', 'json=%', 'json=%zz{}', 'json=%2z{}', 'x=1', 'JSON={}', 'json=%00', 'json={',
      'json=%7B%7D%00', 'json=%ff', 'json==', '&&&', 'a=json={}']) {
      expectProblem(await api.room(ada.room, 'exchange', body,
        { headers: { 'content-type': 'application/x-www-form-urlencoded' } }), ...BAD_400);
    }
  });

  it('refuses a body that is not there', async () => {
    for (const headers of [{ 'content-type': 'application/json' }, {}]) {
      const answer = await api.call('POST', `/v1/rooms/${ada.room}/exchange`, { headers });
      assert.ok([400, 415].includes(answer.status), answer.text);
    }
  });

  it('refuses bodies that are too large, and stays on its feet', async () => {
    for (const size of [65537, 200000, 262145, 390000]) {
      const answer = await exchange(messageWith(`"${'x'.repeat(size - 2)}"`));
      expectProblem(answer, 413, 'message-too-large');
    }
    const spaces = await exchange(`{"key":"${ada.key}"}${' '.repeat(380000)}`);
    expectProblem(spaces, 413, 'message-too-large');
    expectProblem(await api.room(ada.room, 'leave', `{"key":"${ada.key}","x":"${'x'.repeat(300000)}"}`),
      413, 'message-too-large');
    expectStatus(await ada.raw({}), 200);
  });

  it('refuses more messages in one send than it takes, whole', async () => {
    const send = Array.from({ length: 5000 }, (_, i) => ({ id: `${i}`, type: 'x', data: 0 }));
    const answer = await exchange({ key: ada.key, send });
    assert.ok([400, 413, 507].includes(answer.status), answer.text);
    assert.deepEqual((await bob.read()).filter((m) => m.id === '0' || m.data === 0), []);
  });

  it('refuses rooms whose names are no names', async () => {
    const names = ['x'.repeat(65), 'x'.repeat(3000), 'a.b', 'a..b', 'a%2Fb', '%2F', '%2e%2e%2f%2e%2e%2fetc',
      'a%20b', 'a+b', 'tea%C3%A9', '%FF', 'tea!', 'tea~', 'a:b', 'a@b', "a'b", 'a"b', 'a;b', 'a%0Ab',
      'a%5Cb', '%E2%80%AE', 'a*', '$(id)', '`id`', '*', 'a%3Fb', 'a%23b'];
    for (const name of names) {
      for (const answer of [await api.room(name, 'join', '{}'), await api.room(name, 'exchange', { key: ada.key }),
        await api.get(`/v1/rooms/${name}`)]) {
        const [status, code] = answer.status === 404 ? [404, 'not-found'] : BAD_400;
        expectProblem(answer, status, code);
      }
    }
  });

  it('refuses a room without a name', async () => {
    for (const path of ['/v1/rooms//join', '/v1/rooms//exchange', '/v1/rooms//']) {
      const answer = await api.post(path, { key: ada.key });
      expectProblem(answer, answer.status === 400 ? 400 : 404, ['invalid-request', 'not-found']);
    }
    const info = await api.get('/v1/rooms/');
    expectProblem(info, info.status === 400 ? 400 : 404, ['invalid-request', 'not-found']);
  });

  it('finds no way around a path', async () => {
    const { room } = ada;
    for (const path of [`/v1/rooms/${room}/`, `/v1/rooms/${room}/join/`, `/v1/rooms/${room}/join/x`,
      `/v1/rooms/${room}//join`, `/v1/rooms//${room}/join`, `/v1/rooms/${room}/JOIN`, `/v1/rooms/${room}/nothing`,
      `/v1/%72ooms/${room}/joi`, '/v1/rooms/x/../../v1x', '/?x=/v1/rooms/tea/join', '/v1?/v1/rooms/tea/join',
      `/v1/rooms/${room}/peers`, '/v1/join']) {
      const answer = await api.post(path, '{}');
      expectProblem(answer, answer.status === 400 ? 400 : 404, ['not-found', 'invalid-request']);
    }
  });

  it('knows each path\'s methods', async () => {
    const { room } = ada;
    for (const [method, path] of [['GET', 'join'], ['GET', 'exchange'], ['GET', 'leave'], ['PUT', 'messages'],
      ['DELETE', 'messages'], ['PATCH', 'exchange'], ['DELETE', '']]) {
      const where = path === '' ? `/v1/rooms/${room}` : `/v1/rooms/${room}/${path}`;
      expectProblem(await api.call(method, where), 405, 'method-not-allowed');
    }
    expectProblem(await api.post(`/v1/rooms/${room}`, '{}'), 405, 'method-not-allowed');
  });

  it('is as it was after all of it', async () => {
    const [eve, joe] = await roomOf(api, newRoom(), 2);
    await eve.say('whole');
    assert.equal((await joe.notes(1))[0].data, 'whole');
    expectStatus(await api.room(newRoom(), 'join', { id: newId() }), 201);
    assert.deepEqual(stack.workers(), stack.firstWorkers, 'the same process as before');
  });
});

// openapi.yaml and the sources say the same. That it is what the program answers is seen by every other
// file here, through lib/api.mjs.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { describe } from 'node:test';
import { KlatchProblem } from '../../public_html/klatch/problem.js';
import { it } from './lib/it.mjs';
import { Description, readDescription } from './lib/openapi.mjs';
import { ROOT } from './lib/run-dir.mjs';

const SOURCES = fs.readdirSync(path.join(ROOT, 'src')).filter((name) => name.endsWith('.c'))
  .map((name) => fs.readFileSync(path.join(ROOT, 'src', name), 'utf8')).join('\n');
const sorted = (set) => [...new Set(set)].sort();
const document = readDescription();

/** Every problem that the description promises, as "404 not-found". */
function describedProblems(paths = document.paths) {
  const judge = new Description(document);
  const other = document['x-otherwise'];
  const answers = [['404', other['no-such-path']], ['405', other['another-method']],
    ...Object.values(paths).flatMap((item) => Object.values(item))
      .flatMap((operation) => Object.entries(operation.responses ?? {}))];
  return answers.flatMap(([status, answer]) => (judge.resolve(answer).content?.['application/problem+json']
    ?.schema.properties.code.enum ?? []).map((code) => `${status} ${code}`));
}

const health = (change) => ({
  status: 200,
  text: '',
  bytes: Buffer.alloc(2),
  headers: { 'content-type': 'application/json', 'cache-control': 'no-store', vary: 'Origin', 'x-content-type-options': 'nosniff' },
  json: {
    status: 'ok', version: '1.2.3', arch: 'x86_64', mode: 'cgi', polls: 'process', process_per_poll: true, hold_ms: 1,
    polls_max: 1, time_ms: 1, place: '', host: '0123456789abcdef', features: ['ice'],
    limits: { members: 1, meta_bytes: 1, message_bytes: 1, mailbox_bytes: 1, mailbox_messages: 1, sends: 1 },
  },
  ...change,
});

describe('openapi.yaml', () => {
  it('has every call of the program, and none besides', () => {
    const table = fs.readFileSync(path.join(ROOT, 'src/route.c'), 'utf8');
    const routes = [...table.matchAll(/\{ HTTP_(GET|POST), "\/v1(\/[^"]*)"/g)].map(([, method, where]) => `${method} ${where}`);
    assert.ok(routes.length > 10);
    const described = Object.entries(document.paths).flatMap(([where, item]) => Object.keys(item)
      .filter((key) => key !== 'parameters').map((method) => `${method.toUpperCase()} ${where}`));
    assert.deepEqual(sorted(described), sorted(routes));
  });

  it('has every code of a problem in the sources, and none besides', () => {
    const problems = [...SOURCES.matchAll(/\bPROBLEM(?:_RETRY)?\(\s*(\d+),\s*"([a-z-]+)"/g)].map(([, status, code]) => `${status} ${code}`);
    const told = [...SOURCES.matchAll(/\bPROBLEM(?:_RETRY)?\(/g)];
    assert.equal(problems.length, told.length, 'each stands as a literal behind its status');
    assert.deepEqual(sorted(describedProblems()), sorted(problems));
  });

  it('has every code that deploy/API.md explains, and none besides', () => {
    const page = fs.readFileSync(path.join(ROOT, 'deploy/API.md'), 'utf8');
    const rows = [...page.matchAll(/^\| `([a-z-]+)` \| (\d{3}) \| ([^|]+) \| ([^|]+) \|$/gm)].map(([, code, status]) => `${status} ${code}`);
    assert.equal(rows.length, sorted(rows).length, 'each once');
    assert.deepEqual(sorted(rows), sorted(describedProblems()));
  });

  it('has no code in a room for which the SDK has no sentence', () => {
    const rooms = Object.entries(document.paths).filter(([where]) => where.startsWith('/rooms/'));
    const codes = describedProblems(Object.fromEntries(rooms)).map((problem) => problem.split(' ')[1]);
    assert.ok(codes.length > 20);
    for (const code of new Set(codes)) assert.doesNotMatch(new KlatchProblem(code).message, /Something went wrong/, code);
  });

  it('has every finding of the doctor, and none besides', () => {
    const found = [...SOURCES.matchAll(/\b(?:doctor_find|doctor_find_at|check_mode|check_limit|find_owner|check_url)\(d,([^;]*);/g)]
      .flatMap(([, rest]) => [...rest.matchAll(/"([a-z]+-[a-z-]+|refusing)"/g)].map((match) => match[1]));
    assert.deepEqual(sorted(document.components.schemas.Finding.properties.code.enum), sorted(found));
  });

  it('is a judge that notices what is not described', () => {
    const judge = new Description(document);
    const call = { method: 'GET', path: '/v1/health', headers: {} };
    const refuses = (change, reason, called = call) => assert.throws(() => judge.check({ ...call, ...called }, health(change)), reason);
    judge.check(call, health({}));
    refuses({ status: 202 }, /status 202/);
    refuses({ json: { ...health({}).json, extra: 1 } }, /extra/);
    refuses({ json: { ...health({}).json, polls: 'other' } }, /polls/);
    refuses({ json: { ...health({}).json, features: ['new'] } }, /features/);
    refuses({ headers: { ...health({}).headers, 'x-new': '1' } }, /x-new/);
    refuses({ headers: { ...health({}).headers, vary: undefined } }, /Vary/);
    refuses({ headers: { ...health({}).headers, 'content-type': 'text/html' } }, /text\/html/);
    refuses({}, /query: x/, { path: '/v1/health?x=1' });
    const problem = { title: 'Bad Request', status: 400, code: 'bad-cursor', detail: '' };
    const headers = { ...health({}).headers, 'content-type': 'application/problem+json' };
    refuses({ status: 400, json: problem, headers }, /code/);
    refuses({ status: 400, json: { ...problem, code: 'invalid-request' }, headers }, /knows why/);
  });

  it('is a judge of bodies, whichever type carries them', () => {
    const judge = new Description(document);
    const complaints = (body, type = 'application/json', where = 'exchange') => judge.request({
      method: 'POST', path: `/v1/rooms/tea/${where}`, headers: { 'content-type': type }, body: Buffer.from(body),
    });
    const form = 'application/x-www-form-urlencoded; charset=UTF-8';
    const message = { id: 'a', type: 'note', data: null };
    assert.deepEqual(complaints(JSON.stringify({ key: 'k', send: [message] })), []);
    assert.deepEqual(complaints('json=%7B%22key%22%3A%22k%22%7D', form), []);
    const wrong = [['{'], ['{"keys":"k"}'], ['{"key":1}'], ['{"wait_ms":1.5}'], ['json=%7B', form], ['json={}&x=1', form], ['{}', 'text/plain'],
      [JSON.stringify({ send: [{ ...message, id: 'ü'.repeat(33) }] })], [JSON.stringify({ send: [{ ...message, type: 'peer-x' }] })],
      [`{"send":[{"id":"a","type":"note","data":${'['.repeat(65)}${']'.repeat(65)}}]}`], [Buffer.from([0x22, 0xff, 0x22])]];
    for (const [body, type] of wrong) assert.notDeepEqual(complaints(body, type), [], String(body));
  });
});

// What is told to who gives an address at which there is no Klatch, or another one.
import './lib/browserish.mjs';
import assert from 'node:assert/strict';
import http from 'node:http';
import test from 'node:test';
import { FakeNet } from './lib/fake-rtc.mjs';
import { joinRoom } from '../../public_html/klatch/index.js';

const HEALTH = JSON.stringify({ status: 'ok', version: '9.1.0', features: [] });

/**
 * A server that is something else.
 * @param {(path: string, method: string) => [number, string, string, object?]} answer status, type, body, headers
 */
async function somewhere(t, answer) {
  const asked = [];
  const server = http.createServer((request, response) => {
    request.resume();
    asked.push(`${request.method} ${request.url}`);
    const [status, type, body, headers = {}] = answer(request.url, request.method);
    response.writeHead(status, { 'Content-Type': type, ...headers });
    response.end(body);
  });
  await new Promise((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  t.after(() => new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  }));
  return { origin: `http://127.0.0.1:${server.address().port}`, asked };
}

const env = (more = {}) => ({ page: new EventTarget(), locks: null, storage: null, channel: () => null, rtc: new FakeNet().Connection, ...more });
const problemOf = (api, more) => joinRoom({ api, room: 'tea', env: env(more) }).then(() => assert.fail('joined'), (problem) => problem);

for (const [what, answer, code, sentence] of [
  ['a web page', () => [200, 'text/html', '<!doctype html><h1>Hello</h1>'], 'not-klatch', /^A web page is at .*\/v1, not Klatch\. Check the address/],
  ['nothing', () => [404, 'text/html', '<h1>Not Found</h1>'], 'not-klatch', /^There is nothing at .*\/v1\. Check the address/],
  ['a redirect', () => [301, 'text/html', 'moved', { Location: '/elsewhere' }], 'not-klatch', /leads elsewhere\. Give the address that it leads to/],
  ['a redirect that keeps the method', () => [308, 'text/plain', '', { Location: '/elsewhere' }], 'not-klatch', /leads elsewhere/],
  ['JSON of something else', () => [200, 'application/json', '{"ok":true}'], 'not-klatch', /^Something other than Klatch is at/],
  ['an error of another program', () => [404, 'application/json', '{"code":"rest_no_route","message":"x"}'], 'not-klatch', /^There is nothing at/],
  ['an empty answer', () => [204, 'text/plain', ''], 'not-klatch', /^Something other than Klatch/],
  ['a list', () => [200, 'application/json', '[]'], 'not-klatch', /^Something other than Klatch/],
  ['cut JSON', () => [200, 'application/json', '{"peer":"x'], 'not-klatch', /^Something other than Klatch/],
  ['text that says it is JSON and is a page', () => [200, 'application/json', '<html>'], 'not-klatch', /^Something other than Klatch/],
  ['a Klatch of another version', (path) => (path.endsWith('/health') ? [200, 'application/json', HEALTH]
    : [200, 'application/json', '{"member":1}']), 'other-version', /another|version that this page does not understand/],
]) {
  test(`${what} at the address is told as ${code}, with what to do`, async (t) => {
    const { origin, asked } = await somewhere(t, answer);
    const problem = await problemOf(`${origin}/api/v1`);
    assert.equal(problem.name, 'KlatchProblem');
    assert.equal(problem.code, code);
    assert.match(problem.message, sentence);
    assert.ok(problem.cause, 'what it was before is kept');
    assert.ok(asked.length <= 3, asked.join());
    assert.ok(!asked.some((one) => one.includes('elsewhere')), 'a redirect is not followed');
  });
}

for (const [given, wanted] of [['/api', '/api/v1'], ['/api/v2', '/api/v1'], ['/api/v2/', '/api/v1']]) {
  test(`where version 1 is beside ${given} its address is told`, async (t) => {
    const { origin } = await somewhere(t, (path) => (path === '/api/v1/health' ? [200, 'application/json', HEALTH]
      : [404, 'application/problem+json', '{"code":"not-found","detail":"There is no such call."}']));
    const problem = await problemOf(origin + given);
    assert.equal(problem.code, 'other-version');
    assert.ok(problem.message.includes(`${origin}${wanted}.`), problem.message);
  });
}

for (const api of [undefined, null, '', '/api/v1', 'nonsense', 'ftp://example.org/v1', 'javascript:alert(1)', 'https://', 7, {}]) {
  test(`${JSON.stringify(api)} is no address where there is no page, and that is told at once`, async () => {
    const problem = await problemOf(api);
    assert.equal(problem.code, 'not-klatch', problem.stack);
    assert.match(problem.message, /is no address\. Give the whole one/);
  });
}

test('a server that answers, but not to pages of this site, is told apart from one that is away', async () => {
  const refusing = async (url, { mode } = {}) => {
    if (mode === 'no-cors') return { json: async () => JSON.parse('') };
    throw new TypeError('Failed to fetch');
  };
  const base = 'https://shop.example/';
  const now = Date.now;
  // The ten seconds of trying pass at once.
  Date.now = () => now() + 1e4 * (Date.calls = (Date.calls ?? 0) + 1);
  const [refused, away] = await Promise.all([problemOf('https://klatch.example/api/v1', { base, fetch: refusing }),
    problemOf('https://klatch.example/api/v1', { base, fetch: () => Promise.reject(new TypeError('no')) })])
    .finally(() => {
      Date.now = now;
    });
  assert.deepEqual([refused.code, away.code], ['origin-refused', 'network']);
  assert.match(refused.message, /^The server of https:\/\/klatch\.example answers, but not to pages of https:\/\/shop\.example\./);
});

test('a join that was called off before it began asks nobody', async (t) => {
  const { origin, asked } = await somewhere(t, () => [200, 'text/html', 'x']);
  const options = { api: `${origin}/v1`, room: 'tea', env: env() };
  await assert.rejects(joinRoom({ ...options, signal: AbortSignal.abort('changed my mind') }), { code: 'aborted', cause: 'changed my mind' });
  assert.deepEqual(asked, []);
});

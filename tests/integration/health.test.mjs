import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import { expectProblem, expectStatus } from './lib/api.mjs';
import { it } from './lib/it.mjs';
import { Stack } from './lib/stack.mjs';

describe('health', () => {
  let stack;
  before(async () => { stack = await Stack.start(); });
  after(() => stack?.stop());

  it('tells version, mode and features', async () => {
    const { json } = expectStatus(await stack.api.get('/v1/health'), 200);
    assert.equal(json.status, 'ok');
    assert.match(json.version, /^\d+\.\d+\.\d+/);
    assert.equal(json.mode, 'fastcgi');
    assert.equal(json.polls, 'parked', 'nginx lets polls be parked');
    assert.ok(Array.isArray(json.features));
    assert.ok(json.features.every((feature) => typeof feature === 'string'));
  });

  it('answers under the path of a shared host, and under the short one', async () => {
    for (const base of ['/api', '/cgi-bin/klatch.fcgi']) {
      const answer = await stack.entry(base).get('/v1/health');
      assert.equal(expectStatus(answer, 200).json.polls, 'parked', base);
    }
  });

  it('ignores a query', async () => {
    expectStatus(await stack.api.get('/v1/health?x=1&%ff=%00', { nonsense: true }), 200);
  });

  it('knows GET and POST only, and says which', async () => {
    for (const method of ['PUT', 'DELETE', 'PATCH', 'PROPFIND']) {
      expectProblem(await stack.api.call(method, '/v1/health'), 405, 'method-not-allowed');
    }
    const post = expectProblem(await stack.api.post('/v1/health', {}), 405, 'method-not-allowed');
    assert.match(post.headers.allow, /GET/);
    assert.doesNotMatch(post.headers.allow, /POST/);
  });

  it('answers 404 where there is nothing', async () => {
    for (const path of ['/', '/v1', '/v1/', '/v1/health/', '/v1/healthy', '/v2/health', '/v1/rooms',
      '/V1/health', '/v1/nothing?x=/v1/health',
      '/?x=/v1/health', '/x?/v1/health']) {
      expectProblem(await stack.api.get(path), 404, 'not-found');
    }
  });

  it('answers on one kept connection many times', async () => {
    for (let i = 0; i < 50; i += 1) expectStatus(await stack.api.get('/v1/health'), 200);
  });

  it('serves the page beside it', async () => {
    const answer = await stack.entry('').send({ method: 'GET', path: '/' });
    assert.equal(answer.status, 200);
    assert.match(answer.headers['content-type'], /^text\/html/);
    assert.match(answer.text, /<title>Klatch/);
  });

  it('serves the description of the API beside the page', async () => {
    const answer = await stack.entry('').send({ method: 'GET', path: '/openapi.yaml' });
    assert.equal(answer.status, 200);
    assert.match(answer.headers['content-type'], /^application\/yaml/);
    assert.match(answer.text, /^openapi: 3\.1/m);
  });
});

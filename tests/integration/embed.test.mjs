import assert from 'node:assert/strict';
import { after, before, describe } from 'node:test';
import { expectProblem, expectStatus } from './lib/api.mjs';
import { it } from './lib/it.mjs';
import { Stack } from './lib/stack.mjs';

const ask = (ancestor) => `/v1/embed?ancestor=${encodeURIComponent(ancestor)}`;

describe('who may show embed.html in a frame', () => {
  let stack;
  let nobody;
  before(async () => {
    stack = await Stack.start({ workers: 1, config: { frame_ancestors: 'https://shop.example https://*.blog.example http://localhost:3000' } });
    nobody = await Stack.start({ workers: 1 });
  });
  after(async () => {
    await stack?.stop();
    await nobody?.stop();
  });

  it('is whoever the configuration names, exactly', async () => {
    for (const [origin, allowed] of [
      ['https://shop.example', true], ['https://a.blog.example', true], ['https://a.b.blog.example', true], ['http://localhost:3000', true],
      ['https://blog.example', false], ['http://shop.example', false], ['https://shop.example:8443', false], ['https://shop.example.evil', false],
      ['https://evilshop.example', false], ['https://SHOP.example', false], ['null', false], ['*', false], ['https://shop.example/', false],
      ['https://evilblog.example', false], ['https://*.blog.example', false], ['https://shop.example https://evil.example', false],
    ]) {
      assert.deepEqual(expectStatus(await stack.api.get(ask(origin)), 200).json, { allowed }, origin);
    }
  });

  it('is nobody unless told', async () => {
    assert.deepEqual(expectStatus(await nobody.api.get(ask('https://shop.example')), 200).json, { allowed: false });
  });

  it('has to be asked of one origin', async () => {
    for (const query of ['', '?', '?ancestor=', '?other=https://shop.example', `?ancestor=${'x'.repeat(300)}`, '?ancestor=%zz']) {
      expectProblem(await stack.api.get(`/v1/embed${query}`, { nonsense: true }), 400, 'invalid-request');
    }
  });
});

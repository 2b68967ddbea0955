// What an element says on a page of another site that the Klatch it came from does not name.
import assert from 'node:assert/strict';
import test from 'node:test';
import { galleryHere } from './browser.mjs';
import { serve } from './serve.mjs';

const here = galleryHere();

test('an element whose Klatch is closed to the page\'s site says so, and names the setting', async (t) => {
  const other = await serve();
  t.after(() => other.close());
  const context = await here.browser.newContext();
  t.after(() => context.close());
  const page = await context.newPage();
  const asked = [];
  // The server there answers 404, which pages of other sites may not read.
  page.on('request', (request) => asked.push(request.url()));
  await page.goto(`${other.url}fake/host.html?from=${here.server.url}fake/`);
  await page.waitForFunction(() => customElements.get('klatch-room'));
  const { code, message } = await page.evaluate(() => document.querySelector('klatch-room').join()
    .catch((problem) => ({ code: problem.code, message: problem.message })));
  assert.equal(code, 'origin-refused', message);
  const [there, site] = [here.server.url, other.url].map((address) => new URL(address).origin);
  assert.equal(message, `The server of ${there} answers, but not to pages of ${site}. Whoever runs it has to name that in "origins".`);
  await page.getByText('is closed to this site').waitFor();
  assert.ok(asked.includes(`${other.url}fake/api/v1/health`), 'the page\'s own site was asked too');
});

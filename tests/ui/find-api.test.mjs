import assert from 'node:assert/strict';
import http from 'node:http';
import test from 'node:test';
import { findApi } from '../../public_html/ui/find-api.js';

/** Run `body` with a site that answers `paths` and nothing else. */
async function withSite(paths, body) {
  const server = http.createServer((request, response) => {
    const [status, text] = paths[request.url] ?? paths.any ?? [404, 'none'];
    response.writeHead(status, { Connection: 'close' }).end(text);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await body(`http://127.0.0.1:${server.address().port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const HEALTHY = [200, '{"status":"ok","version":"0.1.0"}'];

for (const place of ['api/v1', 'cgi-bin/klatch.fcgi/v1', 'cgi-bin/klatch.cgi/v1']) {
  test(`the API is found at ${place}, beside a page in a folder`, async () => {
    await withSite({ [`/talk/${place}/health`]: HEALTHY }, async (site) => {
      assert.equal(await findApi(`${site}/talk/index.html#tea`), `${site}/talk/${place}`);
    });
  });
}

test('a rewrite that answers everything with a page is no API', () => withSite({
  any: [200, '<!doctype html>'], '/cgi-bin/klatch.cgi/v1/health': HEALTHY,
}, async (site) => {
  assert.equal(await findApi(`${site}/`), `${site}/cgi-bin/klatch.cgi/v1`);
}));

for (const [why, paths, code] of [
  ['no place knows of an API', {}, 'not-found'],
  ['the backend is stopped', { '/api/v1/health': [502, 'Bad Gateway'] }, 'not-klatch'],
  ['the backend says it is ill', { '/api/v1/health': [503, '{"status":"ill","version":"0.1.0"}'] }, 'not-klatch'],
]) {
  test(`${why}: ${code}`, () => withSite(paths, (site) => assert.rejects(findApi(`${site}/`), { code })));
}

test('nobody answers: network', () => assert.rejects(findApi('http://127.0.0.1:9/'), { code: 'network' }));

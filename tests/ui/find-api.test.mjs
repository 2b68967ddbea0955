import assert from 'node:assert/strict';
import http from 'node:http';
import test, { beforeEach } from 'node:test';
import { findApi } from '../../public_html/ui/find-api.js';
import { PLACES } from '../../public_html/ui/places.js';

const HEALTHY = [200, '{"status":"ok","version":"0.1.0"}'];
const SILENT = 'silent';
const storage = new Map();
globalThis.localStorage = {
  getItem: (key) => storage.get(key) ?? null,
  setItem: (key, value) => storage.set(key, String(value)),
  removeItem: (key) => storage.delete(key),
};
beforeEach(() => storage.clear());

/** Run `body` with a site that answers `paths` and nothing else. */
async function withSite(paths, body) {
  const asked = [];
  const server = http.createServer((request, response) => {
    asked.push(request.url);
    const answer = paths[request.url] ?? paths.any ?? [404, 'none'];
    if (answer === SILENT) return;
    const [status, text, afterMs = 0] = answer;
    setTimeout(() => response.writeHead(status, { Connection: 'close' }).end(text), afterMs);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await body(`http://127.0.0.1:${server.address().port}`, asked);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

for (const place of PLACES) {
  test(`the API is found at ${place}, beside a page in a folder`, async () => {
    const path = new URL(place, 'http://host/talk/').pathname;
    await withSite({ [`${path}/health`]: HEALTHY }, async (site) => {
      assert.equal(await findApi(`${site}/talk/index.html#tea`), `${site}${path}`);
    });
  });
}

test('FastCGI is taken before plain CGI, also when it takes a moment to start', () => withSite({
  '/talk/cgi-bin/klatch.fcgi/v1/health': [...HEALTHY, 500], '/talk/cgi-bin/klatch.cgi/v1/health': HEALTHY,
}, async (site) => {
  assert.equal(await findApi(`${site}/talk/`), `${site}/talk/cgi-bin/klatch.fcgi/v1`);
}));

test('places that never answer keep nobody waiting', () => withSite({
  '/api/v1/health': SILENT, '/cgi-bin/klatch.fcgi/v1/health': SILENT, '/cgi-bin/klatch.cgi/v1/health': HEALTHY,
}, async (site) => {
  const since = Date.now();
  assert.equal(await findApi(`${site}/`), `${site}/cgi-bin/klatch.cgi/v1`);
  assert.ok(Date.now() - since < 7500, `${Date.now() - since} ms, where one is waited for 8 s`);
}));

test('a rewrite that answers everything with a page is no API', () => withSite({
  any: [200, '<!doctype html>'], '/cgi-bin/klatch.cgi/v1/health': HEALTHY,
}, async (site) => {
  assert.equal(await findApi(`${site}/`), `${site}/cgi-bin/klatch.cgi/v1`);
}));

test('what answered is asked first the next time, and alone while it answers', () => withSite({
  '/talk/cgi-bin/klatch.fcgi/v1/health': HEALTHY,
}, async (site, asked) => {
  await findApi(`${site}/talk/`);
  asked.length = 0;
  assert.equal(await findApi(`${site}/talk/index.html`), `${site}/talk/cgi-bin/klatch.fcgi/v1`);
  assert.deepEqual(asked, ['/talk/cgi-bin/klatch.fcgi/v1/health']);
}));

test('a remembered place that fails is left for one that answers', () => {
  const paths = { '/cgi-bin/klatch.fcgi/v1/health': HEALTHY };
  return withSite(paths, async (site) => {
    await findApi(`${site}/`);
    paths['/cgi-bin/klatch.fcgi/v1/health'] = [500, 'broken'];
    paths['/cgi-bin/klatch.cgi/v1/health'] = HEALTHY;
    assert.equal(await findApi(`${site}/`), `${site}/cgi-bin/klatch.cgi/v1`);
  });
});

test('plain CGI is remembered for a day, then FastCGI gets another chance', () => {
  const paths = { '/cgi-bin/klatch.cgi/v1/health': HEALTHY };
  return withSite(paths, async (site) => {
    await findApi(`${site}/`);
    paths['/cgi-bin/klatch.fcgi/v1/health'] = HEALTHY;
    assert.equal(await findApi(`${site}/`), `${site}/cgi-bin/klatch.cgi/v1`);
    const [[key, value]] = storage;
    storage.set(key, JSON.stringify({ ...JSON.parse(value), at: Date.now() - 25 * 3600 * 1000 }));
    assert.equal(await findApi(`${site}/`), `${site}/cgi-bin/klatch.fcgi/v1`);
  });
});

test('a place remembered for another folder is not asked', () => withSite({
  '/one/cgi-bin/klatch.cgi/v1/health': HEALTHY, '/two/cgi-bin/klatch.fcgi/v1/health': HEALTHY,
}, async (site, asked) => {
  await findApi(`${site}/one/`);
  asked.length = 0;
  assert.equal(await findApi(`${site}/two/`), `${site}/two/cgi-bin/klatch.fcgi/v1`);
  assert.ok(!asked.some((path) => path.startsWith('/one/')), String(asked));
}));

for (const value of ['{"place":"https://elsewhere.example/v1","at":1}', '{"place":"//elsewhere.example/v1"}', 'torn{', 'null']) {
  test(`a remembered place that is none of ours is not asked: ${value}`, () => withSite({
    '/api/v1/health': HEALTHY,
  }, async (site) => {
    storage.set('klatch-api /', value);
    assert.equal(await findApi(`${site}/`), `${site}/api/v1`);
    assert.equal(JSON.parse(storage.get('klatch-api /')).place, 'api/v1');
  }));
}

test('a browser that refuses storage finds the API all the same', () => withSite({
  '/api/v1/health': HEALTHY,
}, async (site) => {
  const real = globalThis.localStorage;
  Object.defineProperty(globalThis, 'localStorage', { get: () => { throw new Error('refused'); }, configurable: true });
  try {
    assert.equal(await findApi(`${site}/`), `${site}/api/v1`);
  } finally {
    Object.defineProperty(globalThis, 'localStorage', { value: real, writable: true, configurable: true });
  }
}));

for (const [why, paths, code] of [
  ['no place knows of an API', {}, 'not-found'],
  ['the backend is stopped', { '/api/v1/health': [502, 'Bad Gateway'] }, 'not-klatch'],
  ['the backend says it is ill', { '/api/v1/health': [503, '{"status":"ill","version":"0.1.0"}'] }, 'not-klatch'],
]) {
  test(`${why}: ${code}`, () => withSite(paths, (site) => assert.rejects(findApi(`${site}/`), { code })));
}

test('nobody answers: network', () => assert.rejects(findApi('http://127.0.0.1:9/'), { code: 'network' }));

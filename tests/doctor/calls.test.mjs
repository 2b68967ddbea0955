// Requests that don't pass: front servers in nginx and Apache, each with one bad habit, before one
// Klatch behind nginx.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe } from 'node:test';
import net from 'node:net';
import { it } from '../integration/lib/it.mjs';
import { Nginx, TlsProxy } from '../servers/lib/nginx.mjs';
import { freePort } from '../servers/lib/web-server.mjs';
import { Doctor, openBrowser, withoutHolds } from './lib/doctor.mjs';
import { Fronts } from './lib/fronts.mjs';
import { HOLDS } from './lib/sites.mjs';

const CALLS = 'Calls, their sizes and headers';
const PLACE = 'Whether the program can be run';

let behind;
let fronts;
let silent;
let browser;
before(async () => {
  behind = await Nginx.start({ config: HOLDS });
  silent = net.createServer().listen(0, '127.0.0.1');
  await once(silent, 'listening');
  fronts = await Fronts.start(behind, {
    'no-post': 'location /api/ { limit_except GET { deny all; } PROXY }',
    'no-json': 'location /api/ { if ($content_type ~ json) { return 403; } PROXY }',
    'no-form': 'location /api/ { if ($content_type ~ form) { return 406; } PROXY }',
    'no-options': 'location /api/ { if ($request_method = OPTIONS) { return 405; } PROXY }',
    'small-body': 'location /api/ { client_max_body_size 20k; PROXY }',
    'lost-key': 'location /api/ { proxy_set_header X-Klatch-Key ""; PROXY }',
    'lost-authorization': 'location /api/ { proxy_set_header Authorization ""; PROXY }',
    gateway: 'location ~ ^/(api|f?cgi-bin)/ { proxy_pass http://127.0.0.1:1; }',
    full: 'location ~ ^/(api|f?cgi-bin)/ { return 508; }',
    busy: 'location ~ ^/(api|f?cgi-bin)/ { return 503; }',
    elsewhere: 'location ~ ^/(api|f?cgi-bin)/ { rewrite ^ /index.html break; PROXY }',
    silent: `location ~ ^/(api|f?cgi-bin)/ { proxy_pass http://127.0.0.1:${silent.address().port}; }`,
  });
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  silent?.close();
  await fronts?.stop();
  await behind?.stop();
});

async function told(url, code, check = CALLS, before_ = withoutHolds) {
  const doctor = await Doctor.open(browser, url, { before: before_ });
  try {
    await doctor.checked(check);
    const codes = await doctor.codes();
    assert.ok(codes.includes(code), `${code} is not among ${codes}; right is ${await doctor.good()}`);
    return { codes, words: await doctor.words(code), bad: await doctor.codes('bad') };
  } finally {
    await doctor.close();
  }
}

// They mostly wait.
describe('requests that don’t pass', { concurrency: 2 }, () => {
  for (const [code, front, what, words] of [
    ['K-POST', 'no-post', 'POST is refused', /\(403\)/],
    ['K-JSON', 'no-json', 'JSON is refused', /forms do/],
    ['K-FORM', 'no-form', 'forms are refused', /\(406\), JSON does/],
    ['K-OPTIONS', 'no-options', 'OPTIONS is refused', /\(405\)/],
    ['K-BODY', 'small-body', 'large bodies are refused', /\(413\)[\s\S]*100 kB did not arrive whole; 16 kB did/],
    ['K-HEADER', 'lost-key', 'X-Klatch-Key is dropped', /admin\.html/],
    ['K-AUTH', 'lost-authorization', 'Authorization is dropped', /X-Klatch-Key instead/],
  ]) {
    it(`${code}: ${what}`, async () => {
      const found = await told(fronts.url(front), code);
      assert.match(found.words, words);
      assert.deepEqual(found.bad, code === 'K-POST' ? ['K-POST'] : []);
    });
  }
});

describe('something else in the program’s place', { concurrency: 2 }, () => {
  for (const [code, front, what, words] of [
    ['K-GATEWAY', 'gateway', 'the program behind the front server is away', /\(502\)/],
    ['K-BUSY', 'full', 'the host says that all its processes are taken', /\(508\)/],
    ['K-ANSWER', 'elsewhere', 'a rule answers every address with a page', /Something else answers/],
    ['K-SILENT', 'silent', 'the program takes connections and says nothing', /within \d+ seconds/],
  ]) {
    it(`${code}: ${what}`, async () => {
      assert.match((await told(fronts.url(front), code, PLACE)).words, words);
    });
  }

  it('K-BUSY: a front server says 503', async () => {
    assert.match((await told(fronts.url('busy'), 'K-BUSY', PLACE)).words, /\(503\)/);
  });
});

describe('what only the address tells', () => {
  it('K-PROXY: a front server ends TLS and doesn’t say so', async () => {
    const proxy = await TlsProxy.start(behind);
    const file = path.join(proxy.dir, 'klatch-nginx.conf');
    await proxy.end();
    fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace('proxy_set_header X-Forwarded-Proto https;', ''));
    proxy.port = await freePort();
    fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace(/listen 127\.0\.0\.1:\d+/, `listen 127.0.0.1:${proxy.port}`));
    await proxy.run(['nginx', '-e', path.join(proxy.dir, 'nginx.log'), '-p', proxy.dir, '-c', path.join(proxy.dir, 'nginx.conf'), '-g', 'daemon off;']);
    try {
      const found = await told(`${proxy.page}/`, 'K-PROXY');
      assert.deepEqual(found.bad, []);
    } finally {
      await proxy.stop();
    }
  });

  it('K-HTTPS: the page came over http', async () => {
    const plain = await openBrowser({ args: ['--host-resolver-rules=MAP klatch.test 127.0.0.1'] });
    try {
      const doctor = await Doctor.open(plain, `${behind.page.replace('localhost', 'klatch.test')}/`, { before: withoutHolds });
      await doctor.found('K-HTTPS');
      assert.match(await doctor.words('K-HTTPS'), /camera and microphone[\s\S]*AutoSSL/);
      await doctor.checked(CALLS);
      assert.ok((await doctor.good()).some((line) => line.includes('100 kB')));
      await doctor.close();
    } finally {
      await plain.close();
    }
  });

  it('K-CLOCK: the browser’s clock is ten minutes behind the host’s', async () => {
    const found = await told(`${behind.page}/`, 'K-CLOCK', 'This page and its address', async (page) => {
      await withoutHolds(page);
      await page.addInitScript(() => {
        const { now } = Date;
        Date.now = () => now() - 600_000;
      });
    });
    assert.match(found.words, /10 minutes apart/);
  });

  it('K-WEBRTC: a browser that can make no calls', async () => {
    await told(`${behind.page}/`, 'K-WEBRTC', 'This page and its address', async (page) => {
      await withoutHolds(page);
      await page.addInitScript(() => { delete globalThis.RTCPeerConnection; });
    });
  });

  it('K-LIMIT: somebody at this address asked too often', async () => {
    const ask = () => fetch(`${behind.page}/api/v1/doctor/report`, {
      method: 'POST', body: '{}', headers: { 'Content-Type': 'application/json' },
    });
    const before_ = (page) => page.route('**/doctor/report', async (route) => {
      let response;
      // One more is allowed every moment.
      do {
        while ((await ask()).status !== 429);
        response = await route.fetch();
      } while (response.status() !== 429);
      await route.fulfill({ response });
    });
    await told(`${behind.page}/`, 'K-LIMIT', 'What the program says of itself', before_);
  });
});

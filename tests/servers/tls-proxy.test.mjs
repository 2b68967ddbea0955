// A host's front end speaks TLS to browsers and plain HTTP to Apache behind it.
import assert from 'node:assert/strict';
import https from 'node:https';
import { after, before, describe } from 'node:test';
import { launch } from '../browser/lib/participant.mjs';
import { it } from '../integration/lib/it.mjs';
import { Apache } from './lib/apache.mjs';
import { SUITE_CONFIG } from './lib/api-suite.mjs';
import { meet } from './lib/call-suite.mjs';
import { TlsProxy } from './lib/nginx.mjs';

function get(url) {
  return new Promise((resolve, reject) => {
    https.get(url, { rejectUnauthorized: false, family: 4 }, (response) => {
      let text = '';
      response.on('data', (part) => { text += part; });
      response.on('end', () => resolve({ status: response.statusCode, text }));
    }).on('error', reject);
  });
}

describe('a proxy that ends TLS, with Apache behind it', () => {
  let browser;
  before(async () => { browser = await launch(['--ignore-certificate-errors']); });
  after(() => browser?.close());

  for (const [where, subFolder, host] of [['in a sub-folder', true, 'localhost'], ['on a sub-domain', false, 'talk.localhost']]) {
    it(`serves page and API ${where}`, async () => {
      const apache = await Apache.start({ subFolder, config: SUITE_CONFIG });
      const proxy = await TlsProxy.start(apache);
      const page = `https://${host}:${proxy.port}${apache.base}`;
      try {
        const health = await get(`https://localhost:${proxy.port}${apache.base}${apache.entry}/v1/health`);
        assert.deepEqual([health.status, JSON.parse(health.text).status], [200, 'ok']);
        await meet(browser, page);
      } finally {
        await proxy.stop();
        await apache.stop();
      }
    });
  }
});

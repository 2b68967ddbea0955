// The code of the package's README as it stands there, step by step, in real browsers.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { launch } from '../browser/lib/participant.mjs';
import { Server } from '../browser/lib/server.mjs';
import { until } from '../browser/lib/until.mjs';
import { PACKAGE, install, newFolder } from './lib/site.mjs';

const CONNECT_MS = 30_000;
const text = fs.readFileSync(path.join(PACKAGE, 'README.md'), 'utf8');
const blocks = (kind) => [...text.matchAll(new RegExp(`^\`\`\`${kind}\\n(.*?)^\`\`\``, 'gms'))].map(([, code]) => code);
const [elementPage, page] = blocks('html');
const steps = blocks('js');
const titles = [...text.matchAll(/^### \d+\. (.*)$/gm)].map(([, title]) => title);

describe('the README of the package', () => {
  const server = new Server();
  let browser;
  let folder;
  before(async () => {
    folder = newFolder();
    install(folder);
    await server.start();
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await server.close();
    fs.rmSync(folder, { recursive: true, force: true });
  });

  /** Somebody at the page of a step: the code up to it, beside the API as on a host. */
  async function visit(t, code, name) {
    const context = await browser.newContext({ viewport: { width: 900, height: 700 } });
    t.after(() => context.close());
    const one = await context.newPage();
    one.wrong = [];
    one.on('pageerror', (error) => one.wrong.push(String(error)));
    await one.route((url) => !url.pathname.startsWith('/api/'), (route) => {
      const { pathname } = new URL(route.request().url());
      if (pathname === '/site/') return route.fulfill({ contentType: 'text/html', body: page });
      if (pathname === '/site/element.html') return route.fulfill({ contentType: 'text/html', body: elementPage });
      if (pathname === '/site/main.js') return route.fulfill({ contentType: 'text/javascript', body: code });
      const file = path.join(folder, pathname);
      return fs.existsSync(file) ? route.fulfill({ path: file }) : route.fulfill({ status: 404 });
    });
    // Who was at the page of another step is still in its room for a while.
    await one.route('**/api/v1/rooms/tea/**', (route) => route.continue({ url: route.request().url().replace('/tea/', `/tea-${code.length}/`) }));
    await one.goto(`${server.origin}/site/${name === null ? 'element.html' : `?name=${name}`}`);
    return one;
  }

  /** What each step promises, seen by the other of two. */
  const promises = [
    async (ann, ben) => {
      for (const [one, other] of [[ann, 'Ben'], [ben, 'Ann']]) {
        await one.locator('#people li', { hasText: `${other} (connected)` }).waitFor({ timeout: CONNECT_MS });
      }
    },
    async (ann, ben) => {
      await ann.getByRole('textbox', { name: 'Line' }).fill('Is <b>this</b> on?');
      await ann.getByRole('button', { name: 'Say' }).click();
      await ben.locator('#lines').getByText('Ann: Is <b>this</b> on?').waitFor();
      await ann.locator('#lines').getByText('You: Is <b>this</b> on?').waitFor();
    },
    async (ann, ben) => {
      assert.equal(await ann.evaluate(() => document.querySelectorAll('video').length), 0);
      await ann.getByRole('button', { name: 'Camera' }).click();
      for (const one of [ann, ben]) {
        await one.waitForFunction(() => [...document.querySelectorAll('video')].some((video) => video.videoWidth > 0));
      }
    },
    async (ann, ben) => {
      await until('the mark has moved', async () => {
        await ann.mouse.move(200, 150);
        await ann.mouse.move(210, 160);
        const mark = ben.locator('b', { hasText: 'Ann' });
        return await mark.count() === 1 && await mark.evaluate(({ style }) => style.left === '210px' && style.top === '160px');
      });
    },
    async (ann, ben) => {
      await ann.getByRole('button', { name: 'Leave' }).click();
      await ann.getByRole('status').getByText('You are out of the room: left.').waitFor();
      await ben.locator('#people').getByText('Ann').waitFor({ state: 'detached' });
    },
  ];

  it('has a test for each of its steps', () => {
    assert.equal(titles.length, promises.length);
    assert.equal(steps.length, promises.length);
  });

  it('shows the whole chat by the element', async (t) => {
    const one = await visit(t, '', null);
    await one.getByRole('button', { name: 'Join', exact: true }).click();
    await one.getByRole('button', { name: 'Hang up' }).waitFor();
    assert.deepEqual(one.wrong, []);
  });

  for (const [at, title] of titles.entries()) {
    it(`keeps its word in the step "${title}"`, { timeout: 90_000 }, async (t) => {
      const code = steps.slice(0, at + 1).join('\n');
      const [ann, ben] = await Promise.all([visit(t, code, 'Ann'), visit(t, code, 'Ben')]);
      await promises[0](ann, ben);
      if (at > 0) await promises[at](ann, ben);
      assert.deepEqual([...ann.wrong, ...ben.wrong], []);
      await Promise.all([ann, ben].map((one) => one.close()));
    });
  }
});

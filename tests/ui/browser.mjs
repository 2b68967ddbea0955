// One Chromium for a test file, and pages in it of a given size and colour scheme.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { chromium } from 'playwright-core';
import { serve } from './serve.mjs';

const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'];

export function openBrowser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', headless: true,
    args: [...FLAGS, '--autoplay-policy=no-user-gesture-required'],
  });
}

/** What a browser does that plays no sound before a tap. (With Chromium's own policy it depends on
 * when the driver looked into the page, since that counts as a tap.) */
function refuseSoundBeforeTap() {
  let tapped = false;
  addEventListener('click', () => { tapped = true; }, { capture: true });
  const { play } = HTMLMediaElement.prototype;
  HTMLMediaElement.prototype.play = function playWhereAllowed() {
    if (this.muted || tapped) return play.call(this);
    this.pause();
    return Promise.reject(new DOMException('a tap is needed', 'NotAllowedError'));
  };
}

export const SIZES = { phone: [360, 740], tablet: [768, 1024], desk: [1440, 900], small: [320, 568], flat: [740, 360] };

/** Show a scene in a page, until it has settled. @param {import('playwright-core').Page} page @param {string} [lang] */
export async function showScene(page, url, scene, lang) {
  await page.goto(`${url}fake/gallery.html?scene=${scene}${lang ? `&lang=${lang}` : ''}`);
  await page.waitForSelector('html[data-ready]', { timeout: 30000 });
}

/**
 * A page that shows one scene of the gallery and has settled.
 * @param {import('playwright-core').Browser} browser @param {string} url of the server
 * @param {string} scene @param {{size?: keyof SIZES, scheme?: 'light' | 'dark', soundNeedsTap?: boolean, lang?: string,
 *   locale?: string}} [look] `lang` is the element's, `locale` the browser's
 */
export async function openScene(browser, url, scene, { size = 'phone', scheme = 'light', soundNeedsTap = false, lang, locale } = {}) {
  const [width, height] = SIZES[size];
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme, reducedMotion: 'reduce', locale });
  context.setDefaultTimeout(20000);
  context.setDefaultNavigationTimeout(30000);
  const page = await context.newPage();
  if (soundNeedsTap) await page.addInitScript(refuseSoundBeforeTap);
  const complaints = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (line) => { if (line.type() === 'error') complaints.push(line.text()); });
  await showScene(page, url, scene, lang);
  return { page, complaints, close: () => context.close() };
}

/** For the top of a test file: the gallery's server and a browser for as long as its tests run. */
export function galleryHere() {
  const here = {
    server: null,
    browser: null,
    open: (scene, look) => openScene(here.browser, here.server.url, scene, look),
  };
  before(async () => {
    here.server = await serve();
    here.browser = await openBrowser();
  });
  after(async () => {
    await here.browser?.close();
    await here.server?.close();
  });
  return here;
}

/**
 * For the top of a test file too: scenes that nothing complains in.
 * @param {{expected?: RegExp}} [options] complaints that belong to what is tested
 * @returns {(scene: string, look: Parameters<typeof openScene>[3], body: (page: import('playwright-core').Page)
 *   => Promise<void>) => Promise<void>} a scene for the length of `body`; nothing may have complained at the end
 */
export function gallery({ expected } = {}) {
  const here = galleryHere();
  return async (scene, look, body) => {
    const { page, complaints, close } = await here.open(scene, look);
    await body(page);
    assert.deepEqual(complaints.filter((one) => !expected?.test(one)), []);
    await close();
  };
}

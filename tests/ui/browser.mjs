// One Chromium for a test file, and pages in it of a given size and colour scheme.
import { chromium } from 'playwright-core';

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

/**
 * A page that shows one scene of the gallery and has settled.
 * @param {import('playwright-core').Browser} browser @param {string} url of the server
 * @param {string} scene @param {{size?: keyof SIZES, scheme?: 'light' | 'dark', soundNeedsTap?: boolean}} [look]
 */
export async function openScene(browser, url, scene, { size = 'phone', scheme = 'light', soundNeedsTap = false } = {}) {
  const [width, height] = SIZES[size];
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme, reducedMotion: 'reduce' });
  context.setDefaultTimeout(8000);
  const page = await context.newPage();
  if (soundNeedsTap) await page.addInitScript(refuseSoundBeforeTap);
  const complaints = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (line) => { if (line.type() === 'error') complaints.push(line.text()); });
  await page.goto(`${url}fake/gallery.html?scene=${scene}`);
  await page.waitForSelector('html[data-ready]', { timeout: 15000 });
  return { page, complaints, close: () => context.close() };
}

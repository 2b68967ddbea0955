// One Chromium for a test file, and pages in it of a given size and colour scheme.
import { chromium } from 'playwright-core';

const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'];

/** @param {{soundNeedsTap?: boolean}} [options] sound plays at once unless told otherwise */
export function openBrowser({ soundNeedsTap = false } = {}) {
  const policy = soundNeedsTap ? 'document-user-activation-required' : 'no-user-gesture-required';
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', headless: true,
    args: [...FLAGS, `--autoplay-policy=${policy}`],
  });
}

export const SIZES = { phone: [360, 740], tablet: [768, 1024], desk: [1440, 900], small: [320, 568], flat: [740, 360] };

/**
 * A page that shows one scene of the gallery and has settled.
 * @param {import('playwright-core').Browser} browser @param {string} url of the server
 * @param {string} scene @param {{size?: keyof SIZES, scheme?: 'light' | 'dark'}} [look]
 */
export async function openScene(browser, url, scene, { size = 'phone', scheme = 'light' } = {}) {
  const [width, height] = SIZES[size];
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme, reducedMotion: 'reduce' });
  context.setDefaultTimeout(8000);
  const page = await context.newPage();
  const complaints = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (line) => { if (line.type() === 'error') complaints.push(line.text()); });
  await page.goto(`${url}fake/gallery.html?scene=${scene}`);
  await page.waitForSelector('html[data-ready]', { timeout: 15000 });
  return { page, complaints, close: () => context.close() };
}

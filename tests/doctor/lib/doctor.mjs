// Somebody who opens the doctor page in a browser and reads what it says.
import { chromium } from 'playwright-core';

/** For tests of other things: nothing is held on the server. @param {import('playwright-core').Page} page */
export const withoutHolds = (page) => page.route('**/doctor/hold', () => {});

/** For tests of what comes after the ladder: its rungs survive at once. @param {import('playwright-core').Page} page */
export const withoutLadder = (page) => page.route('**/doctor/hold', (route) => {
  const { ms } = route.request().postDataJSON();
  if (ms % 5000 !== 0 && ms !== 1000) return route.continue();
  return route.fulfill({ json: { held_ms: ms } });
});

const RUN_MS = 60_000;

const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync'];

/** @param {{args?: string[]}} [options] */
export function openBrowser({ args = [] } = {}) {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', headless: true, args: [...FLAGS, ...args] });
}

export class Doctor {
  /**
   * Open the page; it starts by itself.
   * @param {import('playwright-core').Browser} browser
   * @param {string} url the page's folder, with its last slash
   * @param {{size?: [number, number], scheme?: 'light' | 'dark', before?: (page: import('playwright-core').Page) => Promise<void>,
   *   context?: object, suffix?: string}} [options]
   */
  static async open(browser, url, { size = [1280, 800], scheme = 'light', before, context: more = {}, suffix = '' } = {}) {
    const context = await browser.newContext({
      viewport: { width: size[0], height: size[1] }, colorScheme: scheme, reducedMotion: 'reduce', ignoreHTTPSErrors: true, ...more,
    });
    context.setDefaultTimeout(15_000);
    const page = await context.newPage();
    const doctor = new Doctor(context, page);
    await before?.(page);
    await page.goto(`${url}doctor.html${suffix}`);
    return doctor;
  }

  constructor(context, page) {
    this.context = context;
    this.page = page;
    this.complaints = [];
    page.on('pageerror', (error) => this.complaints.push(String(error)));
    page.on('console', (line) => {
      // A browser's own line for each 404 and 403 is no complaint of the page's.
      if (line.type() === 'error' && !/Failed to load resource/.test(line.text())) this.complaints.push(line.text());
    });
  }

  /** Until all checks are through. */
  async finished() {
    await this.page.getByRole('button', { name: 'Check again', exact: true }).waitFor({ timeout: RUN_MS });
  }

  /** Until a check is through. @param {string} name as the page calls it */
  checked(name) {
    return this.page.locator('li[data-state="done"]').filter({ hasText: name }).waitFor({ timeout: RUN_MS });
  }

  /** Until one finding is told. @param {string} code */
  found(code) {
    return this.page.locator('article').filter({ has: this.page.getByText(code, { exact: true }) }).first().waitFor({ timeout: RUN_MS });
  }

  /** The codes that are told. @param {string} [level] bad, warn or info @returns {Promise<string[]>} */
  codes(level = 'finding') {
    return this.page.locator(`article.${level} .code`).allTextContents();
  }

  /** Title, meaning and steps of a finding, as text. @param {string} code */
  words(code) {
    return this.page.locator('article').filter({ has: this.page.getByText(code, { exact: true }) }).first().innerText();
  }

  /** What is right, line by line. @returns {Promise<string[]>} */
  good() {
    return this.page.locator('.good li').allTextContents();
  }

  /** @returns {Promise<string>} */
  async verdict() {
    return await this.page.locator('.verdict').textContent() ?? '';
  }

  /** The lines that it suggests for klatch.conf. */
  lines() {
    return this.page.locator('pre').textContent();
  }

  stop() {
    return this.page.getByRole('button', { name: 'Stop', exact: true }).click();
  }

  /** Check once more with the admin key. @param {string} key */
  async withKey(key) {
    await this.page.getByLabel('Admin key').fill(key);
    await this.page.getByRole('button', { name: 'Check with the key' }).click();
  }

  again() {
    return this.page.getByRole('button', { name: 'Check again', exact: true }).click();
  }

  async close() {
    await this.context.close();
  }
}

/* firefox: somebody at Debian's own Firefox, driven over WebDriver BiDi, with the same words as
 * somebody at Chromium. Each has a process of their own: a background tab's timers fall to one
 * a second in Firefox, and no picture would be painted. */

import fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import puppeteer from 'puppeteer-core';
import { Participant } from './participant.mjs';
import { until } from './until.mjs';

const PAINTED_MEDIA = fileURLToPath(new URL('./painted-media.js', import.meta.url));
const PREFERENCES = {
  'media.navigator.streams.fake': true,
  'media.navigator.permission.disabled': true,
  'media.peerconnection.ice.obfuscate_host_addresses': false,
  'media.autoplay.default': 0,
  'media.autoplay.blocking_policy': 0,
  // Nothing of its own over the network.
  'app.update.enabled': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'media.gmp-manager.updateEnabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'services.settings.server': 'data:,',
};

/** Every element of a role with a name, through open shadow roots; runs in the page. */
function find({ role, name, exact }) {
  const selectors = { textbox: 'input:not([type=range]), textarea', button: 'button', group: '[role=group]', log: '[role=log]' };
  const found = [];
  const look = (root) => {
    for (const element of root.querySelectorAll('*')) {
      if (element.shadowRoot) look(element.shadowRoot);
      if (!element.matches(selectors[role])) continue;
      const label = element.getAttribute('aria-label') ?? element.labels?.[0]?.textContent ?? element.textContent;
      const said = label.trim().replace(/\s+/g, ' ');
      const fits = name === undefined || (name.pattern ? new RegExp(name.pattern).test(said)
        : exact ? said === name.text : said.toLowerCase().includes(name.text.toLowerCase()));
      if (fits && element.checkVisibility()) found.push(element);
    }
  };
  look(document);
  return found;
}

/** As much of Playwright's page as a participant uses. */
class Page {
  constructor(page) {
    this.page = page;
  }

  evaluate(question, argument) {
    return this.page.evaluate(question, argument);
  }

  url() {
    return this.page.url();
  }

  reload() {
    return this.page.reload();
  }

  getByRole(role, { name, exact = false } = {}) {
    const wanted = { role, exact, name: name instanceof RegExp ? { pattern: name.source } : name && { text: name } };
    const { page } = this;
    const inPage = (body, argument) => page.evaluate(`(${body})((${find})(${JSON.stringify(wanted)}), ${JSON.stringify(argument)})`);
    const first = (limitMs) => until(`there is a ${role} ${name}`, async () => {
      const handle = await page.evaluateHandle(`(${find})(${JSON.stringify(wanted)})[0] ?? null`);
      return handle.asElement();
    }, limitMs);
    return {
      waitFor: async ({ timeout = 15_000 } = {}) => void await first(timeout),
      click: async () => (await first()).click(),
      press: async (key) => (await first()).press(key),
      fill: async (text) => {
        const element = await first();
        await element.evaluate((field) => field.select());
        await element.type(text);
      },
      evaluateAll: (body) => inPage(body),
      locator: (selector) => ({
        allTextContents: () => inPage(
          (all, inner) => all.flatMap((one) => [...one.querySelectorAll(inner)].map((part) => part.textContent)),
          selector,
        ),
      }),
    };
  }
}

export class FirefoxParticipant extends Participant {
  /**
   * Somebody opens the link, in a Firefox of their own.
   * @param {string} origin
   * @param {string} room
   * @param {number} number tells name and picture; the sound is Firefox's own beeping
   * @param {string[]} [scripts] files that run in the page before its own scripts
   */
  static async open(origin, room, number, scripts = []) {
    const browser = await puppeteer.launch({
      browser: 'firefox', executablePath: process.env.FIREFOX ?? '/usr/bin/firefox-esr', headless: true,
      extraPrefsFirefox: PREFERENCES,
    });
    const one = new FirefoxParticipant({ close: () => browser.close() }, number);
    one.room = room;
    try {
      const [page] = await browser.pages();
      page.on('pageerror', (error) => one.errors.push(String(error)));
      const identity = { id: one.id, toneHz: one.toneHz, ownSound: true };
      await page.evaluateOnNewDocument(`globalThis.klatchIdentity = ${JSON.stringify(identity)};`);
      for (const path of [PAINTED_MEDIA, ...scripts]) {
        await page.evaluateOnNewDocument(fs.readFileSync(path, 'utf8'));
      }
      await page.setViewport({ width: 1024, height: 768 });
      await page.goto(`${origin}/#${room}`);
      one.page = new Page(page);
    } catch (error) {
      await browser.close();
      throw error;
    }
    return one;
  }
}

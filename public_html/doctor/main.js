// Puts the doctor together: styles, view, runs, saving.
import { Stopped, post } from './ask.js';
import { asText, configLines } from './report.js';
import { runChecks } from './run.js';
import { t } from './texts.js';
import { View } from './view.js';

/** @typedef {import('./run.js').Progress} Progress */

class Doctor {
  /** @type {View} */
  #view;
  /** @type {AbortController | null} */
  #run = null;
  /** @type {Progress[]} */
  #all = [];
  /** @type {import('./run.js').Context | null} */
  #context = null;

  /** @param {ShadowRoot} root */
  constructor(root) {
    this.#view = new View(root, {
      again: () => this.run(''),
      stop: () => this.#run?.abort(),
      withKey: (key) => this.run(key),
      save: (key) => this.#save(key),
      report: () => asText(this.#all, this.#context?.health, new Date()),
    });
  }

  /** @param {string} adminKey */
  async run(adminKey) {
    this.#run?.abort();
    const run = new AbortController();
    this.#run = run;
    this.#view.say('');
    const { all, context } = await runChecks({
      base: new URL('.', document.baseURI).href, adminKey, signal: run.signal,
      changed: (now) => {
        this.#all = now;
        if (this.#run === run) this.#view.show(now, { running: true, stopped: false });
      },
    });
    if (this.#run !== run) return;
    this.#all = all;
    this.#context = context;
    this.#view.showFacts(context.facts);
    this.#view.show(all, { running: false, stopped: run.signal.aborted });
  }

  /** @param {string} key */
  async #save(key) {
    const api = this.#context?.api;
    if (!api) return;
    const lines = Object.fromEntries(Object.entries(configLines(this.#all))
      .map(([name, value]) => [name, /^\d+$/.test(value) ? Number(value) : value]));
    const { status, json } = await post(`${api}/doctor/save`, { admin_key: key, lines }, { signal: new AbortController().signal });
    if (status !== 200) {
      const known = json?.code === 'not-permitted' || json?.code === 'rate-limited' ? `save.${json.code}` : 'save.failed';
      this.#view.say(t(known, { problem: json?.detail ?? status }));
      return;
    }
    await this.run(key);
    this.#view.say(t('lines.more.saved'));
  }
}

/** Colours and shapes of the chat page, where its files are there. @param {ShadowRoot} root */
async function dress(root) {
  const wanted = [['../ui/theme.css.js', 'theme'], ['../ui/base.css.js', 'base'], ['./style.css.js', 'style']];
  const sheets = await Promise.all(wanted.map(([file, name]) => import(file ?? '').then((module) => [module[name ?? '']], () => [])));
  root.adoptedStyleSheets = sheets.flat();
}

/** @param {HTMLElement} place */
export async function start(place) {
  const root = place.attachShadow({ mode: 'open' });
  await dress(root);
  const doctor = new Doctor(root);
  await doctor.run('').catch((error) => {
    if (!(error instanceof Stopped)) throw error;
  });
}

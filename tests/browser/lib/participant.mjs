/* participant: somebody at a browser, in the page as people see it. */

import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { judge } from './described.mjs';
import { until } from './until.mjs';

const PAINTED_MEDIA = fileURLToPath(new URL('./painted-media.js', import.meta.url));
const ARGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
  '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'];
/** No tone is a multiple of another. */
const TONES = [440, 700, 1010, 1370, 1810, 2390];
const CONNECT_MS = 30_000;
/** A tone that is there is louder than this, one that isn't is quieter by at least the distance. */
const HEARD_DB = -55;
const DISTANCE_DB = 25;

/**
 * @param {string[]} [more] of Chromium's options
 * @param {string} [executablePath]
 */
export function launch(more = [], executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium') {
  return chromium.launch({ executablePath, args: [...ARGS, ...more] });
}

export class Participant {
  /** Everybody's tones, to tell that none of the others' is heard. */
  static tones = TONES;

  /**
   * Somebody opens the link, in a browser profile of their own.
   * @param {import('playwright-core').Browser} browser
   * @param {string} origin
   * @param {string} room
   * @param {number} number tells name, picture and tone
   * @param {string[]} [scripts] files that run in the page before its own scripts
   */
  static async open(browser, origin, room, number, scripts = []) {
    const context = await browser.newContext({ viewport: { width: 1024, height: 768 } });
    const one = new Participant(context, number);
    await context.addInitScript(`globalThis.klatchIdentity = ${JSON.stringify({ id: one.id, toneHz: one.toneHz })};`);
    for (const path of [PAINTED_MEDIA, ...scripts]) await context.addInitScript({ path });
    await one.openTab(`${origin}/#${room}`);
    return one;
  }

  /** The same person, in another tab of the same browser. */
  async secondTab() {
    const other = new Participant(this.context, this.number);
    other.errors = this.errors;
    await other.openTab(this.page.url());
    return other;
  }

  /** @param {string} address */
  async openTab(address) {
    this.page = await this.context.newPage();
    this.page.on('pageerror', (error) => this.errors.push(String(error)));
    this.page.on('console', (message) => message.type() === 'error' && this.log.push(message.text()));
    judge(this.page, this.errors);
    await this.page.goto(address);
  }

  constructor(context, number) {
    this.context = context;
    this.number = number;
    this.name = `Person ${number}`;
    this.id = 0x51 + number * 17;
    this.toneHz = TONES[number];
    this.errors = [];
    this.log = [];
  }

  /** Give the name and press Join. */
  async join() {
    await this.page.getByRole('textbox', { name: 'Your name' }).fill(this.name);
    await this.#press('Join');
    await this.inCall();
  }

  inCall() {
    return this.page.getByRole('button', { name: 'Hang up' }).waitFor({ timeout: CONNECT_MS });
  }

  #press(name) {
    return this.page.getByRole('button', { name, exact: true }).click();
  }

  hangUp() {
    return this.#press('Hang up');
  }

  toggleMicrophone() {
    return this.#press('Microphone');
  }

  toggleCamera() {
    return this.#press('Camera');
  }

  async openChat() {
    await this.page.getByRole('button', { name: /^Chat/ }).click();
    await this.#chatField().waitFor();
  }

  #chatField() {
    return this.page.getByRole('textbox', { name: 'Write a message' });
  }

  async write(text) {
    await this.#chatField().fill(text);
    await this.#chatField().press('Enter');
  }

  /** The lines of the chat as they are shown. */
  lines() {
    return this.page.getByRole('log', { name: 'Messages' }).locator('.text').allTextContents();
  }

  /** Ask the SDK's room in the page. */
  ask(question, argument) {
    return this.page.evaluate(question, argument);
  }

  /** Names and states of the others, by order of joining. */
  others() {
    return this.ask(() => globalThis.klatchTest.call()?.room?.people
      .map(({ name, state }) => `${name} ${state}`) ?? null);
  }

  /** The names that the grid shows, one's own too. */
  async grid() {
    const labels = await this.page.getByRole('group')
      .evaluateAll((tiles) => tiles.map((tile) => tile.getAttribute('aria-label') ?? ''));
    return labels.filter((label) => label.startsWith('Person '))
      .map((label) => label.split(',')[0].replace(' (You)', '')).sort();
  }

  /** Wait until exactly these are in the call, all connected, and the grid shows that. */
  async connectedTo(others) {
    const wanted = others.map(({ name }) => `${name} connected`).sort();
    await until(`${this.name} is connected to ${wanted.length}`, async () => {
      const now = (await this.others() ?? []).sort();
      if (String(now) !== String(wanted)) throw new Error(`there is ${now.join(', ') || 'nobody'}`);
      return true;
    }, CONNECT_MS);
    await this.gridShows(others);
  }

  /** Wait until the grid shows exactly these and oneself. */
  gridShows(others, limitMs = CONNECT_MS) {
    const wanted = [this, ...others].map(({ name }) => name).sort();
    return until(`${this.name}'s grid shows ${wanted.join(', ')}`, async () => {
      const now = await this.grid();
      if (String(now) !== String(wanted)) throw new Error(`it shows ${now.join(', ')}`);
      return true;
    }, limitMs);
  }

  /**
   * Wait until the picture of somebody moves: at least 3 new counters in 2 s, all of
   * them theirs.
   */
  seesMoving(other, limitMs = 20_000) {
    return until(`${this.name} sees ${other.name}'s picture move`, async () => {
      const seen = await this.ask(({ name }) => globalThis.klatchTest.watch(name, 2000), { name: other.name });
      const foreign = seen.filter(({ id }) => id !== other.id);
      if (foreign.length > 0) throw new Error(`it is the picture of ${foreign[0].id.toString(16)}`);
      if (seen.length < 3) throw new Error(`${seen.length} pictures in 2 s`);
      return true;
    }, limitMs);
  }

  /** The numbers of those whose tones are heard in what is received from somebody. */
  async tonesFrom(other) {
    const question = ({ name, tones }) => globalThis.klatchTest.levelsOf(name, tones);
    const levels = await this.ask(question, { name: other.name, tones: TONES });
    return levels === null ? [] : heard(levels);
  }

  /** Wait until what is received from somebody is their tone alone. */
  hears(other) {
    return until(`${this.name} hears ${other.name} alone`, async () => {
      const tones = await this.tonesFrom(other);
      if (String(tones) !== String([other.number])) throw new Error(`the tones of ${tones.join(', ') || 'nobody'}`);
      return true;
    }, 20_000);
  }

  /** Wait until nothing is heard from somebody. */
  hearsNothingFrom(other) {
    const silent = async () => (await this.tonesFrom(other)).length === 0;
    return until(`${this.name} hears nothing from ${other.name}`, silent, 10_000);
  }

  async reload() {
    await this.page.reload();
  }

  async close() {
    await this.context.close();
  }
}

/**
 * @param {number[]} levels of all tones, in decibels
 * @returns {number[]} which are there
 */
export function heard(levels) {
  const loudest = Math.max(...levels);
  return levels.flatMap((level, number) => (level > HEARD_DB && level > loudest - DISTANCE_DB ? [number] : []));
}

/** Every ordered pair. */
export function pairs(people) {
  return people.flatMap((one) => people.filter((other) => other !== one).map((other) => [one, other]));
}

// What axe-core finds against WCAG 2.2 AA, on scenes of the gallery in both themes. Two test files share
// the scenes between them: one alone would be among the longest of the suite.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import test, { before } from 'node:test';
import { galleryHere, showScene } from './browser.mjs';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const EVERY_RULE = { type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] };
/** What else there is doesn't depend on the theme. */
const OF_COLOURS = { type: 'rule', values: ['color-contrast'] };
/** Scenes that are looked at side by side. */
const AT_ONCE = 3;

const here = galleryHere();
let source;
before(async () => { source = await readFile(AXE, 'utf8'); });

/** A scene that axe can be asked about. @param {string} scene */
export async function openForAxe(scene) {
  const opened = await here.open(scene);
  await opened.page.evaluate(source);
  return opened;
}

/**
 * What is wrong on the page as it is now, a line for each element.
 * @param {import('playwright-core').Page} page
 * @param {{type: 'tag' | 'rule', values: string[]}} [rules]
 */
export async function findings(page, rules = EVERY_RULE) {
  const { violations } = await page.evaluate((runOnly) => window.axe.run(document, { runOnly, resultTypes: ['violations'] }), rules);
  return violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => (
    `${id}: ${target.flat().join(' ')}: ${failureSummary.split('\n').slice(1).join(' ').trim()}`)));
}

async function sceneNames() {
  const { page, close } = await here.open('ended-left');
  const names = await page.evaluate(() => window.galleryScenes);
  await close();
  return names;
}

/** @param {import('playwright-core').Page} page which goes from scene to scene, since opening one takes longest */
async function look(page, scene) {
  const found = [];
  await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
  await showScene(page, here.server.url, scene);
  await page.evaluate(source);
  for (const [scheme, rules] of [['light', EVERY_RULE], ['dark', OF_COLOURS]]) {
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
    found.push(...(await findings(page, rules)).map((line) => `${scene}, ${scheme}: ${line}`));
  }
  return found;
}

/**
 * The test of all scenes for which `mine` says so.
 * @param {string} which for the test's name
 * @param {(scene: string) => boolean} mine
 */
export function testScenes(which, mine) {
  test(`no scene of ${which} has a finding, in neither theme`, async () => {
    const scenes = (await sceneNames()).filter(mine);
    assert.ok(scenes.length > 20, `${scenes.length} scenes`);
    const found = [];
    const walk = async () => {
      const { page, close } = await here.open('ended-left');
      for (let scene = scenes.shift(); scene !== undefined; scene = scenes.shift()) found.push(...await look(page, scene));
      await close();
    };
    await Promise.all(Array.from({ length: AT_ONCE }, walk));
    assert.deepEqual(found, []);
  });
}

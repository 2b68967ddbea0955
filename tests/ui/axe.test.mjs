// What axe-core finds against WCAG 2.2 AA, on every scene of the gallery in both themes.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import test, { before } from 'node:test';
import { galleryHere } from './browser.mjs';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];
/** Scenes that are looked at side by side. */
const AT_ONCE = 3;

const here = galleryHere();
let source;
before(async () => { source = await readFile(AXE, 'utf8'); });

/** What is wrong on the page as it is now, a line for each element. */
async function findings(page) {
  const { violations } = await page.evaluate((tags) => window.axe.run(document, {
    runOnly: { type: 'tag', values: tags }, resultTypes: ['violations'],
  }), RULES);
  return violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => (
    `${id}: ${target.flat().join(' ')}: ${failureSummary.split('\n').slice(1).join(' ').trim()}`)));
}

async function sceneNames() {
  const { page, close } = await here.open('ended-left');
  const names = await page.evaluate(() => window.galleryScenes);
  await close();
  return names;
}

async function look(scene) {
  const found = [];
  const { page, close } = await here.open(scene);
  await page.evaluate(source);
  for (const scheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
    found.push(...(await findings(page)).map((line) => `${scene}, ${scheme}: ${line}`));
  }
  await close();
  return found;
}

test('no scene has a finding, in neither theme', async () => {
  const scenes = await sceneNames();
  assert.ok(scenes.length > 40, `${scenes.length} scenes`);
  const found = [];
  const walk = async () => {
    for (let scene = scenes.shift(); scene !== undefined; scene = scenes.shift()) found.push(...await look(scene));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, walk));
  assert.deepEqual(found, []);
});

test('axe sees into the parts: a button without a name and pale text are found', async () => {
  const { page, close } = await here.open('call-2');
  await page.evaluate(source);
  await page.evaluate(() => {
    const [button] = window.deep('button.menu');
    button.removeAttribute('aria-label');
    button.removeAttribute('title');
    window.deep('h1')[0].style.color = '#e0dcd4';
  });
  const rules = (await findings(page)).map((line) => line.split(':')[0]);
  assert.deepEqual([...new Set(rules)].sort(), ['button-name', 'color-contrast']);
  await close();
});

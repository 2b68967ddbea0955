// The colours that stand on each other, as the browser works them out, in both schemes.
import assert from 'node:assert/strict';
import test from 'node:test';
import { openBrowser, openScene } from './browser.mjs';
import { serve } from './serve.mjs';

const TEXT = 4.5;
const SHAPE = 3;
/** [what, on what, at least] by their names in theme.css.js */
const PAIRS = [
  ['text', 'ground', TEXT], ['text', 'surface', TEXT], ['text', 'raised', TEXT], ['text', 'accent-soft', TEXT],
  ['muted', 'ground', TEXT], ['muted', 'surface', TEXT], ['muted', 'tile', TEXT], ['on-accent', 'accent', TEXT],
  ['on-accent', 'accent-strong', TEXT], ['on-danger', 'danger', TEXT], ['danger-text', 'danger-soft', TEXT],
  ['warn-text', 'warn-soft', TEXT],
  ['edge', 'surface', SHAPE], ['edge', 'ground', SHAPE], ['focus', 'ground', SHAPE], ['focus', 'surface', SHAPE],
  ['accent', 'ground', SHAPE], ['danger', 'ground', SHAPE], ['good', 'raised', 2.5],
];

const channel = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
const luminance = (hex) => {
  const [r, g, b] = [1, 3, 5].map((at) => channel(parseInt(hex.slice(at, at + 2), 16) / 255));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
/** WCAG 2.2, contrast ratio. */
function ratio(one, other) {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

for (const scheme of ['light', 'dark']) {
  test(`text and shapes stand out in ${scheme}`, async () => {
    const server = await serve();
    const browser = await openBrowser();
    const { page } = await openScene(browser, server.url, 'call-4', { scheme });
    const names = [...new Set(PAIRS.flatMap(([what, on]) => [what, on]))];
    const colours = await page.evaluate((wanted) => {
      const style = getComputedStyle(window.gallery.element);
      return Object.fromEntries(wanted.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
    }, names);
    await browser.close();
    await server.close();
    for (const [what, on, least] of PAIRS) {
      assert.match(colours[what], /^#[0-9a-f]{6}$/, what);
      const found = ratio(colours[what], colours[on]);
      assert.ok(found >= least, `${what} on ${on}: ${found.toFixed(2)}, ${least} needed`);
    }
  });
}

test('white initials stand out on every hue', async () => {
  const { readFile } = await import('node:fs/promises');
  const source = await readFile(new URL('../../public_html/ui/tile.css.js', import.meta.url), 'utf8');
  const hues = source.match(/const hues = \[(.*?)\]/s)[1].match(/#[0-9a-f]{6}/g);
  assert.equal(hues.length, 8);
  for (const hue of hues) assert.ok(ratio('#ffffff', hue) >= TEXT, `${hue}: ${ratio('#ffffff', hue).toFixed(2)}`);
});

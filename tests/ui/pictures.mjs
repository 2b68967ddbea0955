// Pictures of scenes to look at: node tests/ui/pictures.mjs FOLDER [scene …], `all` for every scene.
// Each in the sizes and colour schemes of SIZES= and SCHEMES= (comma separated); LOCALE=en-XA shows long
// texts, ar-XB the page from right to left. `readme` takes the pictures of the README instead.
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { openBrowser, openScene } from './browser.mjs';
import { serve } from './serve.mjs';

const [folder = 'build/pictures', ...scenes] = process.argv.slice(2);
const sizes = (process.env.SIZES ?? 'phone,tablet,desk').split(',');
const schemes = (process.env.SCHEMES ?? 'light,dark').split(',');

await mkdir(folder, { recursive: true });
const server = await serve();
const browser = await openBrowser();

async function every() {
  const { page, close } = await openScene(browser, server.url, 'ended-left');
  const names = await page.evaluate(() => window.galleryScenes);
  await close();
  return names;
}

/** One scene, opened anew for each size. */
async function take(scene) {
  for (const size of sizes) {
    const { page, complaints, close } = await openScene(browser, server.url, scene, { size, lang: process.env.LOCALE });
    for (const colorScheme of schemes) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await page.screenshot({ path: path.join(folder, `${scene}-${size}-${colorScheme}.png`) });
    }
    for (const complaint of complaints) process.stderr.write(`${scene}: ${complaint}\n`);
    await close();
  }
}

/** The README's: small files, so no PNG. [scene, size, scheme] */
const README = [['call-chat', 'desk', 'light'], ['call-stats', 'desk', 'dark'], ['lobby', 'phone', 'light'], ['call-6', 'phone', 'dark']];

async function takeForReadme() {
  for (const [scene, size, scheme] of README) {
    const { page, close } = await openScene(browser, server.url, scene, { size, scheme });
    await page.screenshot({ path: path.join(folder, `${scene}.jpg`), type: 'jpeg', quality: 80 });
    await close();
  }
}

const few = ['lobby', 'call-1', 'call-2', 'call-4', 'call-6', 'call-chat'];
if (scenes[0] === 'readme') await takeForReadme();
else for (const scene of scenes[0] === 'all' ? await every() : scenes.length ? scenes : few) await take(scene);
await browser.close();
await server.close();

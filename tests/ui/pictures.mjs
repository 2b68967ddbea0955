// Pictures of scenes to look at: node tests/ui/pictures.mjs FOLDER [scene …]
// Each in the sizes and colour schemes of SIZES= and SCHEMES= (comma separated).
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
for (const scene of scenes.length ? scenes : ['lobby', 'call-1', 'call-2', 'call-4', 'call-6', 'call-chat']) {
  for (const size of sizes) {
    for (const scheme of schemes) {
      const { page, complaints, close } = await openScene(browser, server.url, scene, { size, scheme });
      await page.screenshot({ path: path.join(folder, `${scene}-${size}-${scheme}.png`) });
      for (const complaint of complaints) process.stderr.write(`${scene}: ${complaint}\n`);
      await close();
    }
  }
}
await browser.close();
await server.close();

// Two copies of Klatch on one page, as when two parts of a site each bring their own.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { galleryHere } from './browser.mjs';

const here = galleryHere();

it('leaves <klatch-room> to the copy that came first, whole, and says so', async (t) => {
  const context = await here.browser.newContext();
  t.after(() => context.close());
  const page = await context.newPage();
  const [errors, warnings] = [[], []];
  page.on('pageerror', (error) => errors.push(String(error)));
  page.on('console', (line) => line.type() === 'warning' && warnings.push(line.text()));
  await page.goto(`${here.server.url}fake/host.html?from=/fake/`);
  const field = page.getByRole('textbox', { name: 'Your name' });
  await field.waitFor();
  const kept = await page.evaluate(async () => {
    const first = customElements.get('klatch-room');
    const second = await import('/ui/klatch-room.js');
    await import('/ui/check.js');
    const mine = await import('/fake/ui/check.js');
    return {
      room: customElements.get('klatch-room') === first && first !== second.KlatchRoom,
      // A part that is loaded later comes from the first copy too.
      check: customElements.get('klatch-check') === mine.KlatchCheck,
    };
  });
  assert.deepEqual(kept, { room: true, check: true });
  assert.equal(warnings.filter((text) => /loaded twice/.test(text)).length, 1, warnings.join('\n'));
  await page.evaluate(() => document.querySelector('main').append(document.createElement('klatch-room')));
  await field.nth(1).waitFor();
  assert.deepEqual(errors, []);
});

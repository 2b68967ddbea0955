// A call in this room that runs in another tab of the browser.
import assert from 'node:assert/strict';
import test from 'node:test';
import { galleryHere } from './browser.mjs';

const here = galleryHere();

const button = (page, name) => page.getByRole('button', { name, exact: true });

for (const [name, takeOver] of [['Take it over here', true], ['Join as another person', false]]) {
  test(`the lobby says that the call runs in another tab, and "${name}" leads into it`, async () => {
    const { page, complaints, close } = await here.open('lobby-elsewhere');
    await page.getByRole('alert').filter({ hasText: 'runs in another tab' }).waitFor();
    assert.equal(await button(page, 'Join').count(), 0);
    await button(page, name).click();
    await button(page, 'Hang up').waitFor();
    assert.equal(await page.evaluate(() => window.klatchTookOver), takeOver);
    assert.deepEqual(complaints, []);
    await close();
  });
}

test('a call that begins elsewhere while the lobby is shown is asked about when one joins', async () => {
  const { page, close } = await here.open('lobby');
  await page.evaluate(() => { window.klatchPlan = { elsewhere: true }; });
  await button(page, 'Join').click();
  await button(page, 'Take it over here').waitFor();
  assert.match(await page.getByRole('alert').innerText(), /runs in another tab/);
  await button(page, 'Join as another person').click();
  await button(page, 'Hang up').waitFor();
  await close();
});

test('a call that ends elsewhere while the lobby is shown is not asked about any more', async () => {
  const { page, close } = await here.open('lobby-elsewhere');
  await button(page, 'Take it over here').waitFor();
  await page.evaluate(() => {
    window.klatchPlan = {};
    window.dispatchEvent(new Event('focus'));
  });
  await button(page, 'Join').waitFor();
  await close();
});

test('a script that joins without a choice is told, and the lobby asks', async () => {
  const { page, close } = await here.open('lobby-elsewhere');
  const code = await page.evaluate(() => window.gallery.element.join().catch((problem) => problem.code));
  assert.equal(code, 'in-another-tab');
  await button(page, 'Take it over here').waitFor();
  await close();
});

test('whose call was taken over reads that, and can get it back', async () => {
  const { page, close } = await here.open('ended-taken-over');
  await page.getByRole('heading', { name: 'The call goes on in another tab' }).waitFor();
  await page.evaluate(() => { window.klatchPlan = { elsewhere: true }; });
  await button(page, 'Take it back').click();
  await button(page, 'Hang up').waitFor();
  assert.equal(await page.evaluate(() => window.klatchTookOver), true);
  await close();
});

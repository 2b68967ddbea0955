// The panel that shows how the connections do.
import assert from 'node:assert/strict';
import test from 'node:test';
import { gallery } from './browser.mjs';

const within = gallery();

const button = (page, name) => page.getByRole('button', { name, exact: true });

async function openPanel(page) {
  await button(page, 'Settings').click();
  await button(page, 'How the connections do').click();
  await page.getByRole('dialog', { name: 'Connections' }).waitFor();
}

/** What was measured of everybody; `weak` is whose connection is not good. */
const measure = (page, weak) => page.evaluate((badFor) => window.measure(badFor), weak);

test('the panel is loaded when it is opened, measures while it is open, and gives the focus back', () => within('call-3', {}, async (page) => {
  const asked = [];
  page.on('request', (request) => asked.push(new URL(request.url()).pathname));
  assert.deepEqual(asked.filter((path) => /uplot|stats/.test(path)), []);
  await openPanel(page);
  assert.ok(asked.some((path) => path.endsWith('/vendor/uplot/uplot.js')));
  await page.waitForFunction(() => window.gallery.room.budget.watchers === 1);
  await page.getByText('Nothing measured yet.').first().waitFor();
  assert.equal(await page.getByText('All connections are good.').count(), 0);
  await page.keyboard.press('Escape');
  await page.getByRole('dialog', { name: 'Connections' }).waitFor({ state: 'hidden' });
  await page.waitForFunction(() => window.gallery.room.budget.watchers === 0);
  const focused = await page.evaluate(() => {
    let at = document.activeElement;
    while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
    return at?.title;
  });
  assert.equal(focused, 'Settings');
  await openPanel(page);
}));

test('it says whose the trouble is, and shows every pair and its figures', () => within('call-3', { size: 'small' }, async (page) => {
  await openPanel(page);
  await measure(page, []);
  await page.getByRole('status').filter({ hasText: 'All connections are good.' }).waitFor();
  await measure(page, ['Maya', 'Jonas Lindqvist']);
  await page.getByRole('status').filter({ hasText: 'Your connection is the weak one' }).waitFor();
  await measure(page, ['Maya']);
  await page.getByText('Only the connection between you and Maya is weak.').waitFor();
  const lines = await page.evaluate(() => window.deep('line').map((line) => line.getAttribute('class')).sort());
  assert.deepEqual(lines, ['bad', 'good', 'good']);
  await page.getByText('Every connection as a table').click();
  assert.equal(await page.getByRole('row').count(), 4 + 2 * 2, 'and two legends of the first person');
  for (const words of ['340 kbit/s', '48 ms', '480×360, 20/s, VP8', 'through a relay', 'the connection', '3.1%', '2 (3 s)']) {
    await page.getByText(words, { exact: true }).first().waitFor();
  }
  const wide = await page.evaluate(() => window.deep('dialog[open]').map((dialog) => dialog.scrollWidth > dialog.clientWidth));
  assert.deepEqual(wide, [false]);
}));

for (const scheme of ['light', 'dark']) {
  test(`the last minutes are plotted (${scheme})`, () => within('call-2', { scheme }, async (page) => {
    await openPanel(page);
    await measure(page, []);
    await page.getByRole('img', { name: 'Plot of the last minutes: round trip to Maya and loss' }).waitFor();
    const painted = await page.evaluate(() => window.deep('.plot canvas').map((canvas) => {
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      return data.some((value) => value !== 0) && canvas.clientWidth > 200;
    }));
    assert.deepEqual(painted, [true, true]);
  }));
}

test('the report has figures, and neither names nor addresses', () => within('call-3', {}, async (page) => {
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await openPanel(page);
  await measure(page, ['Maya']);
  await button(page, 'Copy a report without names and addresses').click();
  await button(page, 'Report copied').waitFor();
  const text = await page.evaluate(() => navigator.clipboard.readText());
  assert.match(text, /Person 2: connected, relayed\n {2}round trip 48 ms, loss up 0\.0%, down 1\.0%/);
  assert.match(text, /video, VP8, 300 kbit\/s, 480x360 at 20, limited by bandwidth/);
  assert.match(text, /verdict: pair/);
  assert.doesNotMatch(text, /Maya|Jonas|Ada|kitchen|localhost|127\.0/);
}));

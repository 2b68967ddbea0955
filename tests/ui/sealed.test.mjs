// Open and sealed rooms as they are shown, and people who came by another link.
import assert from 'node:assert/strict';
import test from 'node:test';
import { gallery } from './browser.mjs';

const show = gallery();
const within = (scene, body) => show(scene, {}, body);

test('a sealed room is shown by a closed lock and a sentence that says what it means', async () => {
  await within('lobby-sealed', async (page) => {
    await page.getByText('Sealed room:').waitFor();
    await page.getByText('Only who has the whole link can come in.').waitFor();
    assert.equal(await page.getByText('kitchen-table', { exact: true }).count(), 1);
  });
  await within('call-sealed', async (page) => {
    await page.getByTitle(/^Sealed room\. Only who has the whole link/).waitFor();
    await page.getByRole('heading', { name: 'kitchen-table', exact: true }).waitFor();
    assert.equal(await page.getByText('another link').count(), 0);
  });
});

test('who came by another link is shown as that, and the call says what that means', () => within('call-outside', async (page) => {
  await page.getByRole('group', { name: 'Guest, Came by another link, camera off', exact: true }).waitFor();
  await page.getByRole('status').getByText('1 person here has another link').waitFor();
}));

test('who has the wrong link is told so', () => within('call-outside-all', async (page) => {
  await page.getByText('This link’s secret isn’t the one of the people here.').waitFor();
}));

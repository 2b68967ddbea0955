import assert from 'node:assert/strict';
import test from 'node:test';
import { findings, openForAxe, testScenes } from './axe.mjs';

testScenes('the call', (scene) => scene.startsWith('call'));

test('axe sees into the parts: a button without a name and pale text are found', async () => {
  const { page, close } = await openForAxe('call-2');
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

/* sending: files between participants, as people send and save them. */

import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { until } from './until.mjs';

const FOLDER = fileURLToPath(new URL('../../../build/tmp/', import.meta.url));
const BLOCK_BYTES = 1024 * 1024;

/** A file on the disk with bytes that nobody can guess; it goes with the test. */
export function newFile(t, megabytes, name = 'big.bin') {
  fs.mkdirSync(FOLDER, { recursive: true });
  const folder = fs.mkdtempSync(path.join(FOLDER, 'file-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, name);
  const hash = createHash('sha256');
  const descriptor = fs.openSync(file, 'w');
  for (let at = 0; at < megabytes; at += 1) {
    const block = randomBytes(BLOCK_BYTES);
    hash.update(block);
    fs.writeSync(descriptor, block);
  }
  fs.closeSync(descriptor);
  return { path: file, name, hash: hash.digest('hex') };
}

/** @param {import('./participant.mjs').Participant} one with the chat open */
export function choose(one, { path: file }) {
  return one.page.locator('klatch-chat input[type="file"]').setInputFiles(file);
}

export async function take(one, { name }) {
  await one.page.getByRole('button', { name: `Save ${name}` }).click({ timeout: 20_000 });
}

/** What the page says about the files in its chat, a text for each way. */
export function states(one) {
  return one.page.locator('klatch-file .state').allTextContents();
}

export function says(one, pattern, limitMs = 60_000) {
  return until(`${one.name}'s page says ${pattern}`, async () => {
    const now = await states(one);
    if (!now.some((text) => pattern.test(text))) throw new Error(`it says ${now.join('; ') || 'nothing'}`);
    return true;
  }, limitMs);
}

/** Save by the link what has come; its hash. */
export async function savedHash(one, { name }) {
  const [download] = await Promise.all([
    one.page.waitForEvent('download'),
    one.page.getByRole('link', { name: `Save ${name}` }).click(),
  ]);
  const hash = createHash('sha256');
  for await (const block of fs.createReadStream(await download.path())) hash.update(block);
  return { hash: hash.digest('hex'), name: download.suggestedFilename() };
}

/**
 * Write lines while something goes on.
 * @returns {Promise<number[]>} how long each took to be heard, in ms
 */
export async function linesWhile(writer, reader, going) {
  await reader.ask(() => {
    globalThis.heardAfterMs = [];
    globalThis.klatchTest.call().room.on('message', ({ detail: { message } }) => {
      if (message.text.startsWith('line ')) globalThis.heardAfterMs.push(Date.now() - message.time);
    });
  });
  let written = 0;
  for (; await going(); written += 1) {
    await writer.ask((at) => globalThis.klatchTest.call().room.say(`line ${at}`) && null, written);
  }
  await until('all lines are heard', () => reader.ask((count) => globalThis.heardAfterMs.length === count, written));
  return reader.ask(() => globalThis.heardAfterMs);
}

/** @param {number[]} numbers @param {number} part of them that are less, 0 to 1 */
export function quantile(numbers, part) {
  return [...numbers].sort((a, b) => a - b)[Math.min(numbers.length - 1, Math.floor(numbers.length * part))];
}

export const median = (numbers) => quantile(numbers, 0.5);

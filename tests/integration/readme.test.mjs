// What the README promises can be typed as it stands.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe } from 'node:test';
import { it } from './lib/it.mjs';
import { ROOT } from './lib/run-dir.mjs';
import { Stack } from './lib/stack.mjs';

const read = (page) => fs.readFileSync(path.join(ROOT, page), 'utf8');

/** The README's shell blocks that call the API. */
function curlBlocks() {
  return [...read('README.md').matchAll(/```sh\n(.*?)```/gs)].map((match) => match[1])
    .filter((block) => block.includes('curl'));
}

describe('the README', () => {
  let stack;
  before(async () => { stack = await Stack.start(); });
  after(() => stack?.stop());

  it('has curl lines that run as they stand', () => {
    const blocks = curlBlocks();
    assert.equal(blocks.length, 1);
    assert.ok(blocks[0].includes('http://localhost:8080/'), 'the address that make run prints');
    const script = blocks[0].replaceAll('http://localhost:8080/', `http://localhost:${stack.port}/`);
    const { status, stdout, stderr } = spawnSync('sh', ['-eu'], { input: script, encoding: 'utf8', timeout: 60000 });
    assert.equal(stderr, '');
    assert.equal(status, 0);
    const answers = stdout.split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
    assert.deepEqual(answers.filter((answer) => answer.code), [], 'no call was refused');
    assert.equal(answers[0].status, 'ok');
    const mail = answers.flatMap((answer) => answer.messages ?? []);
    assert.deepEqual(mail.map(({ type }) => type), ['peer-joined', 'note']);
    assert.deepEqual(mail[1].data, { text: 'hello' });
    assert.ok(answers.some((answer) => answer.room === 'tea'), 'who is there');
  });
});

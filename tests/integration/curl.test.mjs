// deploy/API.md runs as it stands: its blocks of shell in one shell, and what it shows as answers has the
// shape and the words of what comes.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe } from 'node:test';
import { it } from './lib/it.mjs';
import { ROOT } from './lib/run-dir.mjs';
import { Stack } from './lib/stack.mjs';

const PAGE = path.join(ROOT, 'deploy/API.md');
const ADDRESS = 'http://localhost:8080/';
const MARK = '@@ block';

/** Each block of shell with the blocks of answers behind it. */
function readBlocks() {
  const blocks = [];
  for (const [, kind, text] of fs.readFileSync(PAGE, 'utf8').matchAll(/```(sh|json|text)\n(.*?)```/gs)) {
    if (kind === 'sh') blocks.push({ shell: text, shown: [] });
    else blocks.at(-1).shown.push(kind === 'json' ? JSON.parse(text) : text.trimEnd().split('\n'));
  }
  return blocks;
}

/** What of an answer isn't as shown. … stands for any text, a number for any number. */
function differences(shown, got, where = 'answer') {
  if (typeof shown === 'number') return typeof got === 'number' ? [] : [`${where}: no number but ${JSON.stringify(got)}`];
  if (typeof shown === 'string' && shown.includes('…')) return typeof got === 'string' ? [] : [`${where}: no text`];
  if (shown === null || typeof shown !== 'object') return shown === got ? [] : [`${where}: ${JSON.stringify(got)}, shown is ${JSON.stringify(shown)}`];
  if (got === null || typeof got !== 'object' || Array.isArray(shown) !== Array.isArray(got)) return [`${where}: of another kind`];
  if (Array.isArray(shown)) {
    const open = shown.at(-1) === '…';
    const items = open ? shown.slice(0, -1) : shown;
    return [...(open ? got.length > items.length : got.length === items.length) ? [] : [`${where}: ${got.length} entries`],
      ...items.flatMap((one, i) => differences(one, got[i], `${where}[${i}]`))];
  }
  const names = [...new Set([...Object.keys(shown), ...Object.keys(got)])].filter((name) => !(name in shown && name in got));
  return [...names.map((name) => `${where}.${name}: ${name in shown ? 'missing' : 'not shown'}`),
    ...Object.keys(shown).filter((name) => name in got).flatMap((name) => differences(shown[name], got[name], `${where}.${name}`))];
}

describe('the page of curl lines', () => {
  let stack;
  before(async () => {
    // What `make run` has for everybody: nothing but the defaults, and the feed of events.
    stack = await Stack.start({ config: { events: 'on', hold_ms: null, lease_ms: null, grace_ms: null, ttl_ms: null, joins_per_minute: null, ice_server: null } });
  });
  after(() => stack?.stop());

  it('runs as it stands and gets what it shows', () => {
    const blocks = readBlocks();
    assert.ok(blocks.length > 8 && blocks[0].shell.includes(ADDRESS));
    const script = blocks.map(({ shell }) => `${shell}\nprintf '${MARK}\\n'\n`).join('')
      .replaceAll(ADDRESS, `http://localhost:${stack.port}/`).replaceAll('build/run/data', stack.data);
    const { status, stdout, stderr } = spawnSync('sh', ['-eu'], { input: script, encoding: 'utf8', timeout: 50000, cwd: ROOT });
    assert.equal(stderr, '');
    assert.equal(status, 0, stdout);
    const said = stdout.split(`${MARK}\n`);
    for (const [i, { shell, shown }] of blocks.entries()) {
      const lines = said[i].split('\n').filter(Boolean);
      assert.equal(lines.length, shown.length, `an answer for each one shown:\n${shell}\n${said[i]}`);
      for (const [n, answer] of lines.entries()) {
        const got = Array.isArray(shown[n]) ? [answer] : JSON.parse(answer);
        assert.deepEqual(differences(shown[n], got), [], `${shell}\n${answer}`);
      }
    }
  });

  it('would notice an answer that is another', () => {
    const shown = { a: 1, b: '…', c: [{ d: 'x' }, '…'], e: null };
    assert.deepEqual(differences(shown, { a: 2, b: 'y', c: [{ d: 'x' }, 5], e: null }), []);
    for (const change of [{ a: '1' }, { b: 1 }, { c: [{ d: 'x' }] }, { c: [{ d: 'y' }, 5] }, { e: 0 }, { f: 1 }, { a: undefined }]) {
      const got = JSON.parse(JSON.stringify({ a: 2, b: 'y', c: [{ d: 'x' }, 5], e: null, ...change }));
      assert.notDeepEqual(differences(shown, got), [], JSON.stringify(change));
    }
  });
});

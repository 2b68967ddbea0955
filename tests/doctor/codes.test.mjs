// The guide's list of codes is made from the doctor's own words, and is of these.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import { codes } from '../../deploy/codes.mjs';

const text = fs.readFileSync(new URL('../../deploy/CODES.md', import.meta.url), 'utf8');

test('deploy/CODES.md explains every code as the doctor does (node deploy/codes.mjs > deploy/CODES.md)', () => {
  assert.equal(text, codes());
});

test('every code that the guide names is one of them', () => {
  const guide = fs.readFileSync(new URL('../../deploy/README.md', import.meta.url), 'utf8');
  const named = new Set(guide.match(/\bK-[A-Z-]*[A-Z]\b/g));
  assert.ok(named.size > 3);
  for (const code of named) assert.ok(text.includes(`## ${code}\n`), code);
});

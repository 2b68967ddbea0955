// Every code that a program may meet is in the reference, with a sentence for people.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { KlatchProblem } from '../../public_html/klatch/problem.js';

const SDK = new URL('../../public_html/klatch/', import.meta.url);
const SERVER = new URL('../../src/', import.meta.url);
/** Their sentences are in the parts that throw them, where other tests look at them. */
const LATER = ['bad-channel', 'channel-closed', 'not-connected', 'request-failed', 'request-timeout', 'file-too-large-to-carry',
  'file-too-large', 'file-no-space', 'other-version', 'origin-refused'];
/** Of calls that members don't make: the doctor's and the admin's. */
const OTHERS = /^(ep_config|ep_doctor|ep_admin|ep_events|ep_metrics|admin|config_edit)\b/;
const FILES = fs.readdirSync(SDK).filter((name) => name.endsWith('.js'));
const textOf = (folder, name) => fs.readFileSync(new URL(name, folder), 'utf8');

/** Where a code is thrown, by a pattern for each way of throwing. */
function thrown() {
  const ways = [[/./, /new KlatchProblem\(\s*'([a-z-]+)'/g], [/^channels?\.js$/, /\bproblem\('([a-z-]+)'/g],
    [/^wrong-api\.js$/, /\bsay\('([a-z-]+)'/g], [/./, /'(seal-[a-z-]+)'/g], [/^media\.js$/, /Error: '([a-z-]+)'/g],
    [/^media\.js$/, /#tell\('([a-z-]+)'/g], [/^screen\.js$/, /'(screen-[a-z-]+)'/g]];
  return new Set(FILES.flatMap((name) => ways.filter(([file]) => file.test(name))
    .flatMap(([, way]) => [...textOf(SDK, name).matchAll(way)].map(([, code]) => code))));
}

/** The room API's. */
function answered() {
  const files = fs.readdirSync(SERVER).filter((name) => name.endsWith('.c') && !OTHERS.test(name));
  return new Set(files.flatMap((name) => [...textOf(SERVER, name).matchAll(/PROBLEM\(\s*\d+,\s*"([a-z-]+)"/g)].map(([, code]) => code)));
}

const listed = new Set([...textOf(SDK, 'REFERENCE.md').split('## Problems')[1].matchAll(/^\| (`[^|]+) \|/gm)]
  .flatMap(([, cell]) => [...cell.matchAll(/`([a-z-]+)`/g)].map(([, code]) => code)));

test('every code that the SDK throws or the room API answers is in the reference', () => {
  const codes = [...thrown(), ...answered()];
  assert.ok(codes.length > 50, `${codes.length} were found`);
  assert.deepEqual([...new Set(codes)].filter((code) => !listed.has(code)), []);
});

test('every code in the reference has a sentence of its own that says what is the case', () => {
  for (const code of listed) {
    const { message } = new KlatchProblem(code);
    assert.equal(message.startsWith('Something went wrong'), LATER.includes(code), `${code}: ${message}`);
    assert.match(message, /^[A-Z].*\.$/, code);
  }
});

test('every code that the element or the frame tells a page is in the reference or in the guide to embedding', () => {
  const told = ['ui/klatch-room.js', 'ui/room-attributes.js', 'ui/find-api.js', 'ui/entry.js', 'embed/embed.js', 'klatch-frame.js']
    .flatMap((name) => [...textOf(new URL('../', SDK), name).matchAll(/(?:KlatchProblem|FrameError|#fail)\(\s*'([a-z-]+)'/g)])
    .map(([, code]) => code);
  const guide = textOf(new URL('../../deploy/', SDK), 'EMBEDDING.md');
  assert.ok(told.length > 5);
  // Of an error that is none of ours.
  assert.deepEqual(told.filter((code) => code !== 'other' && !listed.has(code) && !guide.includes(`\`${code}\``)), []);
});

test('nothing is in the reference that nobody throws', () => {
  const known = new Set([...thrown(), ...answered(), 'in-another-tab']);
  const words = FILES.concat('../ui/klatch-room.js').map((name) => textOf(SDK, name)).join();
  for (const code of listed) assert.ok(known.has(code) || words.includes(code), code);
});

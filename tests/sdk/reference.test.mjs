// The reference names what the SDK has: all that a page can lean on, and nothing else.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import * as sdk from '../../public_html/klatch/index.js';
import { Budget } from '../../public_html/klatch/budget.js';
import { Channel } from '../../public_html/klatch/channel.js';
import { Files, Share } from '../../public_html/klatch/files.js';
import { Host } from '../../public_html/klatch/host.js';

const SDK = new URL('../../public_html/klatch/', import.meta.url);
const textOf = (name) => fs.readFileSync(new URL(name, SDK), 'utf8');
const reference = textOf('REFERENCE.md');
const sorted = (names) => [...new Set(names)].sort();

/** A part of the page, from its heading to the next. */
const part = (heading) => reference.split(`\n## ${heading}`)[1].split('\n## ')[0];
/** The names in code, without what they take. */
const named = (text) => [...text.matchAll(/`(?:room\.budget\.)?([A-Za-z-]+)(?:\([^`]*\))?`/g)].map(([, name]) => name);
/** What the first columns of a part's tables name. */
const column = (text) => [...text.matchAll(/^\| (`[^|]+) \|/gm)].flatMap(([, cell]) => named(cell));
/** The properties of a type that stands in a comment. */
function typed(file, name) {
  const [, body] = new RegExp(`@typedef \\{object\\} ${name}\\b(.*?)\\*/`, 's').exec(textOf(file));
  return [...body.matchAll(/@property \{.*\} \[?([a-zA-Z-]+)/g)].map(([, property]) => property);
}
const methods = ({ prototype }) => Object.getOwnPropertyNames(prototype).filter((name) => name !== 'constructor');

test('everything that the SDK exports stands in the reference', () => {
  assert.deepEqual(Object.keys(sdk).filter((name) => !new RegExp(`\\b${name}\\b`).test(reference)), []);
});

test('every option of joinRoom stands in the reference, and no other', () => {
  assert.deepEqual(sorted(column(part('joinRoom'))), sorted(typed('types.js', 'JoinOptions').filter((name) => name !== 'env')));
});

test('every event of a room stands in the reference, and no other', () => {
  assert.deepEqual(sorted(column(part('Events'))), sorted(typed('types.js', 'RoomEvents')));
});

test('every event of a channel stands in the reference, and no other', () => {
  assert.deepEqual(sorted(column(part('Channels').split('| event |')[1])), sorted(typed('channel.js', 'ChannelEvents')));
});

test('a room has what the reference says, and nothing besides', () => {
  const fields = [...textOf('room.js').matchAll(/^ {4}this\.([a-z]\w*) = /gm)].map(([, name]) => name);
  const inherited = ['on', 'addEventListener', 'removeEventListener'];
  // Steps of joinRoom and of its base.
  const inner = ['join', 'missed'];
  assert.deepEqual(sorted(column(part('Room\n'))), sorted([...methods(sdk.Room), ...fields, ...inherited].filter((name) => !inner.includes(name))));
});

test('people, messages and files have what the reference says, and nothing besides', () => {
  assert.deepEqual(sorted(column(part('Person'))), sorted(Object.keys(new sdk.Person('x'))));
  assert.deepEqual(sorted(column(part('Message'))), sorted(typed('chat.js', 'Message')));
  const told = named(part('Files').split('A share has ')[1].split(', where')[0]).filter((name) => name !== 'Blob');
  assert.deepEqual(sorted(told), sorted(Object.keys(new Share({}))));
  const way = /`\{(.*)\}`/.exec(part('Files').split('A share has ')[1])[1].split(', ');
  assert.deepEqual(sorted(way), sorted(typed('files.js', 'Way')));
});

test('what the reference names of channels, files, media, budget and hosting is there', () => {
  const lacks = (names, made) => names.filter((name) => !made.includes(name));
  assert.deepEqual(lacks(column(part('Channels').split('| event |')[0]), methods(Channel)), []);
  assert.deepEqual(lacks(column(part('Files').split('A share has')[0]), methods(Files)), []);
  assert.deepEqual(lacks(column(part('Media')), [...methods(sdk.Media), 'stream', 'screen']), []);
  const events = named(part('Media').split('Events: ')[1]).filter((name) => /^[a-z]+$/.test(name));
  assert.deepEqual(sorted(events), sorted(typed('media.js', 'MediaEvents')));
  const screen = named(part('Media').split('`ScreenShare`: ')[1].split('|')[0]);
  assert.deepEqual(lacks(screen, [...methods(sdk.ScreenShare), 'stream']), []);
  const budget = ['quality', 'show', 'watch', 'samples', 'shares', 'views'];
  assert.deepEqual(lacks(budget, methods(Budget)), []);
  assert.deepEqual(lacks(budget, named(part('Budget'))), []);
  const hosting = /promise of `\{(.*)\}` for hosts/.exec(reference)[1].split(', ');
  assert.deepEqual(lacks(hosting, methods(Host)), []);
});

import './lib/browserish.mjs';
import assert from 'node:assert/strict';
import test from 'node:test';
import { isRoomName, makeLink, parseLink, randomRoom } from '../../public_html/klatch/index.js';

const SECRET = 'AAAAAAAAAAAAAAAAAAAAA_';
const LONGEST = 'a'.repeat(64);

for (const [hash, room, secret] of [
  ['#tea', 'tea', null],
  ['tea', 'tea', null],
  ['#A-z_09', 'A-z_09', null],
  [`#${LONGEST}`, LONGEST, null],
  [`#tea.${SECRET}`, 'tea', SECRET],
  ['', '', null],
  ['#', '', null],
]) {
  test(`the fragment '${hash}' is read as room '${room}'${secret ? ' with a secret' : ''}`, () => {
    assert.deepEqual(parseLink(hash), { room, secret, problem: null });
  });
}

for (const hash of ['#a b', '#a/b', '#tea\n', '#caf%C3%A9', `#${LONGEST}a`,
  '#tea.', '#.', '#tea.short', `#tea.${SECRET}a`, `#.${SECRET}`]) {
  test(`the fragment ${JSON.stringify(hash)} is refused with a sentence instead of a guess`, () => {
    const { room, secret, problem } = parseLink(hash);
    assert.equal(room, '');
    assert.equal(secret, null);
    assert.equal(problem?.code, 'bad-link');
    assert.match(problem.message, /\w+ .*\./);
  });
}

test('a link that was made is read back as what it was made of', () => {
  assert.equal(makeLink('tea'), '#tea');
  assert.equal(makeLink('tea', SECRET), `#tea.${SECRET}`);
  assert.deepEqual(parseLink(makeLink('tea', SECRET)), { room: 'tea', secret: SECRET, problem: null });
});

test('no link is made of what is no room or no secret', () => {
  assert.throws(() => makeLink('a b'), { code: 'bad-link' });
  assert.throws(() => makeLink('tea', 'short'), { code: 'bad-link' });
});

test('random rooms are valid names and differ', () => {
  const rooms = Array.from({ length: 100 }, randomRoom);
  assert.ok(rooms.every(isRoomName));
  assert.equal(new Set(rooms).size, 100);
});

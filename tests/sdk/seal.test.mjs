import './lib/browserish.mjs';
import assert from 'node:assert/strict';
import test from 'node:test';
import { unwrap, wrap } from '../../public_html/klatch/seal.js';
import { fromBase64url, randomId, toBase64url } from '../../public_html/klatch/bytes.js';

for (const value of [null, 0, '', 'Zoë 🎈 "<script>"', [1, [2]], { name: 'a', sdp: 'v=0\r\n' },
  'x'.repeat(100_000)]) {
  const shown = JSON.stringify(value).slice(0, 40);
  test(`${shown} comes out of an open envelope as it went in`, () => {
    const envelope = wrap(value);
    assert.deepEqual(Object.keys(envelope), ['u']);
    assert.match(envelope.u, /^[A-Za-z0-9_-]*$/);
    assert.deepEqual(unwrap(envelope), { value, plain: false });
  });
}

for (const data of [null, 'hello', 7, [], { text: 'hello' }, { u: 7 }]) {
  test(`plain JSON ${JSON.stringify(data)} is taken as it is and marked`, () => {
    assert.deepEqual(unwrap(data), { value: data, plain: true });
  });
}

for (const data of [{ u: '!' }, { u: toBase64url(new TextEncoder().encode('{"half":')) }, { u: '_w' }, { s: 'AAAA' }]) {
  test(`an envelope that can't be opened, ${JSON.stringify(data)}, has no value`, () => {
    assert.deepEqual(unwrap(data), { value: undefined, plain: false });
  });
}

test('base64url carries every byte there and back', () => {
  for (const length of [0, 1, 2, 3, 255, 256, 20_000]) {
    const bytes = Uint8Array.from({ length }, (_, at) => at % 256);
    assert.deepEqual(fromBase64url(toBase64url(bytes)), bytes);
  }
});

test('a random id has the bits that were asked for', () => {
  assert.equal(fromBase64url(randomId()).length, 16);
  assert.equal(fromBase64url(randomId(8)).length, 8);
});

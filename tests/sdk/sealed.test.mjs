import './lib/browserish.mjs';
import assert from 'node:assert/strict';
import test from 'node:test';
import * as byHand from './lib/sealing-by-hand.mjs';
import { Sealer } from '../../public_html/klatch/sealed.js';
import { fromBase64url, toBase64url } from '../../public_html/klatch/bytes.js';

const ROOM = 'tea';
const SECRET = 'AAECAwQFBgcICQoLDA0ODw';
const JWKS = {
  ann: { kty: 'EC', crv: 'P-256', x: 'ZgfBGIbsOvqHJO0j0WWjpD-c1NsHfxKJi0pgBh4oE1g',
    y: 'yFQTgO4aLRggP8CrsmXDiM02PG6Sei53jN8B4ueMHWM', d: 'LK4tohAG5qJki3H0hSCBf18K-G25At6ea9BvTKSKdLM' },
  bo: { kty: 'EC', crv: 'P-256', x: 'gYWQZoStJx7_kV3YvUOq9pbJOW1WGly4fEXVoy3I9aI',
    y: 'q8Y4aztysdsd2Jyh45g1RLW795E69D9f79lRWPhK9nk', d: 'UG9ZdsoVU49VQEOWL8X-WMq801JGq9z36eOEGrc3o24' },
};
const CARD = { v: 1, instance: 'IIIIIIIIIIIIIIIIIIIIII', name: 'Zoë' };
/** What the fixed keys make of fixed words; another implementation makes the same. */
const VECTORS = {
  pub: 'BGYHwRiG7Dr6hyTtI9Flo6Q_nNTbB38SiYtKYAYeKBNYyFQTgO4aLRggP8CrsmXDiM02PG6Sei53jN8B4ueMHWM',
  card: 'AQABAgMEBQYHCAkKC4ZxKY6NqaCFmEQ-417Mt5_CkbbY4ECPmmCuGXwXk_SEaiogFIYwI5g3VGyF6FAGy5-GeiLVMxUDrbeU7nkF'
    + 'Oq52pCGny4ANqEHk27uwJ69748Gj2JejXkdOdH8Sn_znF29RcZdQXYf4kGIeYvRjHDL7wSkI6CAEG2mIKBDg59pU6izKcr7eopL-'
    + 'wyU2eZiJxj__zM4y7790ZsaJOY7TP8TthSBdLqTmpLA',
  letters: [
    'AQAAAAAAAAAA_iJll_xixXXR91htNZRqeUkAGQDeCMA2fPOblxd8JuQw1cClnl9L4T4eRTK2zaif5_L_YzQ',
    'AQAAAAAAAAAB2TSOO8uTqp26QnAUsCzevjF2m1ZFesaV1LW1C1lDRyu4PpQHbUfAfaWfsPJtDvM',
  ],
};

const count = (array) => {
  array.forEach((_, at) => {
    array[at] = at;
  });
  return array;
};

async function keysOf({ d, ...open }) {
  const curve = { name: 'ECDH', namedCurve: 'P-256' };
  return {
    publicKey: await crypto.subtle.importKey('jwk', open, curve, true, []),
    privateKey: await crypto.subtle.importKey('jwk', { ...open, d }, curve, false, ['deriveBits']),
  };
}

const fixed = async (name) => Sealer.make({ room: ROOM, secret: SECRET, keys: await keysOf(JWKS[name]), random: count });

/** Two pages of one room, with the ids that the server gave them. */
async function pair() {
  const [ann, bo] = await Promise.all([fixed('ann'), fixed('bo')]);
  return { ann, bo, annPage: { id: 'peer-ann', pub: ann.pub }, boPage: { id: 'peer-bo', pub: bo.pub } };
}

/** The same envelope with one byte turned. */
function turned({ s }, at) {
  const bytes = fromBase64url(s);
  bytes[at < 0 ? bytes.length + at : at] ^= 1;
  return { s: toBase64url(bytes) };
}

test('fixed keys give the fixed envelopes of the vectors', async () => {
  const { ann, boPage } = await pair();
  assert.equal(ann.pub, VECTORS.pub);
  assert.equal((await ann.card(CARD)).s, VECTORS.card);
  const letters = [await ann.seal('peer-ann', boPage, 'offer', { sdp: 'v=0' }),
    await ann.seal('peer-ann', boPage, 'chat', 'héllo')];
  assert.deepEqual(letters.map(({ s }) => s), VECTORS.letters);
});

test('an implementation made from the description alone makes the same envelopes', async () => {
  const { ann, annPage, boPage } = await pair();
  const nonce = Buffer.from(count(new Uint8Array(12)));
  assert.deepEqual(await ann.card(CARD), byHand.card(ROOM, SECRET, nonce, { ...CARD, pub: ann.pub }));
  for (const counter of [0, 1]) {
    const by = byHand.letter({ room: ROOM, secret: SECRET, own: JWKS.ann, from: annPage, to: boPage, counter,
      value: { type: 'offer', body: { counter } } });
    assert.deepEqual(await ann.seal('peer-ann', boPage, 'offer', { counter }), by);
  }
});

test('a letter with a counter above 32 bits is opened', async () => {
  const { bo, annPage, boPage } = await pair();
  const value = { type: 'offer', body: 7 };
  const letter = byHand.letter({ room: ROOM, secret: SECRET, own: JWKS.ann, from: annPage, to: boPage,
    counter: 2 ** 40 + 5, value });
  assert.deepEqual(await bo.open('peer-bo', annPage, letter), value);
});

test('a card is read with the same room and secret, with no other', async () => {
  const { ann, bo } = await pair();
  const card = await ann.card(CARD);
  assert.deepEqual(await bo.openCard(card), { ...CARD, pub: ann.pub });
  for (const other of [{ room: ROOM, secret: 'BBECAwQFBgcICQoLDA0ODw' }, { room: 'coffee', secret: SECRET }]) {
    assert.equal(await (await Sealer.make(other)).openCard(card), undefined);
  }
});

test('two cards of the same words differ, and every envelope begins with a letter', async () => {
  const [one, other] = [await Sealer.make({ room: ROOM, secret: SECRET }), await Sealer.make({ room: ROOM, secret: SECRET })];
  const cards = await Promise.all(Array.from({ length: 50 }, () => one.card(CARD)));
  assert.equal(new Set(cards.map(({ s }) => s)).size, 50);
  const letters = await Promise.all(Array.from({ length: 50 }, (_, at) => one.seal('a', { id: 'b', pub: other.pub }, 'x', at)));
  for (const { s } of [...cards, ...letters]) assert.match(s, /^[A-Za-z][A-Za-z0-9_-]+$/);
});

test('a letter is opened by its addressee, and its type is inside', async () => {
  const { ann, bo, annPage, boPage } = await pair();
  const letter = await ann.seal('peer-ann', boPage, 'candidate', { a: 1 });
  assert.deepEqual(Object.keys(letter), ['s']);
  assert.deepEqual(await bo.open('peer-bo', annPage, letter), { type: 'candidate', body: { a: 1 } });
  const back = await bo.seal('peer-bo', annPage, 'answer', null);
  assert.deepEqual(await ann.open('peer-ann', boPage, back), { type: 'answer', body: null });
});

for (const at of [0, 1, 8, 9, 20, -1]) {
  test(`a letter of which byte ${at} was changed is refused`, async () => {
    const { ann, bo, annPage, boPage } = await pair();
    const letter = await ann.seal('peer-ann', boPage, 'offer', { sdp: 'v=0' });
    assert.equal(await bo.open('peer-bo', annPage, turned(letter, at)), 'broken');
    assert.deepEqual(await bo.open('peer-bo', annPage, letter), { type: 'offer', body: { sdp: 'v=0' } });
  });
  test(`a card of which byte ${at} was changed is not read`, async () => {
    const { ann, bo } = await pair();
    assert.equal(await bo.openCard(turned(await ann.card(CARD), at)), undefined);
  });
}

test('a letter is refused under another sender, to another addressee, back to its sender, in another room', async () => {
  const { ann, bo, annPage, boPage } = await pair();
  const letter = await ann.seal('peer-ann', boPage, 'offer', 1);
  assert.equal(await bo.open('peer-bo', { ...annPage, id: 'peer-cy' }, letter), 'broken');
  assert.equal(await bo.open('peer-cy', annPage, letter), 'broken');
  assert.equal(await ann.open('peer-ann', boPage, letter), 'broken');
  assert.equal(await bo.open('peer-bo', { id: 'peer-ann', pub: bo.pub }, letter), 'broken');
  const cy = await Sealer.make({ room: ROOM, secret: SECRET });
  assert.equal(await cy.open('peer-bo', annPage, letter), 'broken');
  const elsewhere = await Sealer.make({ room: 'coffee', secret: SECRET, keys: await keysOf(JWKS.bo) });
  assert.equal(await elsewhere.open('peer-bo', annPage, letter), 'broken');
});

test('a letter that comes again is dropped in silence', async () => {
  const { ann, bo, annPage, boPage } = await pair();
  const letter = await ann.seal('peer-ann', boPage, 'offer', 1);
  assert.deepEqual(await bo.open('peer-bo', annPage, letter), { type: 'offer', body: 1 });
  assert.equal(await bo.open('peer-bo', annPage, letter), 'replayed');
});

test('letters that overtake each other are all opened, each once', async () => {
  const { ann, bo, annPage, boPage } = await pair();
  const letters = [];
  for (let at = 0; at < 20; at += 1) letters.push(await ann.seal('peer-ann', boPage, 'n', at));
  const mixed = [...letters.slice(10), ...letters.slice(0, 10).reverse()];
  const opened = [];
  for (const letter of [...mixed, ...mixed]) opened.push(await bo.open('peer-bo', annPage, letter));
  assert.deepEqual(opened.slice(0, 20).map(({ body }) => body).sort((a, b) => a - b), letters.map((_, at) => at));
  assert.ok(opened.slice(20).every((one) => one === 'replayed'));
});

test('a letter from further back than can be told apart counts as one that came', async () => {
  const { bo, annPage, boPage } = await pair();
  const letter = (counter) => byHand.letter({ room: ROOM, secret: SECRET, own: JWKS.ann, from: annPage, to: boPage,
    counter, value: { type: 'n', body: counter } });
  assert.deepEqual(await bo.open('peer-bo', annPage, letter(2000)), { type: 'n', body: 2000 });
  assert.deepEqual(await bo.open('peer-bo', annPage, letter(2000 - 1023)), { type: 'n', body: 977 });
  assert.equal(await bo.open('peer-bo', annPage, letter(2000 - 1024)), 'replayed');
});

for (const s of ['', 'A', '!', 'AQ', 'AQAA', 'Ag'.padEnd(80, 'A'), 'x'.repeat(80)]) {
  test(`the envelope '${s.slice(0, 12)}' is none of ours`, async () => {
    const { bo, annPage } = await pair();
    assert.equal(await bo.open('peer-bo', annPage, { s }), 'broken');
    assert.equal(await bo.openCard({ s }), undefined);
  });
}

test('each page draws keys of its own, whose private half can\'t be read', async () => {
  const [one, other] = await Promise.all([Sealer.make({ room: ROOM, secret: SECRET }), Sealer.make({ room: ROOM, secret: SECRET })]);
  assert.notEqual(one.pub, other.pub);
  assert.match(one.pub, /^B[\w-]{86}$/);
});

test('where the page gets no cryptography a sealed room says that it needs https', async () => {
  const { crypto: whole } = globalThis;
  Object.defineProperty(globalThis, 'crypto', { configurable: true, writable: true, value: { getRandomValues() {} } });
  try {
    await assert.rejects(Sealer.make({ room: ROOM, secret: SECRET }), { code: 'sealed-insecure', message: /https/ });
  } finally {
    Object.defineProperty(globalThis, 'crypto', { configurable: true, writable: true, value: whole });
  }
});

/* The roster: who a page is by the ids that the server lists and the words that it says itself. */

import './lib/browserish.mjs';
import { Roster } from '../../public_html/klatch/roster.js';
import assert from 'node:assert/strict';
import test from 'node:test';

/** Long after a known page under another id would have said so itself. */
const LONG_MS = 10_000;

/** A listed member; its page load is `instance`. */
const entry = (peer, instance, joined, pub = null) => ({ peer, joined, card: { value: { instance }, plain: false, pub, outside: null } });

class Someone {
  lapsed = false;
  leaving = false;
  connected = true;

  constructor({ peer, joined, card }, beating) {
    this.person = { id: peer, joined };
    this.instance = card.value.instance;
    this.pub = card.pub;
    this.beating = beating;
  }

  get id() {
    return this.person.id;
  }

  list({ peer, joined, card }) {
    Object.assign(this.person, { id: peer, joined });
    Object.assign(this, { instance: card.value.instance, pub: card.pub });
  }

  wake() {}
}

/** Everybody who is added is heard, unless the test says otherwise. */
function world(t) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const heard = { beating: true };
  const roster = new Roster({ self: () => ({ peer: 'me', instance: 'mine' }), make: (listed) => new Someone(listed, heard.beating) });
  const add = (...listed) => {
    roster.add(entry(...listed), true);
    return roster.find(listed[0]);
  };
  return { roster, heard, add, ids: () => roster.members.map(({ id }) => id) };
}

test('a page\'s word that it has another id counts once the server lists that page so, whichever comes first', (t) => {
  for (const first of ['the word', 'the list']) {
    const { roster, add, ids } = world(t);
    const bo = add('b1', 'B', 1);
    add('c1', 'C', 2);
    const word = () => roster.claims(bo, 'b2');
    const list = () => roster.came(entry('b2', 'B', 3));
    if (first === 'the word') assert.equal(word(), true);
    else list();
    assert.deepEqual(ids(), ['b1', 'c1'], first);
    if (first === 'the word') list();
    else assert.equal(word(), false);
    assert.equal(roster.find('b2'), bo);
    assert.deepEqual([ids(), bo.person.joined], [['b2', 'c1'], 3], first);
    t.mock.timers.tick(LONG_MS);
    assert.deepEqual(ids(), ['b2', 'c1'], first);
    t.mock.timers.reset();
  }
});

test('an id that the server has given somebody else, or nobody, is not taken', (t) => {
  const { roster, add, ids } = world(t);
  add('a1', 'A', 1);
  const mal = add('m1', 'M', 2);
  assert.equal(roster.claims(mal, 'a1'), true);
  assert.equal(roster.claims(mal, 'x9'), true);
  roster.came(entry('x9', 'X', 3));
  assert.deepEqual([ids(), roster.find('m1')], [['a1', 'm1', 'x9'], mal]);
});

test('who copies another\'s page load gets neither their id nor the one they have next', (t) => {
  const { roster, heard, add, ids } = world(t);
  const ann = add('a1', 'A', 1);
  const mal = add('m1', 'A', 2);
  assert.equal(roster.claims(mal, 'a1'), true);
  ann.beating = false;
  assert.equal(roster.claims(mal, 'a1'), true);
  ann.beating = true;
  heard.beating = false;
  roster.came(entry('a2', 'A', 3));
  assert.equal(roster.claims(mal, 'a2'), true);
  assert.deepEqual(ids(), ['a1', 'm1', 'a2']);
  assert.equal(roster.find('a1'), ann);
  assert.equal(roster.find('m1'), mal);
});

test('in a sealed room a page has its key: another with the same page load is another page', (t) => {
  const { roster, heard, add, ids } = world(t);
  const mal = add('m1', 'A', 1, 'key of M');
  heard.beating = false;
  add('a1', 'A', 2, 'key of A');
  assert.equal(roster.claims(mal, 'a1'), true);
  assert.deepEqual(ids(), ['m1', 'a1']);
});

test('a known page that is listed anew, and unheard there, is what it was', (t) => {
  const { roster, heard, add, ids } = world(t);
  const bo = add('b1', 'B', 1);
  heard.beating = false;
  add('b2', 'B', 2);
  assert.equal(roster.claims(bo, 'b2'), false);
  assert.deepEqual([ids(), roster.find('b2')], [['b2'], bo]);
});

test('a page whose words are passed on by others is known by them under its next id', (t) => {
  for (const first of ['the word', 'the list']) {
    const { roster, heard, add, ids } = world(t);
    heard.beating = false;
    const bo = add('b1', 'B', 1);
    const steps = [() => roster.claims(bo, 'b2'), () => roster.came(entry('b2', 'B', 2))];
    for (const step of first === 'the word' ? steps : steps.reverse()) step();
    assert.deepEqual([ids(), roster.find('b2')], [['b2'], bo], first);
    t.mock.timers.reset();
  }
});

test('who is listed under another id and says nothing of it is somebody else in the end, unless they have gone', (t) => {
  const { roster, add, ids } = world(t);
  add('b1', 'B', 1);
  roster.came(entry('b2', 'B', 2));
  roster.came(entry('b2', 'B', 2));
  roster.came(entry('b3', 'B', 3));
  roster.went({ peer: 'b3', reason: 'left' });
  t.mock.timers.tick(LONG_MS);
  assert.deepEqual(ids(), ['b1', 'b2']);
});

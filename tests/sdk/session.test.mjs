import { FakeLocks, FakeStorage } from './lib/browserish.mjs';
import assert from 'node:assert/strict';
import test from 'node:test';
import { Session, takePollSlot } from '../../public_html/klatch/session.js';

/** Pages of one tab and its duplicates: one browser's locks, each tab its storage. */
function browser() {
  const locks = new FakeLocks();
  return { locks, page: (storage, name = 'klatch /api/v1 tea') => new Session({ storage, locks, name }) };
}

test('a page that reloads finds its key again', async () => {
  const { page } = browser();
  const storage = new FakeStorage();
  const before = page(storage);
  await before.keep('peer-1', 'key-1');
  before.release(); // What the end of a page does to its locks.
  assert.equal(await page(storage).take(), 'key-1');
});

test('a successor waits for the lock of a page that is just ending', async () => {
  const { page } = browser();
  const storage = new FakeStorage();
  const before = page(storage);
  await before.keep('peer-1', 'key-1');
  setTimeout(() => before.release(), 200);
  assert.equal(await page(storage).take(), 'key-1');
});

test("a duplicated tab does not get the living page's key", async () => {
  const { page } = browser();
  const storage = new FakeStorage();
  await page(storage).keep('peer-1', 'key-1');
  assert.equal(await page(storage).take(), null);
});

test('a page that has left for good leaves no key and no lock', async () => {
  const { page, locks } = browser();
  const storage = new FakeStorage();
  const session = page(storage);
  await session.keep('peer-1', 'key-1');
  session.forget();
  await Promise.resolve();
  assert.equal(await page(storage).take(), null);
  assert.deepEqual(locks.held, []);
});

test('two rooms of one tab keep their keys apart', async () => {
  const { page } = browser();
  const storage = new FakeStorage();
  const tea = page(storage, 'tea');
  const coffee = page(storage, 'coffee');
  await tea.keep('peer-1', 'key-1');
  await coffee.keep('peer-2', 'key-2');
  tea.release();
  coffee.release();
  assert.equal(await page(storage, 'coffee').take(), 'key-2');
  assert.equal(await page(storage, 'tea').take(), 'key-1');
});

test('without locks no key is kept', async () => {
  const storage = new FakeStorage();
  const session = new Session({ storage, locks: null, name: 'tea' });
  await session.keep('peer-1', 'key-1');
  assert.equal(storage.getItem('tea'), null);
  assert.equal(await session.take(), null);
});

for (const stored of ['', '{', '7', '{"peer":1,"key":"k"}', '{"peer":"p"}']) {
  test(`a stored ${JSON.stringify(stored)} is no key`, async () => {
    const { page } = browser();
    const storage = new FakeStorage();
    storage.setItem('klatch /api/v1 tea', stored);
    assert.equal(await page(storage).take(), null);
  });
}

test('storage that throws costs the reload and nothing else', async () => {
  const refuse = () => {
    throw new Error('denied');
  };
  const { page } = browser();
  const session = page({ getItem: refuse, setItem: refuse, removeItem: refuse });
  assert.equal(await session.take(), null);
  await session.keep('peer-1', 'key-1');
  session.forget();
});

test('a browser holds three polls at one API, the next when one is given back', async () => {
  const locks = new FakeLocks();
  const slots = [];
  for (let at = 0; at < 3; at += 1) slots.push(await takePollSlot(locks, 'https://one.example'));
  assert.ok(slots.every((slot) => typeof slot === 'function'));
  assert.equal(await takePollSlot(locks, 'https://one.example'), null);
  assert.equal(typeof await takePollSlot(locks, 'https://other.example'), 'function');
  slots[1]();
  await new Promise(setImmediate);
  assert.equal(typeof await takePollSlot(locks, 'https://one.example'), 'function');
});

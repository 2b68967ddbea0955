// The page's texts: which language is chosen, what happens where a text or a file is missing, and that the page
// says nothing that stands in no file.
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import test, { describe } from 'node:test';
import { loadTexts, textsOf } from '../../public_html/ui/strings.js';
import { languages } from '../../public_html/ui/strings/tables.js';
import { galleryHere } from './browser.mjs';
import { serve } from './serve.mjs';
import { english, faultsOf, folder } from './strings/check.mjs';

const polish = JSON.parse(await readFile(new URL('strings/pl.json', import.meta.url), 'utf8'));
const from = {
  en: async () => english,
  pl: async () => polish,
  'pt-BR': async () => ({ 'lobby.join': 'Entrar' }),
  cs: async () => JSON.parse('{ torn'),
  hu: async () => null,
};

test('the first wanted language that there is counts, with or without its region, else English', async () => {
  for (const [wanted, language] of [
    [['pl'], 'pl'], [['pl-PL', 'en'], 'pl'], [['PL-pl'], 'pl'], [['fr', 'pl'], 'pl'], [['fr', 'de-AT'], 'en'], [[], 'en'],
    [['pt-br'], 'pt-BR'], [['pt-BR-x-tu'], 'pt-BR'], [['pt'], 'en'], [['', '-', '---', 'pl_PL', 'pl--'], 'en'], [['en-GB', 'pl'], 'en'],
  ]) {
    assert.equal((await loadTexts(wanted, from)).language, language, wanted.join());
  }
});

test('a text that a language lacks, or has in a form that cannot be read, is said in English', async () => {
  const t = await loadTexts(['pl'], from);
  assert.equal(t('lobby.join'), 'Dołącz');
  assert.equal(t('lobby.cancel'), 'Cancel');
  const odd = textsOf({ 'lobby.join': 7, 'lobby.cancel': null, 'call.chat.unread': { one: 'x' }, 'lobby.retry': ['x'] }, { english, language: 'pl' });
  assert.deepEqual(['lobby.join', 'lobby.cancel', 'lobby.retry'].map((key) => odd(key)), ['Join', 'Cancel', 'Try again']);
  assert.equal(odd('call.chat.unread', { count: 5 }), 'Chat, 5 unread messages');
});

test('a language whose file is torn or missing is English throughout', async () => {
  for (const broken of ['cs', 'hu']) {
    const t = await loadTexts([broken], from);
    assert.equal(t.language, 'en');
    assert.equal(t('lobby.join'), 'Join');
  }
});

test('where not even English can be had, the page shows the keys instead of nothing', async () => {
  const t = await loadTexts(['pl'], { en: async () => { throw new Error('away'); } });
  assert.equal(t('lobby.join'), 'lobby.join');
});

test('a plural form goes by its count as the language counts, and numbers are written as the region does', async () => {
  const t = await loadTexts(['pl'], from);
  const said = (count) => t('call.chat.unread', { count });
  assert.deepEqual([1, 3, 5, 22].map(said), ['Czat, 1 nieprzeczytana wiadomość', 'Czat, 3 nieprzeczytane wiadomości',
    'Czat, 5 nieprzeczytanych wiadomości', 'Czat, 22 nieprzeczytane wiadomości']);
  for (const [locale, written] of [['en-US', '1,234,567'], ['en-IN', '12,34,567'], ['pt-BR', '1.234.567']]) {
    const texts = await loadTexts([locale], from);
    assert.ok(texts('call.chat.unread', { count: 1234567 }).includes(written), locale);
  }
});

test('a value that runs the other way stands between isolates, and no value is read as a text', async () => {
  const t = textsOf(english);
  assert.equal(t('notice.message', { name: 'سارة', text: '3 files' }), '\u2068سارة\u2069: 3 files');
  assert.equal(t('notice.message', { name: '{text}', text: '$& $1' }), '{text}: $& $1');
  assert.equal(textsOf({ ...english, 'language.direction': 'rtl' })('person.menu', { name: 'Ada' }), 'Options for \u2068Ada\u2069');
});

test('each file in the folder is a language of the page, and has every text, each with its values and forms', async () => {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.json')).map((name) => name.slice(0, -'.json'.length));
  assert.deepEqual(Object.keys(languages).sort(), names.sort());
  for (const name of names) {
    const table = JSON.parse(await readFile(new URL(`${name}.json`, folder), 'utf8'));
    assert.deepEqual(faultsOf(table, name), [], name);
  }
});

test('the check of a language finds what is missing, unknown, empty, or without its values', () => {
  const { 'lobby.join': _, ...lacking } = english;
  assert.deepEqual(faultsOf(lacking, 'en'), ['lobby.join: it is missing']);
  for (const [change, fault] of [
    [{ 'lobby.joy': 'x' }, /lobby\.joy: English has no such text/], [{ 'lobby.join': ' ' }, /lobby\.join: it is empty/],
    [{ 'person.menu': 'Options' }, /person\.menu: \{\} instead of \{name\}/],
    [{ 'person.menu': 'Options for {nmae}' }, /instead of \{name\}/],
    [{ 'call.chat.unread': 'x' }, /plural forms is wanted/], [{ 'lobby.join': { other: 'x' } }, /a text is wanted/],
    [{ 'call.chat.unread': { other: '{count}' } }, /the plural form "one" is missing/],
    [{ 'call.chat.unread': { one: '', few: '{count}', other: '{count}' } }, /no plural form "few"/],
    [{ 'language.direction': 'up' }, /"ltr" or "rtl"/],
  ]) {
    assert.match(faultsOf({ ...english, ...change }, 'en').join('\n'), fault);
  }
});

test('every text is used, and every key that is used has a text', async () => {
  const root = new URL('../../public_html/', import.meta.url);
  const files = (await readdir(new URL('ui/', root))).filter((name) => name.endsWith('.js')).map((name) => `ui/${name}`);
  const sources = await Promise.all([...files, 'app/app.js', 'embed/embed.js'].map((name) => readFile(new URL(name, root), 'utf8')));
  const source = sources.join('\n');
  // Keys that are put together from a kind, a state or a code: any with two words before it, as in
  // t(`file.why.${code}`); shorter ones are named here.
  const begun = [...source.matchAll(/`((?:[\w-]+\.){2,})\$\{/g)].map(([, words]) => words);
  const made = [/^problem\./, /^device\.(mic|cam|speaker|none|word)/, /^switch\./,
    /^person\.(connect|reconnect|no-path$|away)/, /^call\.(mic|cam)$/, /^check\.(server|direct|address|picture|relay)\./];
  const unused = Object.keys(english)
    .filter((key) => !made.some((pattern) => pattern.test(key)) && !begun.some((words) => key.startsWith(words))
      && !source.includes(`'${key}'`));
  assert.deepEqual(unused, []);
  for (const [, key] of source.matchAll(/\bt\('([\w.-]+)'/g)) assert.ok(key in english, key);
});

describe('on the page', () => {
  const here = galleryHere();

  test('the language is the browser’s, and said in the page', async () => {
    const context = await here.browser.newContext({ locale: 'pl-PL' });
    const page = await context.newPage();
    await page.goto(`${here.server.url}fake/#tea`);
    await page.getByRole('button', { name: 'Dołącz' }).waitFor({ timeout: 20000 });
    await page.getByRole('button', { name: 'Test sound' }).waitFor();
    assert.equal(await page.locator('html').getAttribute('lang'), 'pl');
    await context.close();
  });

  test('the element’s lang attribute outdoes the browser’s language, and may change in a call', async () => {
    const { page, complaints, close } = await here.open('call-3', { lang: 'pl', locale: 'en-US' });
    await page.getByText('Połączono 2 z 2').waitFor();
    assert.equal(await page.evaluate(() => window.deep('klatch-call')[0].lang), 'pl');
    await page.evaluate(() => { window.gallery.element.lang = 'en'; });
    await page.getByText('2 of 2 connected').waitFor();
    await page.evaluate(() => { window.gallery.element.lang = 'ar-XB'; });
    await page.waitForFunction(() => window.deep('klatch-call')[0].dir === 'rtl');
    assert.equal(await page.evaluate(() => getComputedStyle(window.deep('h1')[0]).direction), 'rtl');
    assert.deepEqual(complaints, []);
    await close();
  });

  for (const [lang, what] of [['cs', 'torn'], ['sk', 'missing']]) {
    test(`with a language whose file is ${what} the page is English`, async () => {
      const { page, close } = await here.open('lobby', { lang });
      await page.getByRole('button', { name: 'Join', exact: true }).waitFor();
      assert.equal(await page.evaluate(() => window.deep('klatch-lobby')[0].lang), 'en');
      await close();
    });
  }

  test('the English texts are asked for once, with the page’s own first requests', async () => {
    const context = await here.browser.newContext({ locale: 'en-GB' });
    const page = await context.newPage();
    const asked = [];
    page.on('request', (request) => asked.push(request.url().slice(here.server.url.length)));
    await page.goto(`${here.server.url}#tea`);
    await page.getByRole('button', { name: 'Join', exact: true }).waitFor({ timeout: 20000 });
    assert.deepEqual(asked.filter((name) => name.endsWith('.json')), ['ui/strings/en.json']);
    assert.ok(asked.indexOf('ui/strings/en.json') < asked.indexOf('ui/klatch-room.js'), asked.join(' '));
    await context.close();
  });

  test('on a page of another origin the element finds its texts', async (t) => {
    const other = await serve();
    t.after(() => other.close());
    const context = await here.browser.newContext({ locale: 'pl-PL' });
    const page = await context.newPage();
    await page.goto(`${other.url}fake/host.html?from=${here.server.url}fake/`);
    await page.getByRole('button', { name: 'Dołącz' }).waitFor({ timeout: 20000 });
    await context.close();
  });

  test('whatever the page says stands in the language’s file, as names and readers’ labels do', async () => {
    const left = [];
    const scenes = ['lobby', 'lobby-check', 'lobby-permission-denied-both', 'lobby-elsewhere', 'call-1', 'call-states',
      'call-chat-alone', 'call-files', 'call-settings', 'call-notices', 'call-server-away', 'call-person', 'ended-left'];
    const walk = async () => {
      for (let scene = scenes.shift(); scene !== undefined; scene = scenes.shift()) {
        const { page, close } = await here.open(scene, { lang: 'en-XA' });
        left.push(...(await page.evaluate(plainWords)).map((words) => `${scene}: ${words}`));
        await close();
      }
    };
    await Promise.all([walk(), walk()]);
    assert.deepEqual(left, []);
  });
});

/** In the page: texts and labels with plain letters, but for what people, rooms, files, devices and keys are called. */
function plainWords() {
  const theirs = /\b(Ada|Maya|Jonas Lindqvist|Amina|Teodor|Noor|kitchen-table|Alt\+[A-Z]|[kM]B)\b|Minutes of .*\.odt|\w+\.(mp4|txt|zip|pdf)\b/g;
  const written = '.text, .card .name, .size, option, time';
  const found = [];
  const look = (text, element) => {
    if (/[a-z]{2}/i.test((text ?? '').replace(theirs, '')) && !element.closest(written)) found.push(`<${element.localName}> ${text.trim()}`);
  };
  for (const element of window.deep('*', window.gallery.element.shadowRoot)) {
    for (const node of element.childNodes) if (node.nodeType === Node.TEXT_NODE) look(node.data, element);
    for (const label of ['aria-label', 'title', 'placeholder', 'alt']) look(element.getAttribute(label), element);
  }
  return [...new Set(found)];
}

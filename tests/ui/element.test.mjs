// <klatch-room> as the author of another page meets it: attributes, properties, events, methods, parts.
import assert from 'node:assert/strict';
import test from 'node:test';
import { galleryHere } from './browser.mjs';

const here = galleryHere();

/** A page with nothing but the element's script, and what it said to the console. */
async function blank({ plan = {}, scheme = 'light' } = {}) {
  const context = await here.browser.newContext({ viewport: { width: 900, height: 700 }, colorScheme: scheme, reducedMotion: 'reduce' });
  context.setDefaultTimeout(20000);
  const page = await context.newPage();
  const said = { warnings: [], errors: [] };
  page.on('pageerror', (error) => said.errors.push(String(error)));
  page.on('console', (line) => {
    if (line.type() === 'warning') said.warnings.push(line.text());
    if (line.type() === 'error') said.errors.push(line.text());
  });
  await page.route('**/blank.html', (route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>x</title><body><div id="here"></div>' }));
  await page.goto(`${here.server.url}fake/blank.html`);
  await page.evaluate(async (planned) => {
    window.klatchPlan = planned;
    window.told = [];
    for (const type of ['joined', 'peer-joined', 'peer-left', 'message', 'waiting', 'knocking', 'left', 'problem', 'unread',
      'link-changed']) {
      document.addEventListener(type, ({ detail, target }) => window.told.push({ type, detail, target: target.id || target.localName }));
    }
    window.posted = [];
    addEventListener('message', (event) => window.posted.push(event.constructor.name));
    await import('./ui/klatch-room.js');
    window.add = (attributes, where = document.getElementById('here')) => {
      const element = document.createElement('klatch-room');
      for (const [name, value] of Object.entries({ api: '/api/v1', ...attributes })) element.setAttribute(name, value);
      where.append(element);
      window.element = element;
      return element;
    };
    window.deep = (selector, root = document) => [...root.querySelectorAll('*')].flatMap((element) => [
      ...(element.matches(selector) ? [element] : []), ...(element.shadowRoot ? window.deep(selector, element.shadowRoot) : []),
    ]);
    window.tick = () => new Promise((resolve) => { requestAnimationFrame(() => setTimeout(resolve, 30)); });
  }, plan);
  return { page, said, add: (attributes) => page.evaluate((its) => void window.add(its), attributes), close: () => context.close() };
}

const MAYA = { people: [{ name: 'Maya' }] };
const inCall = (page) => page.getByRole('button', { name: 'Hang up' }).waitFor();
const told = (page, type) => page.evaluate((wanted) => window.told.filter((one) => one.type === wanted).length, type);

test('every attribute is a property, and the property an attribute', async () => {
  const { page, said, add, close } = await blank();
  await add({ room: 'tea', api: '/api/v1' });
  const seen = await page.evaluate(() => {
    const { element } = window;
    const values = { api: '/other/v1', room: 'coffee', name: 'Ann', token: 'a.b.c', secret: 's'.repeat(22), password: 'open sesame',
      lang: 'en', theme: 'dark', hide: 'chat', devices: 'none', link: 'https://example.org/x' };
    return Object.entries(values).map(([name, value]) => {
      element[name] = value;
      const written = element.getAttribute(name) === value && element[name] === value;
      element.setAttribute(name, '');
      element.removeAttribute(name);
      return [name, written, String(element[name] ?? '')];
    });
  });
  assert.deepEqual(seen.filter(([, written]) => !written), []);
  assert.equal(seen.find(([name]) => name === 'theme')[2], 'auto');
  assert.deepEqual(await page.evaluate(() => {
    const { element } = window;
    element.open = true;
    const on = element.hasAttribute('open');
    element.open = false;
    element.token = async () => 'fetched';
    const fetched = [on, element.hasAttribute('open'), typeof element.token, element.hasAttribute('token')];
    // Of a function and a text the last one counts.
    element.setAttribute('token', 'a.b.c');
    return [...fetched, element.token];
  }), [true, false, 'function', false, 'a.b.c']);
  assert.deepEqual(said.errors, []);
  await close();
});

test('what the page gives reaches the room: name, token, secret, password, devices', async () => {
  const { page, add, close } = await blank({ plan: MAYA });
  await add({ id: 'x', room: 'tea', secret: 's'.repeat(22), name: 'Ann', token: 'a.b.c', password: 'open sesame',
    api: '/api/v1', devices: 'mic', open: '' });
  await inCall(page);
  const [joined] = await page.evaluate(() => window.klatchJoins.map(({ api, room, name, token, password }) => ({ api, room, name, token, password })));
  assert.deepEqual(joined, { api: `${here.server.url}api/v1`, room: `tea.${'s'.repeat(22)}`, name: 'Ann', token: 'a.b.c',
    password: 'open sesame' });
  assert.deepEqual(await page.evaluate(() => [window.element.media.mic, window.element.media.cam]), [true, false]);
  await close();
});

test('with "open" the call begins without the lobby; without it the lobby asks', async () => {
  const { page, add, close } = await blank();
  await add({ room: 'tea', open: '', devices: 'none' });
  await inCall(page);
  assert.equal(await page.evaluate(() => window.klatchJoins.length), 1);
  await page.evaluate(() => {
    window.element.remove();
    window.add({ room: 'tea', devices: 'none' });
  });
  await page.getByRole('button', { name: 'Join', exact: true }).waitFor();
  assert.equal(await page.evaluate(() => window.klatchJoins.length), 1);
  await page.evaluate(() => { window.element.open = true; });
  await inCall(page);
  await close();
});

test('what happens is told by events that bubble out of shadow roots, a message not to the window', async () => {
  const { page, said, close } = await blank({ plan: MAYA });
  await page.evaluate(() => {
    const shop = document.createElement('section');
    document.getElementById('here').append(shop);
    window.add({ id: 'one', room: 'tea', open: '', devices: 'none' }, shop.attachShadow({ mode: 'open' }));
  });
  await inCall(page);
  await page.evaluate(() => {
    const { call } = window.element;
    const person = call.enter({ name: 'Noor' });
    call.hear(person, 'hello');
    call.part(person, 'left');
    window.element.leave();
  });
  await page.getByText('You hung up').waitFor();
  const events = await page.evaluate(() => window.told.map(({ type, detail, target }) => {
    const { person, message, reason, room, count } = detail;
    return [target, type, person?.name ?? message?.text ?? reason ?? room?.name ?? count];
  }));
  assert.deepEqual(events, [
    ['section', 'joined', 'tea'], ['section', 'peer-joined', 'Maya'], ['section', 'peer-joined', 'Noor'],
    ['section', 'message', 'hello'], ['section', 'unread', 1], ['section', 'peer-left', 'Noor'],
    ['section', 'unread', 0], ['section', 'left', 'left'],
  ]);
  assert.deepEqual(await page.evaluate(() => window.posted), []);
  assert.deepEqual(said.errors, []);
  await close();
});

test('what hides a host\'s part hides it in the settings and in the menu of a person too', async () => {
  const { page, add, close } = await blank({ plan: { ...MAYA, host: true } });
  await add({ room: 'tea', open: '', devices: 'none', hide: 'hosting' });
  await inCall(page);
  await page.evaluate(() => window.deep('klatch-tile')[0].shadowRoot.querySelector('.menu').click());
  await page.getByRole('button', { name: 'Mute for me' }).waitFor();
  assert.equal(await page.getByRole('button', { name: 'Make host' }).count(), 0);
  await page.evaluate(() => { window.element.hide = ''; });
  await page.getByRole('button', { name: 'Make host' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Settings' }).click();
  await page.getByLabel('Lock the room').waitFor();
  await page.evaluate(() => { window.element.hide = 'hosting'; });
  await page.getByLabel('Lock the room').waitFor({ state: 'hidden' });
  await close();
});

test('a page hears that somebody waits, and who knocks', async () => {
  const { page, add, close } = await blank({ plan: { waiting: { hosts: 1 } } });
  await add({ room: 'tea', open: '', devices: 'none' });
  await page.getByText('Waiting to be let in').waitFor();
  assert.deepEqual(await page.evaluate(() => window.told.map(({ type, detail }) => [type, detail.hosts])), [['waiting', 1]]);
  await close();
  const host = await blank({ plan: { host: true } });
  await host.add({ room: 'tea', open: '', devices: 'none' });
  await inCall(host.page);
  await host.page.evaluate(() => { window.element.call.knock({ name: 'Noor' }); });
  assert.deepEqual(await host.page.evaluate(() => window.told.filter(({ type }) => type === 'knocking')
    .map(({ detail }) => detail.people.map(({ name }) => name))), [['Noor']]);
  await host.close();
});

test('methods do what the controls do', async () => {
  const { page, add, close } = await blank({ plan: MAYA });
  await add({ room: 'tea', name: 'Ann' });
  await page.getByRole('button', { name: 'Join', exact: true }).waitFor();
  const refused = await page.evaluate(() => { try { return window.element.say('early'); } catch ({ code }) { return code; } });
  assert.equal(refused, 'not-joined');
  await page.evaluate(async () => {
    await window.element.join();
    await window.element.mute();
    await window.element.camera(false);
  });
  await page.getByRole('button', { name: 'Microphone', pressed: false }).waitFor();
  await page.getByRole('button', { name: 'Camera', pressed: false }).waitFor();
  assert.equal(await page.evaluate(() => window.element.muted), true);
  await page.evaluate(async () => {
    await window.element.unmute();
    await window.element.camera(true);
    window.element.chat(true);
    window.element.chat(true);
    window.element.say('from the page');
  });
  await page.getByRole('button', { name: 'Microphone', pressed: true }).waitFor();
  await page.getByRole('button', { name: 'Camera', pressed: true }).waitFor();
  await page.getByRole('log').getByText('from the page').waitFor();
  await page.evaluate(() => window.element.chat(false));
  await page.getByRole('log').waitFor({ state: 'detached' });
  await page.evaluate(() => window.element.share(true));
  await page.getByRole('group', { name: /Screen/ }).waitFor();
  assert.deepEqual(await page.evaluate(async () => {
    const same = await window.element.join() === window.element.call;
    window.element.leave();
    window.element.leave();
    return [same, window.element.call];
  }), [true, null]);
  await close();
});

test('any control is hidden by a word, with its shortcut, and unknown words are left out with a warning', async () => {
  const { page, said, add, close } = await blank({ plan: MAYA });
  await add({ room: 'tea', hide: 'chat screen settings invite moon', devices: 'none', open: '' });
  await inCall(page);
  const buttons = () => page.getByRole('group', { name: 'Call controls' }).getByRole('button').allInnerTexts();
  assert.deepEqual((await buttons()).map((text) => text.trim()), ['Microphone', 'Camera', 'Hang up']);
  assert.equal(await page.getByRole('button', { name: 'Copy link' }).count(), 0);
  await page.keyboard.press('Alt+t');
  assert.equal(await page.getByRole('log').count(), 0);
  assert.equal(said.warnings.length, 1);
  assert.match(said.warnings[0], /^<klatch-room>: The attribute hide=.* has moon, which is none of title, .*chat/);
  assert.deepEqual(await page.evaluate(() => window.told.filter(({ type }) => type === 'problem')
    .map(({ detail: { problem: { code, attribute } } }) => [code, attribute])), [['bad-attribute', 'hide']]);
  await page.evaluate(() => { window.element.hide = 'mic'; });
  assert.deepEqual((await buttons()).map((text) => text.trim()), ['Camera', 'Screen', 'Chat', 'Settings', 'Hang up']);
  await close();
});

test('a hidden microphone has no key to talk with either, whatever was chosen before', async () => {
  const { page, add, close } = await blank({ plan: MAYA });
  await page.evaluate(() => localStorage.setItem('klatch', JSON.stringify({ holdToTalk: true })));
  await add({ room: 'tea', hide: 'mic', devices: 'mic', open: '' });
  await inCall(page);
  const muted = () => page.evaluate(() => window.element.muted);
  assert.equal(await muted(), false);
  await page.evaluate(() => window.element.mute());
  await page.keyboard.down('Space');
  assert.equal(await muted(), true);
  await page.keyboard.up('Space');
  await page.getByRole('button', { name: 'Settings' }).click();
  await page.getByLabel('Who speaks is large').waitFor();
  assert.equal(await page.getByLabel('Hold the space bar to talk').isVisible(), false);
  await close();
});

test('join() after a call is as the button there: microphone and camera are opened again', async () => {
  const { page, add, close } = await blank({ plan: MAYA });
  await add({ room: 'tea', devices: 'mic camera', open: '' });
  await inCall(page);
  await page.evaluate(() => window.element.leave());
  await page.getByRole('heading', { name: 'You hung up' }).waitFor();
  assert.deepEqual(await page.evaluate(() => [window.element.media.mic, window.element.media.cam]), [false, false]);
  await page.evaluate(() => window.element.join().then(() => {}));
  assert.deepEqual(await page.evaluate(() => [window.element.media.mic, window.element.media.cam]), [true, true]);
  await close();
});

test('an element that is taken away while it joins again does not come into the call', async () => {
  const { page, add, close } = await blank({ plan: MAYA });
  await add({ room: 'tea', devices: 'mic', open: '' });
  await inCall(page);
  await page.evaluate(() => window.element.leave());
  await page.getByRole('button', { name: 'Join again' }).waitFor();
  const [joins, call] = await page.evaluate(async () => {
    const before = window.klatchJoins.length;
    window.deep('klatch-card')[0].shadowRoot.querySelector('button').click();
    window.element.remove();
    for (let turns = 0; turns < 10; turns += 1) await window.tick();
    return [window.klatchJoins.length - before, window.element.call];
  });
  assert.deepEqual([joins, call], [0, null]);
  await close();
});

test('every word hides something, in the lobby or in the call', async () => {
  const { page, add, close } = await blank({ plan: { host: true } });
  await add({ room: 'tea', api: '/api/v1' });
  await page.getByRole('button', { name: 'Join', exact: true }).waitFor();
  const left = await page.evaluate(async () => {
    const { HIDDEN_BY } = await import('./ui/part-names.js');
    const { element } = window;
    const shown = (word) => HIDDEN_BY[word].flatMap((part) => window.deep(`[part~="${part}"]`)).filter((one) => one.getClientRects().length > 0);
    const words = new Set(Object.keys(HIDDEN_BY));
    const unhidden = [];
    const look = async () => {
      for (const word of words) {
        element.hide = '';
        await window.tick();
        if (shown(word).length === 0) continue;
        words.delete(word);
        element.hide = word;
        await window.tick();
        if (shown(word).length > 0) unhidden.push(word);
      }
    };
    await look();
    await element.join();
    element.call.knock({ name: 'Noor' });
    await look();
    element.hide = '';
    element.chat(true);
    await window.tick();
    await look();
    element.hide = '';
    await window.tick();
    window.deep('[part~="settings-button"]')[0].click();
    while (window.deep('dialog[open]').length === 0) await window.tick();
    await look();
    return { unseen: [...words], unhidden };
  });
  assert.deepEqual(left, { unseen: [], unhidden: [] });
  await close();
});

test('colours and fonts are the page\'s to give, parts its to style, through all shadow roots', async () => {
  const { page, add, close } = await blank({ plan: MAYA });
  await page.addStyleTag({ content: `klatch-room { --klatch-accent: rgb(120, 20, 160); --klatch-ground: rgb(1, 2, 3); --klatch-font: monospace; }
    klatch-room::part(join-button) { letter-spacing: 3px; } klatch-room::part(tile) { border-radius: 1px; }
    klatch-room::part(leave-button) { outline: 2px solid rgb(9, 9, 9); } klatch-room::part(menu-button) { opacity: .5; }` });
  await add({ room: 'tea' });
  const style = (selector, name) => page.evaluate(([which, what]) => getComputedStyle(window.deep(which)[0])[what], [selector, name]);
  await page.getByRole('button', { name: 'Join', exact: true }).waitFor();
  assert.equal(await style('.join', 'backgroundColor'), 'rgb(120, 20, 160)');
  assert.equal(await style('.join', 'letterSpacing'), '3px');
  assert.equal(await style('klatch-room', 'backgroundColor'), 'rgb(1, 2, 3)');
  assert.equal(await style('.join', 'fontFamily'), 'monospace');
  await page.getByRole('button', { name: 'Join', exact: true }).click();
  await inCall(page);
  assert.equal(await style('.tile', 'borderTopLeftRadius'), '1px');
  assert.equal(await style('.hang-up', 'outlineColor'), 'rgb(9, 9, 9)');
  assert.equal(await style('klatch-tile .menu, .menu', 'opacity'), '0.5');
  await close();
});

for (const scheme of ['light', 'dark']) {
  test(`the theme is the page's, and the person's where it says auto, at a ${scheme} system`, async () => {
    const { page, add, close } = await blank({ scheme });
    await add({ room: 'tea' });
    const ground = (theme) => page.evaluate((value) => {
      if (value !== null) window.element.theme = value;
      const { backgroundColor, colorScheme } = getComputedStyle(window.element);
      return [backgroundColor, colorScheme];
    }, theme);
    const light = 'rgb(244, 240, 234)';
    const dark = 'rgb(20, 18, 16)';
    assert.deepEqual(await ground('light'), [light, 'light']);
    assert.deepEqual(await ground('DARK'), [dark, 'dark']);
    assert.deepEqual(await ground('auto'), [scheme === 'light' ? light : dark, 'light dark']);
    assert.deepEqual(await ground('sepia'), [scheme === 'light' ? light : dark, 'light dark']);
    await close();
  });
}

test('a call goes on when its element is moved within the page, with its chat', async () => {
  const { page, said, add, close } = await blank({ plan: MAYA });
  await add({ room: 'tea', open: '' });
  await inCall(page);
  await page.evaluate(() => {
    window.element.call.hear(window.element.call.people[0], 'before the move');
    window.element.chat(true);
  });
  await page.getByText('before the move').waitFor();
  const after = await page.evaluate(async () => {
    const { element } = window;
    const [room, video] = [element.call, window.deep('video')[0]];
    const aside = document.createElement('aside');
    document.body.append(aside);
    element.remove();
    await Promise.resolve();
    aside.append(element);
    await window.tick();
    await window.tick();
    return [element.call === room, window.deep('video')[0] === video, video.srcObject !== null, element.media.mic, element.media.cam,
      window.deep('.text').map((line) => line.textContent)];
  });
  assert.deepEqual(after, [true, true, true, true, true, ['before the move']]);
  await page.evaluate(() => window.element.call.hear(window.element.call.people[0], 'after it'));
  await page.getByRole('log').getByText('after it').waitFor();
  assert.equal(await page.evaluate(() => window.deep('.text').length), 2);
  assert.equal(await told(page, 'left'), 0);
  // A dialog that was open is closed, and does not stand in the page.
  await page.getByRole('button', { name: 'Settings' }).click();
  await page.getByRole('dialog').waitFor();
  await page.evaluate(() => document.getElementById('here').append(window.element));
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  await inCall(page);
  assert.deepEqual(said.errors, []);
  await close();
});

test('an element that is removed leaves, and one that comes back begins anew', async () => {
  const { page, add, close } = await blank({ plan: MAYA });
  await add({ room: 'tea' });
  await page.getByRole('button', { name: 'Join', exact: true }).click();
  await inCall(page);
  const after = await page.evaluate(async () => {
    const { element } = window;
    const tracks = element.media.stream.getTracks();
    element.remove();
    await window.tick();
    return [element.call, tracks.length, tracks.filter(({ readyState }) => readyState === 'live').length,
      element.shadowRoot.querySelectorAll('*').length];
  });
  assert.deepEqual(after, [null, 2, 0, 0]);
  assert.equal(await page.evaluate(() => document.getElementById('here').append(window.element)), undefined);
  await page.getByRole('button', { name: 'Join', exact: true }).waitFor();
  await page.waitForFunction(() => window.element.media.mic);
  await close();
});

/** [attributes, which one is told, in what words, whether there is no joining] */
const NONSENSE = [
  [{}, 'room', /is missing: the name of the room/, true],
  [{ room: '' }, 'room', /room="" is no room/, true],
  [{ room: 'tea time' }, 'room', /1 to 64 letters, digits, - or _/, true],
  [{ room: 'x'.repeat(65) }, 'room', /is no room/, true],
  [{ room: 'tea.short' }, 'room', /room="tea" is no room/, true],
  [{ room: 'tea', secret: 'hush' }, 'secret', /attribute secret is no secret: 22/, true],
  [{ room: `tea.${'a'.repeat(22)}`, secret: 'b'.repeat(22) }, 'secret', /another one than that in the attribute room/, true],
  [{ room: 'tea', api: 'http://[' }, 'api', /is no address of a room API. Write it like https/, true],
  [{ room: 'tea', api: 'javascript:alert(1)' }, 'api', /is no address of a room API/, true],
  [{ room: 'tea', password: 'ä'.repeat(129) }, 'password', /attribute password is longer than 256 bytes/, true],
  [{ room: 'tea', theme: 'sepia' }, 'theme', /is none of light, dark, auto/, false],
  [{ room: 'tea', open: 'false' }, 'open', /leave the attribute away/, false],
  [{ room: 'tea', hide: 'Chat, everything' }, 'hide', /has everything, which is none of/, false],
  [{ room: 'tea', devices: 'trumpet' }, 'devices', /has trumpet, which is none of mic, camera, none/, false],
  [{ room: 'tea', link: 'javascript:alert(1)' }, 'link', /is no address/, false],
  [{ room: 'tea', lang: 'english, please' }, 'lang', /is no language's tag/, false],
];

test('nonsense in an attribute is told to page and console once, and joining is refused where it can\'t be', async () => {
  const { page, said, close } = await blank();
  for (const [attributes, attribute, words, fatal] of NONSENSE) {
    const what = JSON.stringify(attributes).slice(0, 80);
    said.warnings.length = 0;
    const seen = await page.evaluate(async (its) => {
      window.told.length = 0;
      const element = window.add(its);
      await window.tick();
      await window.tick();
      element.update();
      const problems = window.told.filter(({ type }) => type === 'problem').map(({ detail: { problem } }) => problem);
      const refused = await element.join().then(() => '', ({ code }) => code);
      await window.tick();
      const shown = window.deep('.problem .title').map((title) => title.textContent);
      element.remove();
      await window.tick();
      return { codes: problems.map(({ code, attribute: of, message }) => [code, of, message]), refused, shown };
    }, attributes);
    assert.equal(seen.codes.length, 1, what);
    const [[code, of, message]] = seen.codes;
    assert.deepEqual([code, of], ['bad-attribute', attribute], what);
    assert.match(message, words, what);
    assert.equal(seen.refused, fatal ? 'bad-attribute' : '', what);
    assert.deepEqual(seen.shown, fatal ? ['This chat is not set up right'] : [], what);
    assert.deepEqual(said.warnings.length, 1, what);
    assert.ok(!said.warnings[0].includes('aaaa') && !said.warnings[0].includes('ää'), said.warnings[0]);
  }
  assert.deepEqual(said.errors, []);
  await close();
});

test('what is wrong is told once, and again when it is wrong in another way', async () => {
  const { page, add, close } = await blank();
  await add({ room: 'tea', theme: 'sepia' });
  const change = async (name, value) => {
    await page.evaluate(async ([its, to]) => {
      window.element.setAttribute(its, to);
      await window.tick();
    }, [name, value]);
    return told(page, 'problem');
  };
  assert.equal(await change('name', 'Ann'), 1);
  assert.equal(await change('theme', 'plaid'), 2);
  assert.equal(await change('theme', 'dark'), 2);
  assert.equal(await change('theme', 'plaid'), 3);
  await close();
});

test('a sealed link is offered only where the page follows it', async () => {
  const { page, add, close } = await blank();
  await add({ room: 'tea' });
  await page.getByRole('button', { name: 'Join', exact: true }).waitFor();
  assert.equal(await page.getByRole('button', { name: 'Make a sealed link' }).count(), 0);
  await page.evaluate(() => { window.element.sealable = true; });
  await page.getByRole('button', { name: 'Make a sealed link' }).click();
  await page.getByText('Sealed room:').waitFor();
  assert.match(await page.evaluate(() => window.told.find(({ type }) => type === 'link-changed').detail.link), /#tea\.[\w-]{22}$/);
  await close();
});

test('the link that others get is the page\'s own where it gives one', async () => {
  const { page, add, close } = await blank();
  await add({ room: 'tea', link: '/help?call=7#top', devices: 'none', open: '' });
  await inCall(page);
  assert.equal(await page.getByLabel('Link to this room').inputValue(), `${here.server.url}help?call=7#top`);
  await close();
});

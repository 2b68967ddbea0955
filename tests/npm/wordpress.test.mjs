// The plugin for WordPress: its short code in a real browser, its tokens at the real backend.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import { launch } from '../browser/lib/participant.mjs';
import { Server } from '../browser/lib/server.mjs';
import { until } from '../browser/lib/until.mjs';
import { newId, newRoom } from '../integration/lib/api.mjs';
import { ROOT, install, newFolder } from './lib/site.mjs';
import { WordPress } from './lib/wordpress.mjs';

const { keys, good } = JSON.parse(fs.readFileSync(path.join(ROOT, 'deploy/tokens/vectors.json'), 'utf8'));
const [key, secret] = Object.entries(keys)[0];
const LOAD = `require '${path.join(ROOT, 'tests/npm/lib/wordpress/functions.php')}'; require '${path.join(ROOT, 'public_html/examples/wordpress/klatch.php')}';`;

describe('the plugin for WordPress', () => {
  let folder;
  let site;
  let server;
  let browser;
  before(async () => {
    folder = newFolder();
    site = await WordPress.start(folder, install(folder));
    server = new Server({ settings: `origins = ${site.origin}\ntokens = required\ntoken_key = ${key} ${secret}\n` });
    await server.start();
    browser = await launch();
  }, { timeout: 60_000 });
  after(async () => {
    await browser?.close();
    await server?.close();
    await site?.close();
    fs.rmSync(folder, { recursive: true, force: true });
    assert.deepEqual(site.complaints(), []);
  });

  /** A browser in which this account is logged in. */
  async function visit(t, user, address) {
    const context = await browser.newContext();
    t.after(() => context.close());
    if (user) await context.addCookies([{ name: 'user', value: user, url: site.origin }]);
    const one = await context.newPage();
    one.wrong = [];
    one.on('pageerror', (error) => one.wrong.push(String(error)));
    one.status = (await one.goto(address)).status();
    return one;
  }

  const ask = (one, room, nonce) => one.evaluate(async ([name, word]) => {
    const body = new URLSearchParams({ action: 'klatch_token', room: name, _ajax_nonce: word });
    const answer = await fetch('/wp-admin/admin-ajax.php', { method: 'POST', body });
    return [answer.status, await answer.text()];
  }, [room, nonce]);
  const nonceOf = (one) => one.locator('klatch-room').getAttribute('data-klatch-nonce');

  it('signs the tokens of the test vectors to the byte', () => {
    for (const { key: id, room, sub, name, role, now, token } of good) {
      const args = [id, keys[id], room, sub, name, role, now];
      const code = `${LOAD} echo klatch_token(...json_decode($argv[1]));`;
      assert.equal(String(execFileSync('php', ['-r', code, JSON.stringify(args)])), token);
    }
  });

  it('takes its settings from who may manage options, keeps the secret to itself and refuses a short one', async (t) => {
    const settings = `${site.origin}/wp-admin/options-general.php`;
    assert.equal((await visit(t, 'ben', settings)).status, 403);
    const admin = await visit(t, 'admin', settings);
    await admin.getByLabel('Room API').fill(`${server.origin}/api/v1`);
    await admin.getByLabel('Key id').fill(key);
    await admin.getByLabel('Secret').fill(secret);
    await admin.getByRole('button').click();
    await admin.getByText('Settings saved.').waitFor();
    await admin.goto(settings);
    assert.equal(await admin.getByLabel('Room API').inputValue(), `${server.origin}/api/v1`);
    assert.ok(!(await admin.content()).includes(secret));
    await admin.getByLabel('Secret').fill('too short');
    await admin.getByRole('button').click();
    await admin.getByText('The secret has 32 to 255 characters').waitFor();
    assert.equal(JSON.parse(fs.readFileSync(path.join(folder, 'options.json'), 'utf8')).klatch_secret, secret);
  });

  it('lets those who are logged in meet under the names of their accounts', { timeout: 90_000 }, async (t) => {
    const room = newRoom('wp');
    const address = site.page(`Come in: [klatch room="${room}"]`);
    const [ann, ben] = await Promise.all(['ann', 'ben'].map((user) => visit(t, user, address)));
    for (const one of [ann, ben]) await one.getByRole('button', { name: 'Join', exact: true }).click();
    const others = (one) => one.evaluate(() => document.querySelector('klatch-room').call?.people.map(({ name, state }) => `${name} ${state}`));
    await until('they are connected', async () => String(await others(ann)) === 'Ben connected'
      && String(await others(ben)) === 'Ann "A" <i>O\'Neil</i> connected', 30_000);
    assert.deepEqual([...ann.wrong, ...ben.wrong], []);
  });

  it('gives no token to a guest, with another\'s nonce or for another room', async (t) => {
    const room = newRoom('wp');
    const ann = await visit(t, 'ann', site.page(`[klatch room="${room}"]`));
    const nonce = await nonceOf(ann);
    const [status, answer] = await ask(ann, room, nonce);
    assert.equal(status, 200);
    const [, claims] = JSON.parse(answer).data.split('.');
    const { iss, sub, role, room: named } = JSON.parse(Buffer.from(claims, 'base64url'));
    assert.deepEqual([iss, sub, role, named], [key, 'wordpress-7', 'host', room]);
    assert.equal((await ask(ann, newRoom('wp'), nonce))[0], 403);
    const long = await visit(t, 'long', site.page(`[klatch room="${room}"]`));
    const { data } = JSON.parse((await ask(long, room, await nonceOf(long)))[1]);
    const joined = await fetch(`${server.origin}/api/v1/rooms/${room}/join`, {
      method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ id: newId(), token: data }),
    });
    assert.deepEqual([joined.status, (await joined.json()).name], [201, '茶'.repeat(64)]);
    const ben = await visit(t, 'ben', site.page(`[klatch room="${room}"]`));
    assert.equal((await ask(ben, room, nonce))[0], 403);
    const guest = await visit(t, null, site.page(`[klatch room="${room}"]`));
    assert.equal(await guest.locator('klatch-room').count(), 0);
    assert.equal(await guest.getByRole('link', { name: 'Log in to join the room.' }).count(), 1);
    assert.deepEqual(await ask(guest, room, nonce), [400, '0']);
    // Where guests are shown the room, the server is who decides.
    await guest.goto(site.page(`[klatch room="${room}" guests="yes"]`));
    assert.equal(await nonceOf(guest), null);
    await guest.getByRole('textbox', { name: 'Your name' }).fill('Guest');
    await guest.getByRole('button', { name: 'Join', exact: true }).click();
    await guest.getByRole('alert').getByText('invitation').first().waitFor();
  });

  it('prints what people wrote as text, and no room that is none', async (t) => {
    const one = await visit(t, 'ann', site.page('[klatch room="tea"]'));
    assert.equal(await one.locator('klatch-room').getAttribute('name'), 'Ann "A" <i>O\'Neil</i>');
    const heightOf = async (height) => {
      await one.goto(site.page(`[klatch room="tea" height="${height}"]`));
      return one.locator('klatch-room').evaluate((element) => [element.offsetHeight, element.style.length]);
    };
    assert.deepEqual(await heightOf('300px'), [300, 2]);
    assert.deepEqual(await heightOf('1px; color: red'), [576, 2]);
    for (const bad of ['', 'a b', '"onload=', "x'><b>", 'a'.repeat(65)]) {
      await one.goto(site.page(`[klatch room="${bad.replace('"', '&quot;')}"]`));
      await one.getByText('The short code needs a room').waitFor();
      assert.equal(await one.locator('klatch-room').count(), 0, bad);
    }
  });
});

/* Channels of an application, between real browsers and between a browser and Node, with the real backend. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import readline from 'node:readline';
import test, { after as atEnd, before as atStart } from 'node:test';
import { fileURLToPath } from 'node:url';
import { launch } from './lib/participant.mjs';
import { Server } from './lib/server.mjs';
import { until } from './lib/until.mjs';

const CONNECT_MS = 30_000;
const SECRET = 'abcdefghijklmnopqrstuv';
const PERSON = fileURLToPath(new URL('./lib/node-person.mjs', import.meta.url));
const [MAJOR] = process.versions.node.split('.').map(Number);
const server = new Server();
let browser;

atStart(async () => {
  await server.start();
  browser = await launch();
});

atEnd(async () => {
  await browser?.close();
  await server.close();
});

const newRoom = () => `channel-${randomBytes(6).toString('hex')}`;

/** A page of another site's making, in a room, with a channel; what happens lies in `globalThis.heard`. */
async function page(t, room, name, { options = {}, data = true } = {}) {
  const context = await browser.newContext();
  t.after(() => context.close());
  const tab = await context.newPage();
  tab.on('pageerror', (error) => t.diagnostic(`page: ${error}`));
  await tab.addInitScript(() => {
    const { mediaDevices } = navigator;
    globalThis.asked = 0;
    for (const what of ['getUserMedia', 'getDisplayMedia']) {
      const real = mediaDevices[what].bind(mediaDevices);
      mediaDevices[what] = (...more) => {
        globalThis.asked += 1;
        return real(...more);
      };
    }
    globalThis.descriptions = [];
    const real = RTCPeerConnection.prototype.setLocalDescription;
    RTCPeerConnection.prototype.setLocalDescription = async function set(...more) {
      await real.apply(this, more);
      globalThis.descriptions.push(this.localDescription.sdp);
    };
  });
  await tab.route('**/embedding.html', (route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>x</title>' }));
  await tab.goto(`${server.origin}/embedding.html`);
  await tab.evaluate(async ([roomName, person, how, alone]) => {
    const { joinRoom } = await import('/klatch/index.js');
    const joined = await joinRoom({ api: '/api/v1', room: roomName, name: person, ...(alone ? { data: true } : {}) });
    const channel = await joined.channel('test', how);
    const heard = [];
    channel.addEventListener('message', ({ detail }) => heard.push([detail.person.name, detail.data instanceof Uint8Array ? [...detail.data] : detail.data]));
    channel.addEventListener('request', ({ detail }) => detail.answer(`you may, ${detail.person.name}`));
    Object.assign(globalThis, { room: joined, channel, heard });
  }, [room, name, options, data]);
  return tab;
}

const open = (tab, count) => until(`${count} have it open`, () => tab.evaluate(() => globalThis.channel.people.length)
  .then((now) => now === count), CONNECT_MS);
const heard = (tab, count) => until(`${count} messages are there`, async () => {
  const now = await tab.evaluate(() => globalThis.heard);
  return now.length >= count && now;
}, CONNECT_MS);

for (const [kind, room] of [['an open', newRoom()], ['a sealed', `${newRoom()}.${SECRET}`]]) {
  test(`three browsers in ${kind} room for data alone hear each other, and no camera is asked for or offered`, async (t) => {
    const tabs = [];
    for (const name of ['Ann', 'Bo', 'Cy']) tabs.push(await page(t, room, name));
    await Promise.all(tabs.map((tab) => open(tab, 2)));
    await tabs[0].evaluate(() => globalThis.channel.send({ x: 1 }));
    await tabs[1].evaluate(() => globalThis.channel.send(new Uint8Array([1, 2, 255]), globalThis.room.people[0]));
    assert.deepEqual(await heard(tabs[1], 1), [['Ann', { x: 1 }]]);
    assert.deepEqual(await heard(tabs[2], 1), [['Ann', { x: 1 }]]);
    assert.deepEqual(await heard(tabs[0], 1), [['Bo', [1, 2, 255]]]);
    const answer = await tabs[2].evaluate(() => globalThis.channel.request(globalThis.room.people[1], 'may I'));
    assert.equal(answer, 'you may, Cy');
    for (const tab of tabs) {
      const [asked, descriptions] = await tab.evaluate(() => [globalThis.asked, globalThis.descriptions]);
      assert.equal(asked, 0);
      assert.ok(descriptions.length >= 2);
      for (const sdp of descriptions) assert.deepEqual(sdp.match(/^m=\w+/gm), ['m=application']);
    }
  });
}

test('two megabytes go over a channel in order and whole, at the pace of the line', async (t) => {
  const room = newRoom();
  const [ann, bo] = [await page(t, room, 'Ann'), await page(t, room, 'Bo')];
  await open(ann, 1);
  const missed = await ann.evaluate(async () => {
    let left = 0;
    for (let i = 0; i < 40; i += 1) {
      await globalThis.channel.drained();
      left += globalThis.channel.send([i, 'x'.repeat(50_000)]).length;
    }
    return left;
  });
  assert.equal(missed, 0);
  await heard(bo, 40);
  const numbers = await bo.evaluate(() => globalThis.heard.map(([, [number, text]]) => (text.length === 50_000 ? number : -1)));
  assert.deepEqual(numbers, Array.from({ length: 40 }, (_, i) => i));
});

test('messages that may be lost arrive over a channel of that kind', async (t) => {
  const room = newRoom();
  const options = { ordered: false, maxRetransmits: 0 };
  const [ann, bo] = [await page(t, room, 'Ann', { options }), await page(t, room, 'Bo', { options })];
  await open(ann, 1);
  await open(bo, 1);
  await until('one arrives', () => ann.evaluate(() => globalThis.channel.send('here').length)
    .then(() => bo.evaluate(() => globalThis.heard.length > 0)), CONNECT_MS);
});

for (const [what, data, first] of [['a page for data alone', true, 'page'], ['a page for data alone, which comes later', true, 'node'],
  ['a page with media', false, 'page'], ['a page with media, which comes later', false, 'node']]) {
  const skip = MAJOR < 20 && 'Node 20 or newer is needed for the SDK without a browser';
  test(`Node and ${what} say and ask each other, and Node ends when it has left`, { skip }, async (t) => {
    const room = newRoom();
    const come = () => page(t, room, 'Page', { data });
    let tab = first === 'page' ? await come() : null;
    const node = nodePerson(t, room);
    await node.said('joined');
    tab ??= await come();
    await open(tab, 1);
    await tab.evaluate(() => globalThis.channel.send({ to: 'Node' }));
    assert.deepEqual(await node.said('message'), ['message', 'Page', { to: 'Node' }]);
    assert.deepEqual(await heard(tab, 1), [['Node', { to: 'Node' }]]);
    await tab.evaluate(() => globalThis.channel.send(new Uint8Array([0, 128, 255])));
    assert.deepEqual((await heard(tab, 2))[1], ['Node', [0, 128, 255]]);
    const big = await tab.evaluate(() => globalThis.channel.request(globalThis.room.people[0], 'x'.repeat(50_000)));
    assert.deepEqual([big.bytes, big.echo.length], [50_000, 50_000]);
    const gone = tab.evaluate(() => new Promise((resolve) => {
      globalThis.room.on('peer-left', ({ detail }) => resolve([detail.person.name, detail.reason]));
    }));
    const line = tab.evaluate(() => new Promise((resolve) => {
      globalThis.room.on('message', ({ detail }) => resolve(detail.message.text));
    }));
    await tab.evaluate(() => globalThis.channel.send('leave'));
    assert.deepEqual(await node.said('answer'), ['answer', 'you may, Node']);
    assert.equal(await line, 'bye');
    assert.deepEqual(await gone, ['Node', 'left']);
    assert.equal(await node.ended, 0, 'nothing keeps it');
    assert.deepEqual(node.all.filter(([word]) => word === 'problem'), []);
  });
}

/** A process of Node in a room. */
function nodePerson(t, room) {
  const child = spawn(process.execPath, [PERSON, `${server.origin}/api/v1`, room, 'Node'], { stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => child.kill());
  const all = [];
  readline.createInterface({ input: child.stdout }).on('line', (line) => all.push(JSON.parse(line)));
  child.stderr.on('data', (data) => t.diagnostic(`node: ${data}`));
  const ended = new Promise((resolve) => {
    child.on('exit', (code, signal) => resolve(code ?? signal));
  });
  return { all, ended, said: (word) => until(`Node says ${word}`, () => all.find(([first]) => first === word), CONNECT_MS) };
}

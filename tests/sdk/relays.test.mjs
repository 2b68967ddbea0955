/* Relays whose passwords expire: renewed in time, and told to every connection. */

import { until } from './lib/browserish.mjs';
import { FakeNet } from './lib/fake-rtc.mjs';
import { allConnected, join } from './lib/people.mjs';
import { serverFor } from './lib/mailbox.mjs';
import assert from 'node:assert/strict';
import test from 'node:test';

const LIFETIME_MS = 400;

/** Passwords that count up. */
function relays(lifetimeMs) {
  const given = [];
  const ice = (peer) => {
    given.push(peer);
    const servers = [{ urls: ['turn:relay.example'], username: peer, credential: `${given.length}` }];
    return { ice_servers: servers, ...(lifetimeMs ? { ice_lifetime_ms: lifetimeMs } : {}) };
  };
  return { given, ice };
}

/** A network whose connections keep what they are configured with. */
function network() {
  const net = new FakeNet();
  const { Connection } = net;
  const configured = new Map();
  class Kept extends Connection {
    constructor(options) {
      super(options);
      configured.set(this, [options]);
    }

    getConfiguration() {
      return configured.get(this).at(-1);
    }

    setConfiguration(options) {
      configured.get(this).push(options);
    }
  }
  Object.defineProperty(net, 'Connection', { value: Kept });
  return { net, configured };
}

const asked = (server) => server.requests.filter(({ path }) => path.endsWith('/ice'));
const credentials = (configured) => [...configured.values()].map((all) => all.map(({ iceServers }) => iceServers[0].credential));

test('passwords are renewed before they expire, again and again, and each connection is told them', async (t) => {
  const { ice } = relays(LIFETIME_MS);
  const server = await serverFor(t, { ice });
  const { net, configured } = network();
  const ann = await join(t, server, net, 'Ann');
  const since = Date.now();
  const bo = await join(t, server, net, 'Bo');
  await allConnected(ann, bo);
  await until('both have renewed twice', () => asked(server).length >= 4);
  assert.ok(Date.now() - since >= LIFETIME_MS, 'not sooner than needed');
  await until('each connection has had three', () => credentials(configured).every((all) => new Set(all).size >= 3));
  for (const all of configured.values()) {
    assert.equal(all.at(-1).bundlePolicy, 'max-bundle', 'what else was configured stays');
    assert.equal(new Set(all.map(({ iceServers }) => iceServers[0].username)).size, 1, 'each for its own member');
  }
});

test('a server that has no passwords any more is not asked for others', async (t) => {
  let gone = false;
  const { ice } = relays(LIFETIME_MS);
  const server = await serverFor(t, { ice: (peer) => (gone ? { ice_servers: [] } : ice(peer)) });
  await join(t, server, network().net, 'Ann');
  gone = true;
  await until('it was asked', () => asked(server).length === 1);
  const since = Date.now();
  await until('others would have been due', () => Date.now() - since > 2 * LIFETIME_MS);
  assert.equal(asked(server).length, 1);
});

test('a connection made later has the newest passwords', async (t) => {
  const { ice } = relays(LIFETIME_MS);
  const server = await serverFor(t, { ice });
  const { net, configured } = network();
  const ann = await join(t, server, net, 'Ann');
  await until('it has renewed', () => asked(server).length >= 1);
  const bo = await join(t, server, net, 'Bo');
  await allConnected(ann, bo);
  assert.ok(credentials(configured).every(([first]) => Number(first) > 1));
});

test('a renewal that fails is tried again', async (t) => {
  const { ice } = relays(LIFETIME_MS);
  const server = await serverFor(t, { ice });
  server.fail(2, { status: 503, body: '{"code":"busy"}' }, /\/ice$/);
  const ann = await join(t, server, network().net, 'Ann');
  await until('it was asked three times', () => asked(server).length >= 3);
  assert.deepEqual(ann.heard.problems, []);
});

test('who has left asks for nothing more', async (t) => {
  const { ice } = relays(LIFETIME_MS);
  const server = await serverFor(t, { ice });
  const ann = await join(t, server, network().net, 'Ann');
  await until('it has renewed', () => asked(server).length >= 1);
  await ann.room.leave();
  const before = asked(server).length;
  await new Promise((resolve) => { setTimeout(resolve, 2 * LIFETIME_MS); });
  assert.ok(asked(server).length <= before + 1);
});

test('passwords that hold for good, and servers of the page\'s own, are not asked for', async (t) => {
  for (const [lifetimeMs, iceServers] of [[0, undefined], [100, [{ urls: 'stun:own.example' }]]]) {
    const { ice } = relays(lifetimeMs);
    const server = await serverFor(t, { ice });
    const { net } = network();
    const ann = await join(t, server, net, 'Ann', { iceServers });
    const bo = await join(t, server, net, 'Bo', { iceServers });
    await allConnected(ann, bo);
    await new Promise((resolve) => { setTimeout(resolve, 300); });
    assert.equal(asked(server).length, 0);
  }
});

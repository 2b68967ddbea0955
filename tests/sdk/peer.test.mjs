/* The two ends of a pair, without a room. */

import { FakeNet } from './lib/fake-rtc.mjs';
import { Peer } from '../../public_html/klatch/peer.js';
import { until } from './lib/browserish.mjs';
import assert from 'node:assert/strict';
import test from 'node:test';

const MAIL_MS = 10;

/** One end; what it mails goes to who is at `ends[theirs]` when it arrives. */
function end(t, net, ends, mine, theirs, polite) {
  const mail = (type, body) => setTimeout(() => ends[theirs]?.receive(type, structuredClone(body)), MAIL_MS);
  const peer = new Peer({ rtc: net.Connection, iceServers: () => [], polite, tracks: { audio: null, video: null }, prefer: () => {}, mine, theirs,
    mail, reachable: () => true, polling: () => true });
  t.after(() => peer.close());
  ends[mine] = peer;
  return peer;
}

const connected = (...peers) => until('both are connected', () => peers.every(({ state }) => state === 'connected'), 8_000);

for (const [first, second] of ['ab', 'ba']) {
  test(`two who both begin agree on one connection, ${first} before ${second}`, async (t) => {
    const net = new FakeNet();
    const ends = {};
    const pair = [end(t, net, ends, first, second, false), end(t, net, ends, second, first, false)];
    await connected(...pair);
    assert.equal(net.connections.filter(({ connectionState }) => connectionState === 'connected').length, 2);
  });

  test(`${first}, whom ${second} has forgotten and meets as a newcomer, is connected anew`, async (t) => {
    const net = new FakeNet();
    const ends = {};
    const sleeper = end(t, net, ends, first, second, false);
    const before = end(t, net, ends, second, first, true);
    await connected(sleeper, before);
    net.cut = () => true;
    await until('it is noticed', () => sleeper.state !== 'connected', 10_000);
    before.close();
    net.cut = () => false;
    await connected(sleeper, end(t, net, ends, second, first, false));
  });
}

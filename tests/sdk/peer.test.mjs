/* The two ends of a pair, without a room. */

import { FakeNet } from './lib/fake-rtc.mjs';
import { Member } from '../../public_html/klatch/member.js';
import { Peer } from '../../public_html/klatch/peer.js';
import { randomId } from '../../public_html/klatch/bytes.js';
import { until } from './lib/browserish.mjs';
import assert from 'node:assert/strict';
import test, { describe } from 'node:test';

const MAIL_MS = 10;

/** One end; what it mails goes to who is at `ends[theirs]` when it arrives. */
function end(t, net, ends, mine, theirs, polite, rtc = net.Connection) {
  const mail = (type, body) => setTimeout(() => ends[theirs]?.receive(type, structuredClone(body)), MAIL_MS);
  const peer = new Peer({ rtc, iceServers: () => [], polite, tracks: { audio: null, video: null }, prefer: () => {}, mine, theirs,
    draw: () => randomId(8), mail, reachable: () => true, polling: () => true });
  t.after(() => peer.close());
  ends[mine] = peer;
  return peer;
}

const connected = (...peers) => until('both are connected', () => peers.every(({ state }) => state === 'connected'));

/** Well before other timers would mend it. */
const replaced = (...peers) => until('there is another connection', () => peers.every(({ state }) => state === 'connected'), 15_000);

/** An implementation that closes its first connection once that has the other side's description, as libdatachannel does where DTLS fails. */
function closing(net) {
  let left = 1;
  return class extends net.Connection {
    async setRemoteDescription(description) {
      await super.setRemoteDescription(description);
      if ((left -= 1) === 0) closedByItself(this);
    }
  };
}

function closedByItself(pc) {
  pc.close();
  pc.dispatchEvent(new Event('connectionstatechange'));
}

// They mostly wait.
describe('the ends of a pair', { concurrency: true }, () => {
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
      await until('it is noticed', () => sleeper.state !== 'connected');
      before.close();
      net.cut = () => false;
      await connected(sleeper, end(t, net, ends, second, first, false));
    });
  }

  for (const [who, polite] of [['the earlier one', false], ['the later one', true]]) {
    test(`what the implementation closes before it has come about, at ${who}, is replaced`, async (t) => {
      const net = new FakeNet();
      const ends = {};
      await replaced(end(t, net, ends, 'a', 'b', polite, closing(net)), end(t, net, ends, 'b', 'a', !polite));
    });

    test(`what the implementation closes while it works, at ${who}, is replaced`, async (t) => {
      const net = new FakeNet();
      const ends = {};
      const pair = [end(t, net, ends, 'a', 'b', polite), end(t, net, ends, 'b', 'a', !polite)];
      await connected(...pair);
      closedByItself(net.connections[polite ? 1 : 0]);
      assert.equal(pair[0].state, 'reconnecting');
      await replaced(...pair);
    });
  }

  test('what a way through others does not take goes by the connection that has opened', async (t) => {
    const net = new FakeNet();
    const ends = {};
    const other = end(t, net, ends, 'b', 'a', true);
    const heard = [];
    other.on('data', ({ detail }) => heard.push(detail.t));
    const up = { updated: () => {}, opened: () => {}, said: () => {}, polls: () => {}, broken: () => {} };
    const member = new Member({ peer: 'b', card: { value: { instance: 'b' }, plain: false, pub: null, outside: null } }, up);
    t.after(() => member.close());
    member.connect({ make: (options) => new Peer(options), draw: () => randomId(8), rtc: net.Connection, iceServers: () => [], polite: false, tracks: { audio: null, video: null }, prefer: () => {}, mine: 'a',
      mail: (type, body) => setTimeout(() => other.receive(type, structuredClone(body)), MAIL_MS), reachable: () => true, polling: () => true });
    ends.a = member;
    await connected(other);
    await until('it is connected here too', () => member.connected);
    const carried = [];
    member.way = { say: (value) => value.t === 'chat' && carried.push(value) > 0 };
    assert.deepEqual([member.say({ t: 'chat' }), member.say({ t: 'hello' })], [true, true]);
    await until('the hello is there', () => heard.includes('hello'));
    assert.deepEqual([carried.length, heard.includes('chat')], [1, false]);
  });
});

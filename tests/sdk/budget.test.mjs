/* The budget in a room: what is told over the channels and set on the senders. */

import { FakeTrack, quiet, until } from './lib/browserish.mjs';
import { FakeNet } from './lib/fake-rtc.mjs';
import { FakeServer } from './lib/fake-server.mjs';
import { allConnected, find, join } from './lib/people.mjs';
import assert from 'node:assert/strict';
import test, { describe } from 'node:test';

/** People with cameras of 640x480. */
async function people(t, ...names) {
  const server = await new FakeServer().start();
  t.after(() => server.stop());
  const net = new FakeNet();
  const all = [];
  for (const name of names) {
    const one = await join(t, server, net, name);
    const track = new FakeTrack('video');
    track.getSettings = () => ({ width: 640, height: 480 });
    one.media.stream.addTrack(track);
    await one.media.setCam(true);
    one.name = name;
    one.track = track;
    all.push(one);
  }
  await allConnected(...all);
  return { net, all };
}

/** How the sender of a person's camera is set, in the order of connections. */
const cameras = (net, { track }) => net.connections.filter(({ connectionState }) => connectionState === 'connected')
  .flatMap((pc) => pc.getTransceivers()).filter(({ sender }) => sender.track === track)
  .map(({ sender }) => sender.parameters.encodings[0]);

// They mostly wait.
describe('the budget in a room', { concurrency: true }, () => {
  test('a hidden picture isn\'t sent, a small one smaller than a large one, and nothing is negotiated', async (t) => {
    const { net, all: [ann, bo, cy] } = await people(t, 'Ann', 'Bo', 'Cy');
    const before = net.connections.map(({ localDescription }) => localDescription?.sdp);
    await until('all is set', () => cameras(net, ann).length === 2 && cameras(net, ann).every(({ maxBitrate }) => maxBitrate > 0));
    bo.room.budget.show(find(bo, 'Ann'), { camera: 480 });
    cy.room.budget.show(find(cy, 'Ann'), { camera: 100 });
    await until('the sizes are set, and each has bits for its own', () => {
      const [one, other] = cameras(net, ann).sort((a, b) => a.scaleResolutionDownBy - b.scaleResolutionDownBy);
      return one.scaleResolutionDownBy === 1 && other.scaleResolutionDownBy === 4 && one.maxBitrate > 2 * other.maxBitrate;
    });
    cy.room.budget.show(find(cy, 'Ann'), { camera: 0 });
    await until('nothing is sent', () => cameras(net, ann).filter(({ active }) => !active).length === 1);
    await until('it is told', () => find(cy, 'Ann').picture === 'none');
    assert.equal(find(cy, 'Ann').why, 'asked');
    assert.equal(find(bo, 'Ann').picture, 'moving');
    cy.room.budget.show(find(cy, 'Ann'), { camera: 100 });
    await until('it is there again', () => find(cy, 'Ann').picture === 'moving' && cameras(net, ann).every(({ active }) => active));
    assert.deepEqual(net.connections.map(({ localDescription }) => localDescription?.sdp), before);
  });

  test('sound only sends no picture and asks for none, and the others are told that it is a choice', async (t) => {
    const { net, all: [ann, bo] } = await people(t, 'Ann', 'Bo');
    ann.room.budget.quality = 'sound';
    await until('no picture goes either way', () => [ann, bo].every((one) => cameras(net, one).every(({ active }) => !active)));
    await until('it is told', () => find(bo, 'Ann').why === 'choice');
    await until('the other way too', () => find(ann, 'Bo').picture === 'none');
    assert.deepEqual([find(bo, 'Ann').picture, find(ann, 'Bo').why], ['none', 'asked']);
    ann.room.budget.quality = 'normal';
    await until('pictures go again', () => [ann, bo].every((one) => cameras(net, one).every(({ active }) => active)));
  });

  test('an older number, or one that is no size, changes nothing', async (t) => {
    const { net, all: [ann, bo] } = await people(t, 'Ann', 'Bo');
    await until('all is set', () => cameras(net, ann)[0]?.maxBitrate > 0);
    const [pc] = net.connections;
    for (const value of [{ n: 0, size: 0, screen: 0 }, { n: 9, size: 7, screen: 0 }, { n: 9, size: '0', screen: 0 }, { n: 'x' }, {}]) {
      const text = JSON.stringify({ t: 'want', ...value });
      for (const end of [pc, pc.other]) end.channel.dispatchEvent(Object.assign(new Event('message'), { data: text }));
    }
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
    assert.ok([ann, bo].every((one) => cameras(net, one).every(({ active }) => active)));
  });

  /** Let a person's browser tell that half of what they send is lost. */
  function lose(net, { track }) {
    for (const pc of net.connections) {
      if (!pc.getTransceivers().some(({ sender }) => sender.track === track)) continue;
      const timer = setInterval(() => {
        const packets = (pc.stats.get('out')?.packetsSent ?? 0) + 100;
        pc.stats = new Map([
          ['out', { id: 'out', type: 'outbound-rtp', kind: 'video', timestamp: Date.now(), packetsSent: packets, bytesSent: 0 }],
          ['remote', { id: 'remote', type: 'remote-inbound-rtp', packetsLost: packets / 2, roundTripTime: 0.05 }],
        ]);
      }, 500);
      pc.undo = () => clearInterval(timer);
    }
  }

  test('who loses half of it sends sound only in the end, and both sides are told', { timeout: 60_000 }, async (t) => {
    const { net, all: [ann, bo] } = await people(t, 'Ann', 'Bo');
    const told = [];
    ann.room.budget.on('sending', ({ detail }) => told.push(`${detail.person.name} ${detail.picture}`));
    lose(net, ann);
    t.after(() => net.connections.forEach((pc) => pc.undo?.()));
    await until('Bo is told', () => find(bo, 'Ann').why === 'bits' && find(bo, 'Ann').picture !== 'moving', 40_000);
    assert.match(told[0], /^Bo (still|none)$/);
    assert.equal(find(ann, 'Bo').picture, 'moving');
  });

  /** What a browser tells of a picture that may take more bits than its line does, without a word of why. */
  function hold(net, { track }, bits) {
    for (const pc of net.connections) {
      if (!pc.getTransceivers().some(({ sender }) => sender.track === track)) continue;
      const since = Date.now();
      const timer = setInterval(() => {
        const seconds = (Date.now() - since) / 1000;
        pc.stats = new Map([['out', { id: 'out', type: 'outbound-rtp', kind: 'video', timestamp: Date.now(), frameHeight: 240,
          packetsSent: seconds * 30, bytesSent: (seconds * bits) / 8, headerBytesSent: 0, framesEncoded: seconds * 8,
          qualityLimitationReason: 'none', targetBitrate: bits }]]);
      }, 500);
      pc.undo = () => clearInterval(timer);
    }
  }

  test('pictures that the line holds back in silence make the total fall, and aren\'t taken for a slow processor', { timeout: 60_000 }, async (t) => {
    const { net, all: [ann, bo] } = await people(t, 'Ann', 'Bo');
    hold(net, ann, 300_000);
    t.after(() => net.connections.forEach((pc) => pc.undo?.()));
    const given = () => ann.room.budget.shares.get(find(ann, 'Bo')).camera;
    const { height, bits } = given();
    await until('the total falls', () => ann.room.budget.bits < bits, 40_000);
    await until('what is given goes through', () => given().bits * 0.7 < 300_000, 40_000);
    assert.equal(given().picture, 'moving');
    assert.ok(given().height * 2 > height, `${given().height} of ${height}`);
    assert.equal(find(bo, 'Ann').picture, 'moving');
  });

  test('readings come while somebody watches, with what the others say of each other', async (t) => {
    const { all: [ann, bo, cy] } = await people(t, 'Ann', 'Bo', 'Cy');
    const seen = [];
    const stop = ann.room.budget.watch((readings) => seen.push(readings));
    await until('there are some', () => seen.length > 1, 8000);
    assert.deepEqual([...seen[0].keys()].map(({ name }) => name), ['Bo', 'Cy']);
    const ofBo = () => ann.room.budget.views.get(find(ann, 'Bo')) ?? [];
    await until('Bo told', () => ofBo().length === 2);
    assert.deepEqual(ofBo().map(({ id }) => id).sort(), [cy.room.self.id].concat(ann.room.self.id).sort());
    assert.deepEqual(ofBo().map(({ state }) => state), ['connected', 'connected']);
    stop();
    const count = seen.length;
    await quiet(2500);
    assert.equal(seen.length, count);
    assert.deepEqual([...bo.room.budget.views.values()].flat(), []);
  });
});

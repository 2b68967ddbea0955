/* In which codecs pictures go: what the browser tells of itself, the order in offers, and the
 * sender's choice in a call of two. */

import { FakeTrack, quiet, until } from './lib/browserish.mjs';
import { FakeNet } from './lib/fake-rtc.mjs';
import { FakeServer } from './lib/fake-server.mjs';
import { allConnected, join } from './lib/people.mjs';
import { isH264Efficient } from '../../public_html/klatch/codec.js';
import { prefer } from '../../public_html/klatch/codec-order.js';
import assert from 'node:assert/strict';
import test from 'node:test';

const VP8 = { mimeType: 'video/VP8' };
const VP9 = { mimeType: 'video/VP9' };
const AV1 = { mimeType: 'video/AV1' };
const H264 = { mimeType: 'video/H264', sdpFmtpLine: 'packetization-mode=1' };
const OLD_H264 = { mimeType: 'video/H264', sdpFmtpLine: 'packetization-mode=0' };
const RTX = { mimeType: 'video/rtx' };
const KNOWN = [VP8, RTX, VP9, H264, OLD_H264, AV1];

const yes = { supported: true, smooth: true, powerEfficient: true };
/** A browser's mediaCapabilities. */
const tells = (encoding, decoding = encoding) => ({
  encodingInfo: async () => encoding,
  decodingInfo: async () => decoding,
});
const throws = async () => {
  throw new TypeError('webrtc is no type');
};

for (const [what, capabilities, wanted] of [
  ['both ways efficient', tells(yes), true],
  ['in software', tells({ ...yes, powerEfficient: false }), false],
  ['encoding alone', tells(yes, { ...yes, powerEfficient: false }), false],
  ['decoding alone', tells({ ...yes, supported: false }, yes), false],
  ['a browser without the question', null, false],
  ['a browser that refuses the question', { encodingInfo: throws, decodingInfo: throws }, false],
  ['a browser that never answers', tells(new Promise(() => {})), false],
]) {
  test(`H.264, ${what}: ${wanted ? 'power-efficient' : 'not known to be'}`, async () => {
    assert.equal(await isH264Efficient(capabilities), wanted);
  });
}

test('what is asked is a camera\'s picture over WebRTC', async () => {
  const asked = [];
  const ask = async (question) => {
    asked.push([question.type, question.video.contentType]);
    return yes;
  };
  await isH264Efficient({ encodingInfo: ask, decodingInfo: ask });
  assert.deepEqual(asked, Array(2).fill(['webrtc', 'video/H264']));
});

test('one codec comes before the others, which keep their order', () => {
  const preferred = (known, h264) => {
    const given = [];
    prefer({ setCodecPreferences: (codecs) => given.push(codecs) }, known, h264);
    return given[0];
  };
  assert.deepEqual(preferred(KNOWN, true), [H264, OLD_H264, VP8, RTX, VP9, AV1]);
  assert.deepEqual(preferred([H264, ...KNOWN], false), [VP8, H264, RTX, VP9, H264, OLD_H264, AV1]);
  assert.equal(preferred([VP8, VP9], true), undefined, 'what the browser lacks changes nothing');
  prefer({}, KNOWN, true);
});

/** A room with people whose browsers make H.264 power-efficiently or not. */
async function people(t, net, ...efficient) {
  const server = await new FakeServer().start();
  t.after(() => server.stop());
  const all = [];
  for (const [at, is] of efficient.entries()) {
    const capabilities = is ? tells(yes) : null;
    const one = await join(t, server, net, `p${at}`, { capabilities, codecs: () => KNOWN });
    const track = new FakeTrack('video');
    track.getSettings = () => ({ width: 640, height: 480 });
    one.media.stream.addTrack(track);
    await one.media.setCam(true);
    all.push(one);
    await allConnected(...all);
  }
  return all;
}

/** The pictures' transceivers of connections that stand. */
const pictures = (net) => net.connections.filter(({ connectionState }) => connectionState === 'connected')
  .flatMap((pc) => pc.getTransceivers()).filter(({ receiver }) => receiver.track.kind === 'video');
/** What the offers have first, pair by pair in the order of joining. */
const offered = (net) => pictures(net).flatMap(({ preferences }) => preferences?.[0].mimeType ?? []);

for (const [what, efficient, wanted] of [
  ['H.264 where it is power-efficient at both ends', [true, true], ['H264']],
  ['VP8 where it isn\'t at one', [true, false], ['VP8']],
  ['VP8 where it isn\'t at the other', [false, true], ['VP8']],
  ['to each pair its own', [true, false, true], ['VP8', 'H264', 'VP8']],
  ['no more than three in H.264 at once', [true, true, true, true, true],
    ['H264', 'H264', 'H264', 'H264', 'H264', 'H264', 'VP8', 'VP8', 'VP8', 'VP8']],
]) {
  test(`what is offered first: ${what}`, async (t) => {
    const net = new FakeNet();
    await people(t, net, ...efficient);
    assert.deepEqual(offered(net).sort(), wanted.map((codec) => `video/${codec}`).sort());
  });
}

/** What the senders chose, in short. */
const chosen = (net) => pictures(net).map(({ sender }) => sender.parameters.encodings[0].codec?.mimeType.slice(6) ?? '-').join();

for (const [agreed, wanted] of [[[VP8, VP9, AV1], 'AV1'], [[VP8, H264, VP9], 'VP9']]) {
  test(`two go over to ${wanted} with ${agreed.length} codecs in common, and back when a third comes, with nothing negotiated`, async (t) => {
    const net = Object.assign(new FakeNet(), { agreed });
    const [ann] = await people(t, net, false, false);
    await until('both chose', () => chosen(net) === `${wanted},${wanted}`);
    const before = net.connections.map(({ localDescription }) => localDescription.sdp);
    const third = await join(t, { api: ann.api }, net, 'p2', { codecs: () => KNOWN });
    await until('they went back', () => chosen(net).startsWith('VP8,VP8') && !/AV1|VP9/.test(chosen(net)));
    assert.deepEqual(net.connections.slice(0, 2).map(({ localDescription }) => localDescription.sdp), before);
    await third.room.leave();
    await until('two again', () => chosen(net) === `${wanted},${wanted}`);
  });
}

test('whose processor can\'t keep up goes back to VP8 and stays there', { timeout: 60_000 }, async (t) => {
  const net = Object.assign(new FakeNet(), { agreed: [VP8, VP9, AV1] });
  await people(t, net, false, false);
  await until('both chose', () => chosen(net) === 'AV1,AV1');
  const [slow] = net.connections;
  let frames = 0;
  const timer = setInterval(() => {
    frames += 3;
    slow.stats = new Map([
      ['out', { id: 'out', type: 'outbound-rtp', kind: 'video', mediaSourceId: 'source', timestamp: Date.now(), framesEncoded: frames,
        frameHeight: 240, qualityLimitationReason: 'cpu' }],
      ['source', { id: 'source', type: 'media-source', framesPerSecond: 20 }],
    ]);
  }, 500);
  t.after(() => clearInterval(timer));
  await until('one went back', () => chosen(net).split(',').sort().join() === 'AV1,VP8', 30_000);
  assert.equal(slow.getTransceivers().find(({ receiver }) => receiver.track.kind === 'video').sender.parameters.encodings[0].codec.mimeType, 'video/VP8');
});

test('hardware\'s H.264 stays, also for two', async (t) => {
  const net = Object.assign(new FakeNet(), { agreed: [H264, VP8, VP9, AV1] });
  await people(t, net, true, true);
  await until('all is set', () => pictures(net).every(({ sender }) => sender.parameters.encodings[0].maxBitrate > 0));
  assert.equal(chosen(net), '-,-');
});

test('a browser that doesn\'t let senders choose is asked once', async (t) => {
  const net = Object.assign(new FakeNet(), { agreed: [VP8, AV1], chooses: false });
  const [ann] = await people(t, net, false, false);
  await until('all is set', () => pictures(net).every(({ sender }) => sender.parameters.encodings[0].maxBitrate > 0));
  let asked = 0;
  for (const { sender } of pictures(net)) {
    const { setParameters } = sender;
    sender.setParameters = (parameters) => {
      asked += 1;
      return setParameters(parameters);
    };
  }
  ann.room.budget.plan();
  await quiet(100);
  assert.equal(asked, 0);
});

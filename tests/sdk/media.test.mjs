import { FakeTrack, until } from './lib/browserish.mjs';
import assert from 'node:assert/strict';
import test from 'node:test';
import { Media } from '../../public_html/klatch/index.js';

/**
 * Devices of a browser. `refuse` gives an error's name for what can't be had.
 * @returns what was asked for, by its side the tracks that were given
 */
function devices({ refuse = () => null, permissions = {}, list = [], late = Promise.resolve() } = {}) {
  const asked = [];
  const given = [];
  const mediaDevices = Object.assign(new EventTarget(), {
    async getUserMedia(constraints) {
      asked.push(constraints);
      await late;
      const name = refuse(constraints);
      if (name) throw Object.assign(new Error(name), { name });
      const tracks = Object.keys(constraints).map((kind) => new FakeTrack(kind, constraints[kind].deviceId?.exact));
      given.push(...tracks);
      return new MediaStream(tracks);
    },
    enumerateDevices: async () => list,
  });
  const query = async ({ name }) => ({ state: permissions[name] ?? 'prompt' });
  const navigator = { mediaDevices, permissions: { query } };
  Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true });
  return { asked, given, mediaDevices };
}

/** @returns {{media: Media, problems: [string, string][], changes: () => number}} */
function opened() {
  const media = new Media();
  const problems = [];
  let changes = 0;
  media.on('problem', ({ detail }) => problems.push([detail.code, detail.kind]));
  media.on('change', () => {
    changes += 1;
  });
  return { media, problems, changes: () => changes };
}

const kinds = (media) => media.stream.getTracks().map(({ kind }) => kind).sort();

test('both devices are asked for at once, so that the person is asked once', async () => {
  const { asked } = devices();
  const { media, problems, changes } = opened();
  await media.open();
  assert.equal(asked.length, 1);
  assert.deepEqual(kinds(media), ['audio', 'video']);
  assert.deepEqual([media.mic, media.cam], [true, true]);
  assert.equal(changes(), 1);
  assert.deepEqual(problems, []);
});

test('without a camera the microphone is had all the same, and one problem is told', async () => {
  devices({ refuse: ({ video }) => (video ? 'NotFoundError' : null) });
  const { media, problems } = opened();
  await media.open();
  assert.deepEqual(kinds(media), ['audio']);
  assert.deepEqual(problems, [['no-device', 'video']]);
});

for (const [name, code] of [
  ['NotFoundError', 'no-device'],
  ['NotReadableError', 'device-busy'],
  ['SomethingNew', 'device-busy'],
]) {
  test(`where nothing works (${name}) opening resolves all the same`, async () => {
    devices({ refuse: () => name });
    const { media, problems } = opened();
    await media.open();
    assert.deepEqual(kinds(media), []);
    assert.deepEqual(problems, [[code, 'audio'], [code, 'video']]);
  });
}

test('who refuses both is not asked again, and reads one sentence', async () => {
  const { asked } = devices({ refuse: () => 'NotAllowedError' });
  const { media, problems } = opened();
  await media.open();
  assert.equal(asked.length, 1);
  assert.deepEqual(problems, [['permission-denied', 'both']]);
});

test('who forbids the camera alone is heard', async () => {
  const permissions = { microphone: 'granted', camera: 'denied' };
  devices({ refuse: ({ video }) => (video ? 'NotAllowedError' : null), permissions });
  const { media, problems } = opened();
  await media.open();
  assert.deepEqual(kinds(media), ['audio']);
  assert.deepEqual(problems, [['permission-denied', 'video']]);
});

test('a page that is not secure says so once', async () => {
  Object.defineProperty(globalThis, 'navigator', { value: {}, configurable: true });
  const { media, problems } = opened();
  await media.open();
  assert.deepEqual(problems, [['insecure-context', 'both']]);
  assert.deepEqual(await media.devices(), { mics: [], cams: [], speakers: [] });
});

test('muting keeps the microphone open, turning the camera off gives it back', async () => {
  const { given, asked } = devices();
  const { media } = opened();
  const { stream } = media;
  await media.open();
  const [audio, video] = given;
  await media.setMic(false);
  await media.setCam(false);
  assert.deepEqual([media.mic, media.cam], [false, false]);
  assert.deepEqual([audio.readyState, audio.enabled, video.readyState], ['live', false, 'ended']);
  await media.setMic(true);
  await media.setCam(true);
  assert.deepEqual([media.mic, media.cam], [true, true]);
  assert.equal(asked.length, 2);
  assert.deepEqual(Object.keys(asked[1]), ['video']);
  assert.equal(media.stream, stream);
});

test('changes made at once come one after another', async () => {
  const { asked } = devices();
  const { media } = opened();
  await Promise.all([media.setCam(true), media.setCam(true), media.setCam(false), media.setCam(true)]);
  assert.equal(asked.length, 2);
  assert.equal(media.cam, true);
  assert.deepEqual(kinds(media), ['video']);
});

test('another microphone takes the place of the one that is on, as muted as that was', async () => {
  const { given } = devices();
  const { media } = opened();
  await media.open({ audio: true, video: false });
  await media.setMic(false);
  await media.use({ mic: 'usb' });
  assert.equal(given[0].readyState, 'ended');
  assert.deepEqual(media.stream.getAudioTracks().map(({ label, enabled }) => [label, enabled]), [['usb', false]]);
});

test('a camera that is off is not turned on by choosing another', async () => {
  const { asked } = devices();
  const { media } = opened();
  await media.open({ audio: true, video: false });
  await media.use({ cam: 'usb' });
  assert.equal(asked.length, 1);
  await media.setCam(true);
  assert.equal(media.stream.getVideoTracks()[0].label, 'usb');
});

test("a chosen device that is gone gives way to the browser's choice", async () => {
  devices({ refuse: ({ video }) => (video?.deviceId ? 'OverconstrainedError' : null) });
  const { media, problems } = opened();
  await media.open({ audio: true, video: 'unplugged' });
  assert.deepEqual(kinds(media), ['audio', 'video']);
  assert.deepEqual(problems, []);
});

test('a device that is pulled out is told and leaves the stream', async () => {
  const { given } = devices();
  const { media, problems, changes } = opened();
  await media.open();
  given.find(({ kind }) => kind === 'video').lose();
  assert.deepEqual(problems, [['device-lost', 'video']]);
  assert.deepEqual(kinds(media), ['audio']);
  assert.equal(changes(), 2);
  await media.setCam(true);
  assert.equal(media.cam, true);
});

test('closing while the browser still asks gives back what comes after', async () => {
  let answer = () => {};
  const late = new Promise((resolve) => {
    answer = resolve;
  });
  const { asked, given } = devices({ late });
  const { media } = opened();
  const opening = media.open();
  await until('it asks', () => asked.length === 1);
  media.close();
  answer();
  await opening;
  assert.deepEqual(kinds(media), []);
  assert.ok(given.length === 2 && given.every(({ readyState }) => readyState === 'ended'));
});

test('what was asked for before closing is not opened after it', async () => {
  const { asked } = devices();
  const { media } = opened();
  const opening = media.open();
  media.close();
  await opening;
  assert.equal(asked.length, 0);
  await media.open();
  assert.deepEqual(kinds(media), ['audio', 'video']);
});

test('devices are listed by kind, numbered where the browser hides their names', async () => {
  devices({ list: [
    { kind: 'audioinput', deviceId: 'm', label: 'Headset' },
    { kind: 'videoinput', deviceId: 'c1', label: '' },
    { kind: 'videoinput', deviceId: 'c2', label: '' },
    { kind: 'audiooutput', deviceId: 's', label: '' },
    { kind: 'videoinput', deviceId: '', label: '' },
  ] });
  assert.deepEqual(await new Media().devices(), {
    mics: [{ id: 'm', label: 'Headset' }],
    cams: [{ id: 'c1', label: 'Camera 1' }, { id: 'c2', label: 'Camera 2' }],
    speakers: [{ id: 's', label: 'Speaker 1' }],
  });
});

test('plugging something in is told until the media are closed', async () => {
  const { mediaDevices } = devices();
  const { media } = opened();
  let times = 0;
  media.on('devices', () => {
    times += 1;
  });
  await media.open();
  await media.open();
  mediaDevices.dispatchEvent(new Event('devicechange'));
  media.close();
  mediaDevices.dispatchEvent(new Event('devicechange'));
  assert.equal(times, 1);
});

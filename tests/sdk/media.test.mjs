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

test('a device that is pulled out, with no other of its kind, is told and leaves the stream', async () => {
  let gone = false;
  const { given } = devices({ refuse: () => (gone ? 'NotFoundError' : null) });
  const { media, problems } = opened();
  await media.open();
  gone = true;
  given.find(({ kind }) => kind === 'video').lose();
  await until('it is told', () => problems.length > 0);
  assert.deepEqual(problems, [['device-lost', 'video']]);
  assert.deepEqual(kinds(media), ['audio']);
  gone = false;
  await media.setCam(true);
  assert.equal(media.cam, true);
});

/** The devices that there are, as a list that can change; `headset` is the one to lose. */
function plugged() {
  const list = [{ kind: 'audioinput', deviceId: 'headset', label: 'Headset' },
    { kind: 'audioinput', deviceId: 'built-in', label: 'Built-in' }];
  const known = (id) => !id || list.some(({ deviceId }) => deviceId === id);
  const refuse = ({ audio }) => (list.length === 0 ? 'NotFoundError' : known(audio.deviceId?.exact) ? null : 'OverconstrainedError');
  const { given, mediaDevices } = devices({ list, refuse });
  const { media, problems } = opened();
  const switched = [];
  media.on('switched', ({ detail }) => switched.push([detail.label, detail.back]));
  const changed = () => mediaDevices.dispatchEvent(new Event('devicechange'));
  const labels = () => media.stream.getTracks().map(({ label, enabled }) => [label, enabled]);
  return { list, given, media, problems, switched, changed, labels };
}

test('a lost headset gives way to another microphone, as muted as it was, and gets its place back', async () => {
  const { list, given, media, problems, switched, changed, labels } = plugged();
  await media.open({ audio: 'headset', video: false });
  await media.setMic(false);
  const [headset] = list.splice(0, 1);
  given[0].lose();
  await until('another is used', () => switched.length === 1);
  assert.deepEqual(labels(), [['audio', false]]);
  changed();
  list.push(headset);
  changed();
  await until('it is back', () => switched.length === 2);
  assert.deepEqual(switched, [['audio', false], ['headset', true]]);
  assert.deepEqual(labels(), [['headset', false]]);
  assert.equal(given[1].readyState, 'ended');
  assert.deepEqual(problems, []);
});

test('a device that comes back is not taken when another was chosen meanwhile', async () => {
  const { list, given, media, switched, changed, labels } = plugged();
  await media.open({ audio: 'headset', video: false });
  const [headset] = list.splice(0, 1);
  given[0].lose();
  await until('another is used', () => switched.length === 1);
  await media.use({ mic: 'built-in' });
  list.push(headset);
  changed();
  await media.setSound({});
  assert.deepEqual(labels(), [['built-in', true]]);
  assert.equal(switched.length, 1);
});

test('a track that ended without an event is noticed when the devices change', async () => {
  const { list, given, media, problems, switched, changed, labels } = plugged();
  await media.open({ audio: 'headset', video: false });
  const all = list.splice(0);
  given[0].readyState = 'ended';
  changed();
  await until('it is told', () => problems.length > 0);
  assert.deepEqual(labels(), []);
  list.push(...all);
  changed();
  await until('it is back', () => switched.length > 0);
  assert.deepEqual(labels(), [['headset', true]]);
});

test('echo and noise suppression are switched on the open microphone, which stays as muted', async () => {
  const { asked, given } = devices();
  const { media } = opened();
  await media.open({ audio: true, video: false });
  assert.deepEqual([asked[0].audio.echoCancellation, asked[0].audio.noiseSuppression], [true, true]);
  await media.setMic(false);
  await media.setSound({ noiseSuppression: false });
  assert.deepEqual(media.sound, { echoCancellation: true, noiseSuppression: false });
  assert.deepEqual([asked[1].audio.echoCancellation, asked[1].audio.noiseSuppression], [true, false]);
  assert.deepEqual([given[0].readyState, given[1].enabled], ['ended', false]);
});

test('the background is blurred where the camera offers it, on later cameras too', async () => {
  const { given } = devices();
  const { media } = opened();
  await media.open({ audio: false, video: true });
  assert.equal(media.blur, null);
  const blurred = [];
  for (const name of ['first', 'second']) {
    FakeTrack.prototype.getCapabilities = () => ({ backgroundBlur: [true, false] });
    FakeTrack.prototype.applyConstraints = async ({ backgroundBlur }) => blurred.push([name, backgroundBlur]);
    await (name === 'first' ? media.setBlur(true) : media.use({ cam: 'usb' }));
    assert.equal(media.blur, true);
  }
  delete FakeTrack.prototype.getCapabilities;
  assert.deepEqual(blurred, [['first', true], ['second', true]]);
  assert.equal(given.length, 2);
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

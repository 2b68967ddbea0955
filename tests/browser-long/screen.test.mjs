/* The screen beside the camera, devices that change, how loud a person is: between real pages. */

import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import test from 'node:test';
import { gathering } from '../browser/lib/gathering.mjs';
import { until } from '../browser/lib/until.mjs';

const COUNTING = fileURLToPath(new URL('../browser/lib/counted-rtc.js', import.meta.url));
const here = gathering({ scripts: [COUNTING] });
/** What is painted on a shared screen: no camera's id. */
const SCREEN_ID = 0xc4;
const CAMERA_ID = 0xa7;

/** From now on a screen that is shared shows SCREEN_ID, and a camera that is opened `camera`. */
function paintScreens(one, camera = one.id) {
  return one.ask(([screen, cam, toneHz]) => {
    navigator.mediaDevices.getDisplayMedia = async () => {
      globalThis.sharedStream = globalThis.klatchTest.painted(screen, 0, { video: true });
      return globalThis.sharedStream;
    };
    navigator.mediaDevices.getUserMedia = async (kinds) => {
      globalThis.openedStream = globalThis.klatchTest.painted(cam, toneHz, kinds);
      return globalThis.openedStream;
    };
  }, [SCREEN_ID, camera, one.toneHz]);
}

/** Whose pictures are seen in a person's tile or in that of their screen, at the other end. */
const pictures = (one, other, screen) => one.ask(async ([name, wantsScreen]) => {
  const { person, read } = globalThis.klatchTest;
  const stream = wantsScreen ? person(name)?.screen : person(name)?.stream;
  const videos = [];
  const search = (root) => root.querySelectorAll('*').forEach((element) => {
    if (element instanceof HTMLVideoElement && stream && element.srcObject === stream) videos.push(element);
    if (element.shadowRoot) search(element.shadowRoot);
  });
  search(document);
  const seen = new Map();
  for (let look = 0; look < 75 && videos[0]; look += 1) {
    const reading = videos[0].videoWidth > 0 ? read(videos[0]) : null;
    if (reading) seen.set(reading.counter, reading.id);
    await new Promise((resolve) => {
      setTimeout(resolve, 40);
    });
  }
  return [...seen.values()];
}, [other.name, screen]);

/** Wait until moving pictures of this id alone are seen there. */
function shows(one, other, { screen = false, id }) {
  return until(`${one.name} sees ${id.toString(16)} ${screen ? 'on the screen' : ''} of ${other.name}`, async () => {
    const seen = await pictures(one, other, screen);
    if (seen.length < 3 || seen.some((found) => found !== id)) throw new Error(`seen: ${[...new Set(seen)]} (${seen.length})`);
    return true;
  }, 30_000);
}

const share = (one) => one.page.getByRole('button', { name: 'Screen', exact: true }).click();

test('a screen is seen beside the camera, by both from both, and ends by the browser\'s own bar', async (t) => {
  const [one, other] = await here.people(t, 2);
  for (const person of [one, other]) await paintScreens(person);

  await share(one);
  await shows(other, one, { screen: true, id: SCREEN_ID });
  await shows(other, one, { id: one.id });
  await other.page.getByRole('group', { name: `Screen of ${one.name}`, exact: true }).waitFor();
  await other.hears(one);

  await share(other);
  await shows(one, other, { screen: true, id: SCREEN_ID });
  await shows(one, other, { id: other.id });
  await shows(other, one, { screen: true, id: SCREEN_ID });

  const described = await one.ask(() => globalThis.klatchRtc.descriptions);
  await one.ask(() => {
    const [track] = globalThis.sharedStream.getVideoTracks();
    track.stop();
    track.dispatchEvent(new Event('ended'));
  });
  await other.page.getByRole('group', { name: `Screen of ${one.name}`, exact: true }).waitFor({ state: 'detached' });
  await one.page.getByText('You no longer share your screen').waitFor();
  await shows(other, one, { id: one.id });
  await share(one);
  await shows(other, one, { screen: true, id: SCREEN_ID });
  assert.equal(await one.ask(() => globalThis.klatchRtc.descriptions), described, 'the second time nothing is negotiated');
});

test('who comes later sees the screen that is shared already', async (t) => {
  const [one, other] = await here.people(t, 2);
  await paintScreens(one);
  await share(one);
  await shows(other, one, { screen: true, id: SCREEN_ID });
  const third = await here.newcomer(t, one.room, 2);
  await third.join();
  await third.connectedTo([one, other]);
  await shows(third, one, { screen: true, id: SCREEN_ID });
  await shows(third, one, { id: one.id });
});

/** How high the pictures of somebody's screen are as they come in. */
const screenHeight = (one, other) => one.ask((name) => {
  const stream = globalThis.klatchTest.person(name)?.screen;
  const [track] = stream?.getVideoTracks() ?? [];
  return track?.getSettings().height ?? 0;
}, other.name);

test('a screen comes whole to who shows it large and smaller to who shows it small, with nothing negotiated', async (t) => {
  const [one, other] = await here.people(t, 2);
  await one.ask(() => {
    navigator.mediaDevices.getDisplayMedia = async () => {
      const canvas = Object.assign(document.createElement('canvas'), { width: 1280, height: 720 });
      const context = canvas.getContext('2d');
      setInterval(() => {
        context.fillStyle = `hsl(${Math.random() * 360} 80% 50%)`;
        context.fillRect(Math.random() * 1200, Math.random() * 700, 80, 20);
      }, 100);
      return canvas.captureStream(10);
    };
  });
  const comes = (height) => until(`the screen comes ${height} high`, async () => {
    const now = await screenHeight(other, one);
    if (now !== height) throw new Error(`it is ${now}`);
    return true;
  }, 30_000);
  await share(one);
  await comes(720);
  const described = await one.ask(() => globalThis.klatchRtc.descriptions);
  await other.page.setViewportSize({ width: 400, height: 500 });
  await comes(360);
  await other.page.setViewportSize({ width: 1024, height: 768 });
  await comes(720);
  assert.equal(await one.ask(() => globalThis.klatchRtc.descriptions), described);
});

test('a lost camera gives way to another one, in the same connection, with a word about it', async (t) => {
  const [one, other] = await here.people(t, 2);
  await other.seesMoving(one);
  const described = await one.ask(() => globalThis.klatchRtc.descriptions);
  await paintScreens(one, CAMERA_ID);
  const lose = () => one.ask(() => {
    const [track] = globalThis.klatchTest.call().media.stream.getVideoTracks();
    track.stop();
    track.dispatchEvent(new Event('ended'));
  });
  await lose();
  await one.page.getByText('Your camera is gone. Now used:').waitFor();
  await shows(other, one, { id: CAMERA_ID });
  await other.hears(one);

  await one.ask(() => {
    navigator.mediaDevices.getUserMedia = async () => {
      throw new DOMException('none', 'NotFoundError');
    };
  });
  await lose();
  await one.page.getByText('Your camera was disconnected').waitFor();
  await until('it is told', () => other.ask((name) => globalThis.klatchTest.person(name).cam === false, one.name));
  await paintScreens(one);
  await one.toggleCamera();
  await shows(other, one, { id: one.id });
  assert.equal(await one.ask(() => globalThis.klatchRtc.descriptions), described);
});

test('volume and muting for oneself change what is played here, and nothing there', async (t) => {
  const [one, other, third] = await here.people(t, 3);
  const playing = (name) => one.ask((who) => {
    const { volume, muted } = globalThis.klatchTest.videoOf(who);
    return [volume, muted];
  }, name);
  await one.page.getByRole('button', { name: `Options for ${other.name}` }).click();
  const dialog = one.page.getByRole('dialog', { name: other.name });
  await dialog.getByRole('slider').fill('30');
  await until('it is quieter', async () => (await playing(other.name))[0] === 0.3);
  await dialog.getByRole('button', { name: 'Mute for me' }).click();
  await until('it is silent', async () => (await playing(other.name))[1]);
  assert.deepEqual(await playing(third.name), [1, false]);
  await dialog.getByRole('button', { name: 'Mute for me' }).click();
  await until('it is heard', async () => !(await playing(other.name))[1]);
  assert.equal((await playing(other.name))[0], 0.3);
  await one.page.keyboard.press('Escape');
  await third.hears(other);
  assert.equal(await third.ask((name) => globalThis.klatchTest.person(name).mic, other.name), true);
});

test('a name that is changed in the call is seen by the others', async (t) => {
  const [one, other] = await here.people(t, 2);
  await one.page.getByRole('button', { name: 'Settings', exact: true }).click();
  await one.page.getByRole('dialog').getByLabel('Your name').fill('Somebody else');
  await one.page.getByRole('button', { name: 'Done' }).click();
  await other.page.getByRole('group', { name: 'Somebody else, connected' }).waitFor();
  await other.page.getByText(`${one.name} is now Somebody else`).waitFor();
});

test('who speaks is marked, and is large where one wants that', async (t) => {
  const [one, other, third] = await here.people(t, 3);
  await third.toggleMicrophone();
  await third.toggleMicrophone();
  await other.toggleMicrophone();
  await one.ask(() => globalThis.klatchTest.call().shadowRoot.querySelector('klatch-call')
    .emit('choice', { spotlight: true }));
  const state = () => one.ask(() => {
    const found = [];
    const search = (root) => root.querySelectorAll('*').forEach((element) => {
      if (element.localName === 'klatch-tile') {
        const speaking = element.shadowRoot.querySelector('.tile').hasAttribute('data-speaking');
        found.push([element.props.name, speaking, element.props.large]);
      }
      if (element.shadowRoot) search(element.shadowRoot);
    });
    search(document);
    return JSON.stringify(found.filter(([, speaking, large]) => speaking || large));
  });
  const only = (person) => until(`${person.name} is seen to speak`, async () => {
    const now = await state();
    if (now !== JSON.stringify([[person.name, true, true]])) throw new Error(now);
    return true;
  }, 20_000);
  await only(third);
  await third.toggleMicrophone();
  await other.toggleMicrophone();
  await only(other);
});

test('before the call the check shows a call with oneself, with the server asked', async (t) => {
  const [one] = await here.visitors(t, 1);
  await one.page.getByRole('button', { name: 'Check connection' }).click();
  const dialog = one.page.getByRole('dialog', { name: 'A call with yourself' });
  for (const words of ['The server answers', 'Your browser connects', 'Your picture comes back', 'No relay was tried']) {
    await dialog.getByText(words).waitFor();
  }
  const read = () => one.ask(() => {
    let back = null;
    const search = (root) => root.querySelectorAll('*').forEach((element) => {
      if (element.matches('video.back')) back = element;
      if (element.shadowRoot) search(element.shadowRoot);
    });
    search(document);
    return globalThis.klatchTest.read(back)?.id;
  });
  await until('the picture that comes back is one\'s own', async () => await read() === one.id);
  await dialog.getByRole('button', { name: 'Hang up' }).click();
  await one.join();
});

/* machines: people in one room, each at a machine of their own, and what reaches them. */

import { randomBytes } from 'node:crypto';
import { loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Namespaces, namespacesPossible } from './namespaces.mjs';
import { Participant } from './participant.mjs';
import { Server } from './server.mjs';
import { everybodyConnected } from './gathering.mjs';
import { until } from './until.mjs';

/** Why a test can't be done here, or false. */
export const skip = namespacesPossible() ? false : 'network namespaces need CAP_NET_ADMIN';

/** The tiles of four ask for 360 high, and there isn't much to paint. */
const VIEWPORT = { width: 800, height: 760 };

const lib = (name) => fileURLToPath(new URL(name, import.meta.url));

export const wait = (ms) => new Promise((resolve) => {
  setTimeout(resolve, ms);
});

/**
 * People who are connected; all is taken down with the test. The first one's picture has noise
 * in it, the others' are small and flat, so that the processor isn't what is short.
 * @param {object} t
 * @param {number} count
 * @param {{noise?: string, scripts?: string[]}} [options] files of tests/browser/lib
 */
export async function machines(t, count, { noise = 'small-noise.js', scripts = [] } = {}) {
  const server = new Server();
  const net = new Namespaces(server.folder);
  const browsers = [];
  t.after(async () => {
    t.diagnostic(`load ${loadavg()[0].toFixed(1)}`);
    await Promise.allSettled(browsers.map((browser) => browser.close()));
    net.close();
    await server.close();
  });
  await server.start();
  await net.open(count, server.port);
  const room = `test-${randomBytes(6).toString('hex')}`;
  const people = await Promise.all(Array.from({ length: count }, async (_, number) => {
    const browser = await net.launch(number);
    browsers.push(browser);
    const own = [...(number === 0 ? [noise, 'noisy-media.js'] : []), 'counted-rtc.js', ...scripts];
    const one = await Participant.open(browser, server.origin, room, number, own.map(lib));
    await one.page.setViewportSize(VIEWPORT);
    return one;
  }));
  await Promise.all(people.map((one) => one.join().catch((error) => {
    throw new Error(`${error.message}\n${one.log.join('\n')}`);
  })));
  await everybodyConnected(people);
  return { net, people };
}

/** What has come in from somebody since their connection began. */
const received = (one, other) => one.ask(async (name) => {
  const person = globalThis.klatchTest.person(name);
  const tracks = person.stream.getTracks().map(({ id }) => id);
  const all = (await globalThis.klatchRtc.reports()).flatMap((report) => [...report.values()])
    .filter(({ type, trackIdentifier }) => type === 'inbound-rtp' && tracks.includes(trackIdentifier));
  const sound = all.find(({ kind }) => kind === 'audio');
  const picture = all.find(({ kind }) => kind === 'video');
  return {
    samples: sound?.totalSamplesReceived ?? 0,
    concealed: (sound?.concealedSamples ?? 0) - (sound?.silentConcealedSamples ?? 0),
    // Of the sound's packets, which nobody sends again.
    packets: sound?.packetsReceived ?? 0,
    lost: sound?.packetsLost ?? 0,
    frames: picture?.framesDecoded ?? 0,
    freezes: picture?.freezeCount ?? 0,
    frozen: picture?.totalFreezesDuration ?? 0,
    bytes: (picture?.bytesReceived ?? 0) + (sound?.bytesReceived ?? 0),
    height: picture?.frameHeight ?? 0,
  };
}, other.name);

/** What comes in over a time: concealed and lost are parts of the sound, frozen is in seconds, bits a second. */
export async function over(one, other, ms) {
  const from = await received(one, other);
  const since = Date.now();
  await wait(ms);
  const to = await received(one, other);
  const took = Date.now() - since;
  const grown = Object.fromEntries(Object.entries(to).map(([what, value]) => [what, value - from[what]]));
  return {
    concealed: grown.samples > 0 ? Number((grown.concealed / grown.samples).toFixed(4)) : 1,
    lost: Number((grown.lost / (grown.packets + grown.lost || 1)).toFixed(3)),
    fps: Number(((grown.frames * 1000) / took).toFixed(1)),
    freezes: grown.freezes,
    frozen: Number(grown.frozen.toFixed(1)),
    bits: Math.round((grown.bytes * 8000) / took),
    height: to.height,
  };
}

/** Wait until moving pictures come from somebody, at least so high. */
export function sees(one, other, limitMs, heightMin = 1) {
  return until(`${one.name} sees ${other.name}, ${heightMin} high`, async () => {
    const now = await over(one, other, 1_000);
    if (now.fps < 3 || now.height < heightMin) throw new Error(JSON.stringify(now));
    return now;
  }, limitMs, 0);
}

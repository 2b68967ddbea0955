/* allot: who gets how much of what can be sent and encoded. Pure: the same question has
 * the same answer, so that every rule has a test of its own.
 *
 * Sound comes first and is never cut. Pictures share what is left in proportion to the
 * size in which they are shown; who is shown smallest is left out first. */

/** Heights of pictures in the five sizes that receivers ask for; 0 is hidden. */
export const HEIGHTS = [0, 120, 240, 360, 480];
/** Up to which height on the screen, in pixels, a size will do. */
const SHOWN_MAX = [0, 150, 280, 420, Infinity];
/** Encoders are only ever asked for these, lest each small change costs a key frame. */
const STEPS = [120, 180, 240, 360, 480, 720];
/** Of one person's sound, on the wire. */
export const SOUND_BITS = 64_000;
/** Below this no moving picture is worth its bits. */
export const PICTURE_BITS_MIN = 80_000;
const SCREEN_BITS_MIN = 150_000;
/** A screen in the five sizes: writing that is still to be read keeps more than its shown height. */
const SCREENS = [
  { height: 0, want: 0 }, { height: 180, want: SCREEN_BITS_MIN }, { height: 360, want: 300_000 },
  { height: 540, want: 600_000 }, { height: 0, want: 1_200_000 },
];
/** What one picture in STILL_MS needs, as a rate. */
const STILL_BITS = 16_000;
/** A picture that was left out needs this much more to come back, lest it comes and goes. */
const BACK = 1.5;
export const STILL_MS = 5_000;
const BITS_PER_PIXEL = 0.13;
const PICTURE_BITS_BASE = 40_000;
/** Pixels a second of the smallest moving picture: 160x120 at 10. */
const PIXELS_MIN = 192_000;
/** For those who show us larger than the others do, where many look on. */
const PIXELS_LARGE = 2_500_000;

/** What the person chose. @typedef {'normal' | 'saving' | 'sound'} Quality */
const SAVING = { size: 2, fps: 10, bitsEach: 214_000, pixels: 0.5 };

/**
 * @typedef {object} Viewer somebody who is sent to
 * @property {string} key
 * @property {number} size in which they show the camera, 0 to 4
 * @property {number} screen the same for the screen
 * @property {number} bitsMax what their own line takes; Infinity while nobody knows of a limit
 * @property {boolean} [off] they get no moving camera for want of bits
 */

/**
 * @typedef {object} Share what one stream to one person gets
 * @property {'moving' | 'still' | 'none'} picture still is one picture in STILL_MS
 * @property {'asked' | 'choice' | 'bits'} why there is no more
 * @property {number} bits
 * @property {number} height that is the most; 0 for as high as it is
 * @property {number} fps
 */

/** @typedef {{camera: Share, screen: Share}} Shares */

/**
 * @param {number} heightPx on the screen, in its own pixels; 0 when it can't be seen
 * @returns {number} the size to ask for
 */
export function sizeFor(heightPx) {
  return heightPx > 0 ? SHOWN_MAX.findIndex((most) => heightPx <= most) : 0;
}

/**
 * Pixels a second to begin with, for this many people.
 * @param {number} count
 * @param {boolean} [uneven] a few show us larger than the others do
 */
export function pixelsFor(count, uneven = false) {
  if (count <= 1) return 640 * 480 * 20;
  if (count <= 3) return count * 480 * 360 * 20;
  const each = count <= 5 ? 320 * 240 * 15 : PIXELS_MIN;
  return count * each + (uneven ? PIXELS_LARGE : 0);
}

/**
 * @param {object} question
 * @param {Viewer[]} question.people best first, where nothing else decides
 * @param {number} question.bits a second, for all together
 * @param {number} question.effort 1 is as many pixels as pixelsFor tells
 * @param {Quality} question.quality
 * @param {boolean} question.camera whether there is one to send
 * @param {boolean} question.screen
 * @returns {{shares: Map<string, Shares>, wanted: number}} wanted is what all would take, in bits a second
 */
export function allot({ people, bits, effort, quality, camera, screen }) {
  const saving = quality === 'saving';
  const sound = people.length * SOUND_BITS;
  const total = saving ? Math.min(bits, people.length * SAVING.bitsEach) : bits;
  const shown = people.map((one) => ({ ...one, size: saving ? Math.min(one.size, SAVING.size) : one.size }));
  const none = quality === 'sound';
  const cameras = camera && !none ? camerasOf(shown, effort * (saving ? SAVING.pixels : 1), saving) : [];
  const screens = screen && !none ? screensOf(shown) : [];
  // Whose own line is full sends no one else's picture away.
  const streams = [...screens, ...cameras].map((stream) => ({
    ...stream, limit: Math.min(stream.want, stream.most),
  }));
  const kept = keep(streams.filter(({ limit, least }) => limit >= least), total - sound);
  const given = pour(kept, total - sound);
  const stillToo = kept.length === 0 && total - sound >= STILL_BITS * streams.length;
  const why = none ? 'choice' : 'bits';
  /** @type {Map<string, Shares>} */
  const shares = new Map();
  for (const one of people) {
    const of = (/** @type {'camera' | 'screen'} */ kind, /** @type {number} */ size) => {
      const stream = streams.find(({ key, kind: its }) => key === one.key && its === kind);
      return shareOf(stream, given, stillToo, size > 0 || none ? why : 'asked');
    };
    shares.set(one.key, { camera: of('camera', one.size), screen: of('screen', one.screen) });
  }
  const wanted = streams.reduce((sum, { limit }) => sum + limit, sound);
  return { shares, wanted: saving ? Math.min(wanted, total) : wanted };
}

/**
 * @typedef {object} Stream
 * @property {string} key
 * @property {'camera' | 'screen'} kind
 * @property {number} height
 * @property {number} fps
 * @property {number} least bits
 * @property {number} want
 * @property {number} most
 * @property {number} limit
 */

/**
 * The cameras' pictures as the encoder can make them, most wanted first.
 * @param {Viewer[]} people
 * @param {number} effort
 * @param {boolean} saving
 * @returns {Omit<Stream, 'limit'>[]}
 */
function camerasOf(people, effort, saving) {
  const seen = people.filter(({ size }) => size > 0).sort((a, b) => b.size - a.size);
  const [first] = seen;
  if (!first) return [];
  const largest = seen.filter(({ size }) => size === first.size).length;
  const budget = pixelsFor(people.length, largest * 3 <= people.length) * effort;
  const fpsOf = (/** @type {number} */ size) => {
    const usual = people.length <= 3 ? 20 : people.length <= 5 ? 15 : 10;
    return saving ? SAVING.fps : size === 4 ? Math.max(15, usual) : usual;
  };
  const asked = seen.map(({ size }) => Math.max(PIXELS_MIN, areaOf(HEIGHTS[size]) * fpsOf(size)));
  const all = asked.reduce((sum, pixels) => sum + pixels, 0);
  const least = seen.length * PIXELS_MIN;
  const part = all > budget ? Math.max(0, budget - least) / (all - least || 1) : 1;
  return seen.map(({ key, size, bitsMax, off }, at) => {
    const pixels = PIXELS_MIN + part * (asked[at] - PIXELS_MIN);
    const fps = Math.max(5, Math.min(fpsOf(size), Math.round((budget / least) * 10)));
    const height = Math.min(stepWithin(pixels / fps), HEIGHTS[size]);
    const want = bitsFor(areaOf(height) * fps);
    const bits = off ? PICTURE_BITS_MIN * BACK : PICTURE_BITS_MIN;
    return { key, kind: 'camera', height, fps, least: bits, want: Math.max(bits, want), most: bitsMax - SOUND_BITS };
  });
}

/**
 * @param {Viewer[]} people
 * @returns {Omit<Stream, 'limit'>[]}
 */
function screensOf(people) {
  return people.filter(({ screen }) => screen > 0).sort((a, b) => b.screen - a.screen)
    .map(({ key, screen, bitsMax }) => ({
      key, kind: 'screen', ...SCREENS[screen], fps: 10, least: SCREEN_BITS_MIN, most: bitsMax - SOUND_BITS,
    }));
}

/**
 * As many of the first as fit.
 * @param {Stream[]} streams
 * @param {number} bits
 */
function keep(streams, bits) {
  let left = bits;
  return streams.filter(({ least }) => {
    left -= least;
    return left >= 0;
  });
}

/**
 * Everybody gets their least, then the same part of what more they want.
 * @param {Stream[]} streams
 * @param {number} bits
 * @returns {Map<Stream, number>}
 */
function pour(streams, bits) {
  const sum = (/** @type {(stream: Stream) => number} */ of) => streams.reduce((all, stream) => all + of(stream), 0);
  const least = sum((stream) => stream.least);
  const more = sum(({ limit, least: own }) => limit - own);
  const part = more > 0 ? Math.min(1, (bits - least) / more) : 0;
  return new Map(streams.map((stream) => [stream, Math.round(stream.least + part * (stream.limit - stream.least))]));
}

/**
 * @param {Stream | undefined} stream
 * @param {Map<Stream, number>} given
 * @param {boolean} stillToo whether all who get no moving picture get a still one
 * @param {Share['why']} why
 * @returns {Share}
 */
function shareOf(stream, given, stillToo, why) {
  if (!stream) return { picture: 'none', why, bits: 0, height: 0, fps: 0 };
  const { fps } = stream;
  const bits = given.get(stream);
  if (bits === undefined) {
    return stillToo ? { picture: 'still', why: 'bits', bits: PICTURE_BITS_MIN, height: HEIGHTS[1], fps: 1 }
      : { picture: 'none', why: 'bits', bits: 0, height: 0, fps: 0 };
  }
  if (stream.kind === 'screen') return { picture: 'moving', why: 'asked', bits, height: stream.height, fps };
  // With few bits a smaller picture is the better one.
  const height = Math.min(stream.height, stepWithin(Math.max(0, (bits * 1.5 - PICTURE_BITS_BASE) / BITS_PER_PIXEL / fps)));
  return { picture: 'moving', why: bits < stream.want ? 'bits' : 'asked', bits, height, fps };
}

/** @param {number} pixels a second */
function bitsFor(pixels) {
  return Math.max(PICTURE_BITS_MIN, Math.round(PICTURE_BITS_BASE + pixels * BITS_PER_PIXEL));
}

/** @param {number} height of a picture of four to three */
function areaOf(height) {
  return (height * height * 4) / 3;
}

/**
 * @param {number} area
 * @returns {number} the greatest height whose picture has no more than that
 */
function stepWithin(area) {
  return STEPS.filter((height) => areaOf(height) <= area * 1.05).pop() ?? STEPS[0];
}

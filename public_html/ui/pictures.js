// Which files show by themselves: small pictures that are what they say. Their first bytes tell
// kind and size before the browser decodes them: a small file can be a picture of gigabytes.

export const PICTURE_BYTES_MAX = 1_000_000;
const PIXELS_MAX = 30_000_000;
const EACH_MINUTE_MAX = 10;
const ALL_BYTES_MAX = 40_000_000;
const TYPES = ['image/png', 'image/jpeg', 'image/gif', 'image/webp'];

/** @typedef {import('../klatch/files.js').Share} Share */
/** @typedef {{type: string, width: number, height: number}} Picture */

/** @param {{type: string, size: number}} file */
export function maybePicture({ type, size }) {
  return TYPES.includes(type) && size > 0 && size <= PICTURE_BYTES_MAX;
}

/** What may be taken unasked: nobody can fill the memory or the column with it. */
export class PictureAllowance {
  #bytes = 0;
  /** @type {Map<object, number[]>} */
  #times = new Map();

  /** @param {Share} share */
  allows({ type, size, ways: [way] }) {
    if (!way || !maybePicture({ type, size }) || this.#bytes + size > ALL_BYTES_MAX) return false;
    const now = Date.now();
    const times = (this.#times.get(way.person) ?? []).filter((time) => now - time < 60_000);
    if (times.length >= EACH_MINUTE_MAX) return false;
    this.#times.set(way.person, [...times, now]);
    this.#bytes += size;
    return true;
  }
}

/**
 * @param {Blob} file
 * @returns {Promise<Picture | null>} null when it isn't one that may be shown
 */
export async function readPicture(file) {
  if (file.size > PICTURE_BYTES_MAX) return null;
  const picture = parsePicture(new DataView(await file.arrayBuffer()));
  return picture && picture.width > 0 && picture.height > 0 && picture.width * picture.height <= PIXELS_MAX ? picture : null;
}

/**
 * @param {DataView} view
 * @returns {Picture | null}
 */
export function parsePicture(view) {
  if (view.byteLength < 30) return null;
  const word = view.getUint32(0);
  if (word === 0x89504e47) return { type: 'image/png', width: view.getUint32(16), height: view.getUint32(20) };
  if (word === 0x47494638) return { type: 'image/gif', width: view.getUint16(6, true), height: view.getUint16(8, true) };
  if (word >>> 8 === 0xffd8ff) return jpeg(view);
  if (word === 0x52494646 && view.getUint32(8) === 0x57454250) return webp(view);
  return null;
}

/** @param {DataView} view @returns {Picture | null} */
function jpeg(view) {
  for (let at = 2; at + 9 < view.byteLength;) {
    if (view.getUint8(at) !== 0xff) return null;
    const marker = view.getUint8(at + 1);
    const frame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (frame) return { type: 'image/jpeg', width: view.getUint16(at + 7), height: view.getUint16(at + 5) };
    at += marker === 0xff ? 1 : 2 + view.getUint16(at + 2);
  }
  return null;
}

/** @param {DataView} view @returns {Picture | null} */
function webp(view) {
  const type = 'image/webp';
  const kind = view.getUint32(12);
  if (kind === 0x56503820) {
    return { type, width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
  }
  if (kind === 0x5650384c) {
    const bits = view.getUint32(21, true);
    return { type, width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
  }
  if (kind === 0x56503858) {
    const three = (/** @type {number} */ at) => (view.getUint16(at, true) | (view.getUint8(at + 2) << 16)) + 1;
    return { type, width: three(24), height: three(27) };
  }
  return null;
}

/* file-sinks: where a file goes that is taken. To the disk as it comes where the browser lets
 * a page write there, else into the origin's private file system, else into memory up to
 * a limit; from the latter two it is saved by a link. */

import { KlatchProblem } from './problem.js';
import { randomId } from './bytes.js';

export const MEMORY_BYTES_MAX = 128 * 1024 * 1024;
/** Browsers write beside the file first, and others use the same quota. */
const SPARE_BYTES = 16 * 1024 * 1024;
const FOLDER = 'klatch-';
const TOO_LARGE = 'This browser cannot take so large a file. A desktop Chrome or Edge can.';
const NO_SPACE = 'There is too little free space for this file. Make room and try again.';

/**
 * @typedef {object} Sink
 * @property {(bytes: Uint8Array) => Promise<unknown>} write
 * @property {() => Promise<Blob | null>} close what can be saved by a link; null when it is saved already
 * @property {() => Promise<unknown>} abort nothing of it stays
 */

/**
 * @typedef {object} Places what the browser offers
 * @property {((options: {suggestedName: string}) => Promise<FileSystemFileHandle>) | null} picker
 * @property {StorageManager | null} storage
 * @property {LockManager | null} locks
 */

/** @returns {Places} */
export function browserPlaces() {
  const picker = /** @type {any} */ (globalThis).showSaveFilePicker;
  const { storage, locks } = globalThis.navigator ?? {};
  return { picker: picker ? picker.bind(globalThis) : null, storage: storage ?? null, locks: locks ?? null };
}

/**
 * To be called from a click: the browser asks where to save.
 * @param {{name: string, size: number, type: string}} file
 * @param {Places} [places]
 * @returns {Promise<Sink | null>} null when the person didn't want to after all
 * @throws {KlatchProblem} file-no-space, file-too-large
 */
export async function openSink(file, places = browserPlaces()) {
  if (places.picker) {
    try {
      return await pickedSink(await places.picker({ suggestedName: file.name }));
    } catch (error) {
      if (error instanceof Error && error.name === 'AbortError') return null;
      // Refused in a frame, or no click: the other places need neither.
    }
  }
  const free = await freeBytes(places.storage);
  if (free >= file.size + SPARE_BYTES) {
    const sink = await privateSink(file, places).catch(() => null);
    if (sink) return sink;
  }
  if (file.size <= MEMORY_BYTES_MAX) return memorySink(file);
  throw free > 0 && free < file.size + SPARE_BYTES ? new KlatchProblem('file-no-space', { sentence: NO_SPACE }) : tooLarge();
}

/** For a file that no place takes. */
export function tooLarge() {
  return new KlatchProblem('file-too-large', { sentence: TOO_LARGE });
}

/**
 * @param {{type: string}} file
 * @returns {Sink}
 */
export function memorySink({ type }) {
  /** @type {BlobPart[]} */
  let parts = [];
  return {
    async write(bytes) {
      parts.push(/** @type {BlobPart} */ (bytes));
    },
    async close() {
      return new Blob(parts, { type });
    },
    async abort() {
      parts = [];
    },
  };
}

/**
 * @param {FileSystemFileHandle} handle
 * @returns {Promise<Sink>}
 */
async function pickedSink(handle) {
  const stream = await handle.createWritable();
  return {
    write: (bytes) => stream.write(/** @type {BufferSource} */ (bytes)),
    async close() {
      await stream.close();
      return null;
    },
    abort: () => stream.abort(),
  };
}

/** @param {StorageManager | null} storage */
async function freeBytes(storage) {
  try {
    const { quota = 0, usage = 0 } = await storage?.estimate() ?? {};
    return quota - usage;
  } catch {
    return 0;
  }
}

/**
 * @param {{type: string}} file
 * @param {Places} places
 * @returns {Promise<Sink | null>}
 */
async function privateSink({ type }, { storage, locks }) {
  if (!storage?.getDirectory) return null;
  const root = await storage.getDirectory();
  await sweep(root, locks);
  const name = FOLDER + randomId();
  const folder = await root.getDirectoryHandle(name, { create: true });
  const release = await hold(name, locks);
  const forget = async () => {
    await root.removeEntry(name, { recursive: true }).catch(() => {});
    release();
  };
  try {
    const handle = await folder.getFileHandle('file', { create: true });
    const stream = await handle.createWritable();
    return {
      write: (bytes) => stream.write(/** @type {BufferSource} */ (bytes)),
      async close() {
        await stream.close();
        const kept = await handle.getFile();
        return kept.slice(0, kept.size, type);
      },
      async abort() {
        await stream.abort().catch(() => {});
        await forget();
      },
    };
  } catch {
    // A browser without createWritable.
    await forget();
    return null;
  }
}

/**
 * Say that this folder is in use, until this page is gone.
 * @param {string} name
 * @param {LockManager | null} locks
 * @returns {Promise<() => void>}
 */
function hold(name, locks) {
  if (!locks) return Promise.resolve(() => {});
  return new Promise((resolve) => {
    void locks.request(name, () => new Promise((done) => {
      resolve(() => done(undefined));
    })).catch(() => resolve(() => {}));
  });
}

/**
 * Remove what pages have left behind that are gone.
 * @param {FileSystemDirectoryHandle} root
 * @param {LockManager | null} locks
 */
async function sweep(root, locks) {
  if (!locks) return;
  const { held = [] } = await locks.query();
  const used = new Set(held.map(({ name }) => name));
  const names = /** @type {AsyncIterable<string>} */ (/** @type {any} */ (root).keys());
  for await (const name of names) {
    if (name.startsWith(FOLDER) && !used.has(name)) await root.removeEntry(name, { recursive: true }).catch(() => {});
  }
}

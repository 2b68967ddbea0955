/* file-outgoing: one file on its way to one person. It is read in blocks, never as a whole,
 * and is never further ahead of what the receiver has written than the window. */

import { PIECE_BYTES_MAX } from './bulk.js';
import { FileWay } from './file-way.js';
import { Sha256 } from './sha256.js';

const BLOCK_BYTES = 256 * 1024;
export const WINDOW_BYTES = 4 * 1024 * 1024;
/** A receiver that begins again more often than connections break wants to keep us busy. */
const TAKES_MAX = 200;
const WHYS = ['hash', 'space', 'many', 'too-much', 'refused'];

/** @typedef {{n: number, sent: number, written: number, wake: () => void}} Run */

export class Outgoing extends FileWay {
  #file;
  /** What goes on now. @type {Run | null} */
  #run = null;
  #takes = 0;
  /** @type {Promise<Sha256>} */
  #sha;
  #hashed = 0;
  #hash = '';
  /** One reading after another: they share the hash. */
  #work = Promise.resolve();

  /** @param {import('./file-way.js').WayOptions & {file: File}} options */
  constructor({ file, ...options }) {
    super(options);
    this.#file = file;
    this.#sha = Sha256.load();
    this.#sha.catch(() => {});
  }

  /** Also again, on a new channel. */
  offer() {
    if (!this.open) return;
    const { name, size, type, private: alone } = this.share;
    this.say('offer', { name, size, type, private: alone });
  }

  /**
   * The receiver wants it from here on.
   * @param {unknown} n
   * @param {unknown} at
   */
  taken(n, at) {
    if (!this.open || !Number.isInteger(n) || !Number.isSafeInteger(at)) return;
    const [number, start] = [Number(n), Number(at)];
    if (number < 0 || number >= 2 ** 32 || start < 0 || start > this.share.size) return;
    this.#takes += 1;
    if (this.#takes > TAKES_MAX) {
      this.#end('failed', 'many');
      return;
    }
    this.#run?.wake();
    const run = { n: number, sent: start, written: start, wake: () => {} };
    this.#run = run;
    this.way.done = start;
    this.become('coming');
    this.#work = this.#work.then(() => this.#send(run));
  }

  /**
   * @param {unknown} n
   * @param {unknown} at
   */
  written(n, at) {
    const run = this.#run;
    if (!run || n !== run.n || !Number.isSafeInteger(at)) return;
    const now = Number(at);
    if (now <= run.written || now > run.sent) return;
    run.written = now;
    this.way.done = now;
    run.wake();
  }

  /** The receiver has it all, and it is right. */
  finished() {
    if (!this.open || this.#run?.sent !== this.share.size) return;
    this.way.done = this.share.size;
    this.#over('done');
  }

  /** @param {unknown} why the receiver's word */
  stopped(why) {
    if (!this.open) return;
    const known = WHYS.find((word) => word === why) ?? '';
    if (known === 'refused') this.#over('refused');
    else this.#over(known ? 'failed' : 'stopped', known);
  }

  stop() {
    if (this.open) this.#end('stopped', '');
  }

  gone() {
    if (this.open) this.#over('failed', 'gone');
  }

  /**
   * @param {'failed' | 'stopped'} state
   * @param {string} why
   */
  #end(state, why) {
    this.say('stop', { why });
    this.#over(state, why);
  }

  /**
   * @param {import('./files.js').State} state
   * @param {string} [why]
   */
  #over(state, why) {
    this.#run?.wake();
    this.#run = null;
    this.become(state, why);
  }

  /** @param {Run} run */
  async #send(run) {
    try {
      const bulk = this.bulk();
      // The hash is of all bytes, also of those that the receiver has.
      while (this.#run === run && this.#hashed < run.sent) await this.#read(this.#hashed, run.sent);
      while (this.#run === run && run.sent < this.share.size) {
        const block = await this.#read(run.sent, this.share.size);
        for (let at = 0; at < block.length; at += PIECE_BYTES_MAX) {
          await this.#behind(run);
          if (this.#run !== run || !bulk) return;
          const piece = block.subarray(at, at + PIECE_BYTES_MAX);
          run.sent += piece.length;
          await bulk.piece(run.n, piece);
        }
      }
      if (this.#run !== run) return;
      this.#hash ||= (await this.#sha).digest();
      await bulk?.end(run.n, this.#hash);
    } catch (error) {
      if (this.#run !== run) return;
      // Of a channel that closes another one comes, and with it the next taking.
      if (error instanceof Unreadable) this.#end('failed', 'unreadable');
      else this.become('waiting');
    }
  }

  /**
   * @param {number} from
   * @param {number} end
   */
  async #read(from, end) {
    const to = Math.min(from + BLOCK_BYTES, end);
    /** @type {Uint8Array} */
    let block;
    try {
      block = new Uint8Array(await this.#file.slice(from, to).arrayBuffer());
    } catch (cause) {
      throw new Unreadable('the file can no longer be read', { cause });
    }
    if (block.length !== to - from) throw new Unreadable('the file has become shorter');
    const sha = await this.#sha.catch((cause) => {
      throw new Unreadable('there is nothing to make the hash with', { cause });
    });
    if (this.#hashed < to) sha.update(block.subarray(this.#hashed - from));
    this.#hashed = Math.max(this.#hashed, to);
    return block;
  }

  /**
   * Wait until the receiver isn't too far behind.
   * @param {Run} run
   */
  async #behind(run) {
    while (this.#run === run && run.sent - run.written >= WINDOW_BYTES) {
      await new Promise((resolve) => {
        run.wake = () => resolve(undefined);
      });
    }
  }
}

class Unreadable extends Error {}

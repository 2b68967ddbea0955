/* file-incoming: one file on its way to us, from the taking on. What comes is put together into
 * larger blocks, written one after another, and acknowledged when it is written, so that no more
 * than the sender's window is ever in memory. */

import { FileWay } from './file-way.js';
import { PIECE_BYTES_MAX } from './bulk.js';
import { Sha256 } from './sha256.js';
import { WINDOW_BYTES } from './file-outgoing.js';

const WRITE_BYTES = 512 * 1024;
/** What others pass on comes slowly: it is told sooner how far it is. */
const WRITE_CARRIED_BYTES = 64 * 1024;

export class Incoming extends FileWay {
  /** The number of the present attempt. */
  n = 0;
  #attempt;
  /** @type {import('./file-sinks.js').Sink | null} */
  #sink = null;
  /** @type {Sha256 | null} */
  #sha = null;
  #came = 0;
  #written = 0;
  /** Came and isn't given to the sink yet. @type {Uint8Array[]} */
  #pieces = [];
  #piecesBytes = 0;
  #ended = false;
  #work = Promise.resolve();

  /** @param {import('./file-way.js').WayOptions & {attempt: () => number}} options attempt gives a new number */
  constructor({ attempt, ...options }) {
    super(options);
    this.#attempt = attempt;
  }

  /** @param {import('./file-sinks.js').Sink} sink */
  take(sink) {
    if (this.way.state !== 'offered' || this.#sink) {
      void sink.abort();
      return;
    }
    this.#sink = sink;
    this.become('coming');
    this.#work = this.#work.then(async () => {
      try {
        this.#sha = await Sha256.load();
      } catch {
        this.#end('failed', 'unreadable');
        return;
      }
      if (this.open) this.#ask();
    });
  }

  /** On a new channel: from where the former one broke off. */
  resume() {
    if (this.#sha && this.open && !this.#ended) this.#ask();
  }

  /** The sender doesn't know what became of it. */
  offeredAgain() {
    const { state, why } = this.way;
    if (state === 'done') this.say('done');
    else if (!this.open) this.say('stop', { why: state === 'refused' ? 'refused' : why });
  }

  /** @param {Uint8Array} bytes */
  piece(bytes) {
    if (!this.#sha || this.#ended) return;
    const ahead = this.#came - this.#written + bytes.length;
    if (this.#came + bytes.length > this.share.size || ahead > WINDOW_BYTES + PIECE_BYTES_MAX) {
      this.#end('failed', 'too-much');
      return;
    }
    this.#came += bytes.length;
    this.#sha.update(bytes);
    this.#pieces.push(bytes);
    this.#piecesBytes += bytes.length;
    if (this.#piecesBytes >= (this.member.way ? WRITE_CARRIED_BYTES : WRITE_BYTES)) this.#flush();
  }

  /** @param {string} hash the sender's, of the whole */
  end(hash) {
    if (!this.#sha || this.#ended) return;
    this.#ended = true;
    if (this.#came !== this.share.size || this.#sha.digest() !== hash) {
      this.#end('failed', 'hash');
      return;
    }
    this.#flush();
    this.#work = this.#work.then(() => this.#close());
  }

  /** Refuse it, or cancel it. */
  stop() {
    if (!this.open) return;
    const refused = this.way.state === 'offered';
    this.#end(refused ? 'refused' : 'stopped', refused ? 'refused' : '');
  }

  /** @param {unknown} why the sender's word */
  stopped(why) {
    if (!this.open) return;
    if (why === 'unreadable') this.#over('failed', 'unreadable');
    else this.#over('stopped');
  }

  gone() {
    if (this.open) this.#over('failed', 'gone');
  }

  #ask() {
    // A new way asks again.
    if (!this.fits) return;
    this.n = this.#attempt();
    // The channel has to be there before the first piece comes.
    this.bulk();
    this.say('take', { n: this.n, at: this.#came });
  }

  #flush() {
    const bytes = new Uint8Array(this.#piecesBytes);
    let at = 0;
    for (const piece of this.#pieces.splice(0)) {
      bytes.set(piece, at);
      at += piece.length;
    }
    this.#piecesBytes = 0;
    if (at > 0) this.#work = this.#work.then(() => this.#write(bytes));
  }

  /** @param {Uint8Array} bytes */
  async #write(bytes) {
    if (!this.open) return;
    try {
      await this.#sink?.write(bytes);
    } catch {
      if (this.open) this.#end('failed', 'space');
      return;
    }
    this.#written += bytes.length;
    this.way.done = this.#written;
    if (this.open) this.say('ack', { n: this.n, at: this.#written });
  }

  async #close() {
    if (!this.open) return;
    try {
      this.share.file = await this.#sink?.close() ?? null;
    } catch {
      if (this.open) this.#end('failed', 'space');
      return;
    }
    this.#sink = null;
    if (!this.open) return;
    this.way.done = this.share.size;
    this.become('done');
    this.say('done');
  }

  /**
   * @param {'failed' | 'stopped' | 'refused'} state
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
    this.#pieces = [];
    this.#piecesBytes = 0;
    const sink = this.#sink;
    this.#sink = null;
    // A write may be under way, and another begins behind it only while this is open.
    if (sink) void this.#work.then(() => sink.abort()).catch(() => {});
    this.become(state, why);
  }
}

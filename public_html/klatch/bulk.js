/* bulk: a channel for files. Pieces bear the number of their attempt in front; the channel
 * is kept nearly empty, so that what is said beside it doesn't stand in a queue. */

/** Sending pauses above, goes on below. A quarter of a second at 8 Mbit/s. */
const BUFFERED_BYTES_MAX = 256 * 1024;
const BUFFERED_BYTES_LOW = 64 * 1024;
const NUMBER_BYTES = 4;
/** In every browser's largest message; larger pieces would hold text up. */
export const PIECE_BYTES_MAX = 32 * 1024;
const END_CHARACTERS_MAX = 200;

export class Bulk {
  #waiting = new Set();
  #closed = false;

  /**
   * @param {RTCDataChannel} channel
   * @param {{piece: (n: number, bytes: Uint8Array) => void, end: (n: number, hash: string) => void}} to
   */
  constructor(channel, to) {
    this.channel = channel;
    channel.binaryType = 'arraybuffer';
    channel.bufferedAmountLowThreshold = BUFFERED_BYTES_LOW;
    for (const type of ['open', 'bufferedamountlow', 'close']) channel.addEventListener(type, () => this.#wake());
    channel.addEventListener('message', ({ data }) => {
      if (this.#closed) return;
      if (typeof data === 'string') this.#text(data, to.end);
      else if (data instanceof ArrayBuffer) this.#bytes(data, to.piece);
    });
  }

  /**
   * @param {number} n
   * @param {Uint8Array} bytes at most PIECE_BYTES_MAX
   * @returns {Promise<void>} when there is place for the next
   * @throws when the channel is closed
   */
  async piece(n, bytes) {
    const whole = new Uint8Array(NUMBER_BYTES + bytes.length);
    new DataView(whole.buffer).setUint32(0, n);
    whole.set(bytes, NUMBER_BYTES);
    await this.#room();
    this.channel.send(whole);
  }

  /**
   * @param {number} n
   * @param {string} hash
   */
  async end(n, hash) {
    await this.#room();
    this.channel.send(JSON.stringify({ t: 'end', n, hash }));
  }

  close() {
    this.#closed = true;
    this.#wake();
  }

  /** Wait until the channel is open and nearly empty. */
  async #room() {
    while (!this.#closed && (this.channel.readyState === 'connecting'
      || (this.channel.readyState === 'open' && this.channel.bufferedAmount > BUFFERED_BYTES_MAX))) {
      await new Promise((resolve) => {
        this.#waiting.add(resolve);
      });
    }
    if (this.#closed || this.channel.readyState !== 'open') throw new Error('the channel is closed');
  }

  #wake() {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }

  /**
   * @param {ArrayBuffer} data
   * @param {(n: number, bytes: Uint8Array) => void} to
   */
  #bytes(data, to) {
    if (data.byteLength <= NUMBER_BYTES || data.byteLength > NUMBER_BYTES + PIECE_BYTES_MAX) return;
    to(new DataView(data).getUint32(0), new Uint8Array(data, NUMBER_BYTES));
  }

  /**
   * @param {string} text
   * @param {(n: number, hash: string) => void} to
   */
  #text(text, to) {
    if (text.length > END_CHARACTERS_MAX) return;
    try {
      const { t, n, hash } = JSON.parse(text);
      if (t === 'end' && typeof n === 'number' && typeof hash === 'string') to(n, hash);
    } catch {
      // Not ours.
    }
  }
}

/* file-pair: two people's Files over a wire that can be cut and mended, without a room. */

import './browserish.mjs';
import { Files } from '../../../public_html/klatch/files.js';

const LATENCY_MS = 1;

class FakeBulk extends EventTarget {
  readyState = 'connecting';
  bufferedAmount = 0;
  bufferedAmountLowThreshold = 0;

  constructor(wire, end) {
    super();
    this.wire = wire;
    this.end = end;
    setTimeout(() => {
      if (this.readyState !== 'connecting') return;
      this.readyState = 'open';
      this.dispatchEvent(new Event('open'));
    }, LATENCY_MS);
  }

  send(data) {
    if (this.readyState !== 'open') throw new Error('InvalidStateError');
    const bytes = data.length;
    const copy = typeof data === 'string' ? data : data.slice().buffer;
    this.bufferedAmount += bytes;
    this.wire.bufferedMax = Math.max(this.wire.bufferedMax, this.bufferedAmount);
    this.wire.later(() => {
      const before = this.bufferedAmount;
      this.bufferedAmount -= bytes;
      const low = this.bufferedAmountLowThreshold;
      if (before > low && this.bufferedAmount <= low) this.dispatchEvent(new Event('bufferedamountlow'));
      this.wire.bytes += bytes;
      const other = this.end.other.channel;
      if (other?.readyState === 'open') other.dispatchEvent(Object.assign(new Event('message'), { data: copy }));
    });
  }

  fail() {
    this.readyState = 'closed';
    this.dispatchEvent(new Event('close'));
  }
}

/** One end: the person's own Files, and the member that stands for the other person. */
class End {
  channel = null;
  seen = [];

  constructor(wire, name, other) {
    this.wire = wire;
    this.person = { name: other };
    this.name = name;
    const end = this;
    this.member = {
      person: this.person,
      instance: `page-${other}`,
      get reached() { return wire.up; },
      get bulk() {
        if (!wire.up) return null;
        end.channel ??= new FakeBulk(wire, end);
        return end.channel;
      },
      say(value) {
        if (!wire.up) return false;
        end.said.push(value);
        const copy = JSON.parse(JSON.stringify(value));
        wire.later(() => end.other.files.heard(end.other.member, copy));
        return true;
      },
    };
    this.said = [];
    this.files = new Files({
      members: () => [this.member],
      emit: (_type, { share }) => {
        if (!this.seen.includes(share)) this.seen.push(share);
      },
    });
  }
}

export class FilePair {
  up = true;
  bytes = 0;
  bufferedMax = 0;
  #queue = [];
  #running = false;

  constructor(t) {
    this.ann = new End(this, 'Ann', 'Bo');
    this.bo = new End(this, 'Bo', 'Ann');
    this.ann.other = this.bo;
    this.bo.other = this.ann;
    t.after(() => {
      this.ann.files.close();
      this.bo.files.close();
    });
  }

  /** In order, and not at all when the wire is cut before. */
  later(work) {
    this.#queue.push(work);
    if (this.#running) return;
    this.#running = true;
    const turn = () => {
      for (const one of this.#queue.splice(0, 8)) one();
      this.#running = this.#queue.length > 0;
      if (this.#running) setTimeout(turn, 0);
    };
    setTimeout(turn, LATENCY_MS);
  }

  cut() {
    this.up = false;
    this.#queue = [];
    for (const end of [this.ann, this.bo]) {
      end.channel?.fail();
      end.channel = null;
    }
  }

  mend() {
    this.up = true;
    for (const end of [this.ann, this.bo]) end.files.opened(end.member);
  }
}

/** A sink that remembers, and can be slow or full. */
export class FakeSink {
  bytes = [];
  closed = false;
  aborted = false;
  inMemoryMax = 0;

  constructor({ slowMs = 0, fullAfter = Infinity, stuck = false } = {}) {
    Object.assign(this, { slowMs, fullAfter, stuck });
  }

  get size() {
    return this.bytes.reduce((sum, { length }) => sum + length, 0);
  }

  async write(bytes) {
    if (this.stuck) await new Promise(() => {});
    if (this.slowMs) await new Promise((resolve) => setTimeout(resolve, this.slowMs));
    if (this.size + bytes.length > this.fullAfter) throw new Error('QuotaExceededError');
    this.bytes.push(bytes);
  }

  async close() {
    this.closed = true;
    return null;
  }

  async abort() {
    this.aborted = true;
  }
}

/** A file of `size` bytes that differ, without holding a File of Node's. */
export function fakeFile(size, name = 'plan.pdf', type = 'application/pdf') {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at += 1) bytes[at] = (at * 2654435761) >>> 24;
  const file = { name, type, size, bytes, largest: 0, slice(from, to) {
    file.largest = Math.max(file.largest, to - from);
    return { arrayBuffer: async () => bytes.slice(from, to).buffer };
  } };
  return file;
}

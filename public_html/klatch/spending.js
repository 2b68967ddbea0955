/* spending: measures, decides and tells who gets how much of the budget.
 * allot.js decides, rate.js and stats.js measure, wants.js tells the others in which
 * sizes they are shown here. Loaded by budget.js when there is somebody. */

import { Effort, Rate } from './rate.js';
import { Meter } from './stats.js';
import { Stillness } from './stillness.js';
import { Wants } from './wants.js';
import { SOUND_BITS, STILL_MS, allot, sizeFor } from './allot.js';
import { shape } from './shape.js';

/** @typedef {import('./member.js').Member} Member */
/** @typedef {import('./member.js').Person} Person */
/** @typedef {import('./stats.js').Reading} Reading */
/** @typedef {import('./allot.js').Quality} Quality */
/** @typedef {import('./allot.js').Share} Share */
/** @typedef {import('./allot.js').Shares} Shares */
/** @typedef {import('./budget.js').Around} Around */
/** @typedef {import('./budget.js').Sample} Sample */
/** @typedef {import('./budget.js').View} View */

const TICK_MS = 1_000;
/** Readings while nobody looks at them. */
const READ_MS = 2_000;
const ASK_MS = 4_000;
/** Some minutes, for plots. */
const SAMPLES_MAX = 300;
const VIEWS_MAX = 64;
/** Opus; the rest of what a person's sound may take is headers. */
const OPUS_BITS = 40_000;
/** So much less than it was given, and so much of that used: an encoder that is held back. */
const HELD = 0.9;
const USED = 0.7;
/** A picture needs this long to come up after a change. */
const SETTLE_MS = 3_000;
/** @type {Readonly<Record<Quality, number>>} the largest size asked of others */
const SIZE_MOST = Object.freeze({ normal: 4, saving: 2, sound: 0 });

/**
 * @typedef {object} Known about one member
 * @property {Meter} meter
 * @property {Reading | null} reading
 * @property {Stillness} stillness of their camera's picture here
 * @property {string} seen the track that such a picture came as
 * @property {{n: number, size: number, screen: number}} want
 * @property {Shares | null} shares
 * @property {number} changedMs
 * @property {View[]} views
 * @property {Sample[]} samples
 */

export class Spending {
  #around;
  #rate;
  #effort = new Effort();
  /** Whether the processor couldn't keep up at some time. */
  #strained = false;
  /** @type {Wants<Member>} */
  #wants = new Wants();
  /** @type {Map<Member, Known>} */
  #known = new Map();
  #wanted = 0;
  #readMs = 0;
  #askedMs = 0;
  #reading = false;
  #planned = false;
  #timer;

  /** @param {Around} around */
  constructor(around) {
    this.#around = around;
    this.#rate = new Rate(around.bits);
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  close() {
    clearInterval(this.#timer);
  }

  /** The person chose another quality. */
  chosen() {
    this.#tellWants();
    this.plan();
  }

  /**
   * @param {Person} person
   * @param {{camera?: number, screen?: number}} heights
   */
  show(person, { camera, screen }) {
    const member = this.#around.members().find((one) => one.person === person);
    if (!member) return;
    this.#wants.set(member, {
      ...(camera === undefined ? {} : { size: sizeFor(camera) }),
      ...(screen === undefined ? {} : { screen: sizeFor(screen) }),
    }, Date.now());
    this.#tellWants();
  }

  /** @param {Member} member whose channel is open */
  opened(member) {
    this.#wants.again(member);
    // It may be another page of theirs, which counts anew.
    this.#of(member).want.n = 0;
    this.#tellWants();
    this.#tellSent(member);
    this.plan();
  }

  /** @param {Member} member */
  forget(member) {
    this.#wants.forget(member);
    this.#known.delete(member);
    this.plan();
  }

  /**
   * @param {Member} member
   * @param {Record<string, any>} value what came over their channel
   */
  heard(member, value) {
    if (value.t === 'want') this.#asked(member, value);
    if (value.t === 'sends') this.#told(member, value);
    if (value.t === 'view?') this.#answer(member);
    if (value.t === 'view') this.#of(member).views = viewsOf(value.links);
  }

  /** Work out anew who gets what, at the end of this turn. */
  plan() {
    if (this.#planned) return;
    this.#planned = true;
    queueMicrotask(() => {
      this.#planned = false;
      this.#plan();
    });
  }

  /** @returns {Map<Person, View[]>} */
  get views() {
    return new Map([...this.#known].map(([{ person }, { views }]) => [person, views]));
  }

  /** @returns {Map<Person, Sample[]>} */
  get samples() {
    return new Map([...this.#known].map(([{ person }, { samples }]) => [person, samples]));
  }

  /** @returns {Map<Person, Shares>} */
  get shares() {
    return new Map([...this.#known].flatMap(([{ person }, { shares }]) => (shares ? [[person, shares]] : [])));
  }

  get bits() {
    return this.#rate.bits;
  }

  /** @param {Member} member */
  #of(member) {
    const known = this.#known.get(member);
    if (known) return known;
    /** @type {Known} */
    const fresh = { meter: new Meter(), reading: null, stillness: new Stillness(), seen: '', want: { n: 0, size: 4, screen: 4 }, shares: null, changedMs: 0, views: [], samples: [] };
    this.#known.set(member, fresh);
    return fresh;
  }

  /**
   * @param {Member} member
   * @param {Record<string, any>} value
   */
  #asked(member, { n, size, screen }) {
    const { want } = this.#of(member);
    if (!Number.isInteger(n) || n <= want.n || !isSize(size) || !isSize(screen)) return;
    Object.assign(want, { n, size, screen });
    this.plan();
  }

  /**
   * @param {Member} member
   * @param {Record<string, any>} value
   */
  #told(member, { picture, why }) {
    if (!['moving', 'still', 'none'].includes(picture)) return;
    member.person.picture = picture;
    member.person.why = why === 'choice' || why === 'bits' ? why : 'asked';
    this.#around.emit('told', { person: member.person });
  }

  #tellWants() {
    for (const [member, want] of this.#wants.due(Date.now(), SIZE_MOST[this.#around.quality()])) {
      if (!member.say({ t: 'want', ...want })) this.#wants.again(member);
    }
  }

  /** @param {Member} member */
  #tellSent(member) {
    const camera = this.#known.get(member)?.shares?.camera;
    if (camera) member.say({ t: 'sends', picture: camera.picture, why: camera.why });
  }

  /** @param {Member} member who wants to know how we fare with the others */
  #answer(member) {
    const links = this.#around.members().slice(0, VIEWS_MAX).map((other) => {
      const { lossUp = null, rttMs = null } = this.#known.get(other)?.reading ?? {};
      return { id: other.id, state: other.person.state, loss: lossUp, rttMs: rttMs === null ? null : Math.round(rttMs) };
    });
    member.say({ t: 'view', links });
  }

  #plan() {
    // Who isn't connected yet is counted: their share is there when they are.
    const members = this.#around.members().filter(({ person }) => person.state !== 'no-path' && person.state !== 'away');
    const byKey = new Map(members.map((member) => [member.id, member]));
    const people = members.map((member) => {
      const { want, shares } = this.#of(member);
      const off = shares !== null && shares.camera.why === 'bits' && shares.camera.picture !== 'moving';
      return { key: member.id, size: want.size, screen: want.screen, bitsMax: this.#rate.bitsMax(member.id), off };
    });
    const { shares, wanted } = allot({
      people, bits: this.#rate.bits, effort: this.#effort.part, quality: this.#around.quality(), ...this.#around.sources(),
    });
    this.#wanted = wanted;
    for (const [key, share] of shares) this.#give(/** @type {Member} */ (byKey.get(key)), share);
  }

  /**
   * @param {Member} member
   * @param {Shares} shares
   */
  #give(member, shares) {
    const known = this.#of(member);
    const before = known.shares;
    known.shares = shares;
    const { camera } = shares;
    if (before?.camera.picture !== camera.picture || before.camera.height !== camera.height) known.changedMs = Date.now();
    this.#apply(member);
    if (before && before.camera.picture === camera.picture && before.camera.why === camera.why) return;
    this.#tellSent(member);
    // Nothing is wrong with who doesn't look, nor with what the person chose.
    const lacks = (/** @type {Share | undefined} */ share) => share?.why === 'bits' && share.picture !== 'moving';
    if (before?.camera.picture !== camera.picture && (lacks(camera) || (lacks(before?.camera) && camera.picture === 'moving'))) {
      this.#around.emit('sending', { person: member.person, picture: camera.picture });
    }
  }

  /** @param {Member} member */
  #apply(member) {
    const { shares } = this.#of(member);
    if (!shares) return;
    const { camera, screen } = shares;
    const active = (/** @type {Share} */ { picture }) => picture === 'moving' || (picture === 'still' && isStillTime(nowMs));
    const nowMs = Date.now();
    // A mesh encodes once for each connection: only the one of a call of two may take more work.
    const rich = !this.#strained && this.#around.members().length === 1;
    member.limit({
      audio: { active: true, bits: OPUS_BITS },
      video: { active: active(camera), bits: camera.bits, height: camera.height, fps: camera.fps, rich },
      screen: { active: active(screen), bits: screen.bits, height: screen.height, fps: screen.fps, sharp: true },
      shape,
    });
  }

  #tick() {
    this.#tellWants();
    for (const [member, { shares }] of this.#known) if (shares?.camera.picture === 'still') this.#apply(member);
    const nowMs = Date.now();
    if (this.#around.watched() && nowMs - this.#askedMs >= ASK_MS) {
      this.#askedMs = nowMs;
      for (const member of this.#around.members()) member.say({ t: 'view?' });
    }
    if (this.#around.watched() || nowMs - this.#readMs >= READ_MS - TICK_MS / 2) void this.#read();
  }

  async #read() {
    if (this.#reading) return;
    this.#reading = true;
    this.#readMs = Date.now();
    try {
      await Promise.all(this.#around.members().map(async (member) => {
        const report = await member.report();
        const known = this.#known.get(member);
        if (!known) return;
        known.reading = report && known.meter.read(report);
        if (known.reading) remember(known.samples, known.reading);
        this.#watchPicture(member, known);
      }));
    } finally {
      this.#reading = false;
    }
    this.#judge(Date.now());
    /** @type {Map<Person, Reading>} */
    const readings = new Map();
    for (const [{ person }, { reading }] of this.#known) if (reading) readings.set(person, reading);
    if (this.#around.watched()) this.#around.emit('readings', readings);
  }

  /**
   * @param {Member} member
   * @param {Known} known
   */
  #watchPicture({ person, connected }, known) {
    const track = person.stream?.getVideoTracks()[0]?.id ?? '';
    const picture = known.reading?.receives.find((one) => one.track === track && one.height > 0);
    if (picture) known.seen = track;
    const moves = connected && person.cam && person.picture === 'moving';
    // Firefox leaves out what nothing comes in of.
    const frozen = known.stillness.read(Date.now(), moves && track !== '' && known.seen === track ? picture?.fps ?? 0 : null);
    if (frozen === person.frozen) return;
    person.frozen = frozen;
    this.#around.emit('told', { person });
  }

  /** @param {number} nowMs */
  #judge(nowMs) {
    const read = [...this.#known].filter(([member, { reading }]) => member.connected && reading);
    this.#rate.update(nowMs, read.map(([{ id }, { reading, shares, changedMs }]) => {
      const { lossUp, rttMs, rttNew, up, sends } = /** @type {Reading} */ (reading);
      const settled = shares?.camera.picture === 'moving' && nowMs - changedMs >= SETTLE_MS;
      return {
        key: id, loss: lossUp, rttMs: rttNew ? rttMs : null, up,
        given: SOUND_BITS + (shares?.camera.bits ?? 0) + (shares?.screen.bits ?? 0),
        held: settled && isHeld(sends, shares.camera.bits + shares.screen.bits),
      };
    }), this.#wanted);
    this.#effort.update(nowMs, read.flatMap(([, { reading, shares, changedMs }]) => {
      if (shares?.camera.picture !== 'moving' || nowMs - changedMs < SETTLE_MS) return [];
      const stream = reading?.sends.find(({ kind, height }) => kind === 'video' && height <= shares.camera.height);
      if (!stream) return [];
      const { source = null, fps, busy = 0, limitedBy = 'none' } = stream;
      const held = isHeld(reading?.sends ?? [], shares.camera.bits + shares.screen.bits);
      return [{ asked: shares.camera.fps, source, fps, busy, limitedBy: held ? 'bandwidth' : limitedBy }];
    }));
    if (this.#effort.part < 1) this.#strained = true;
    this.plan();
  }
}

/**
 * @param {Sample[]} samples
 * @param {Reading} reading
 */
function remember(samples, { up, down, rttMs, lossUp, lossDown }) {
  const loss = lossUp === null && lossDown === null ? null : Math.max(lossUp ?? 0, lossDown ?? 0);
  samples.push({ atMs: Date.now(), up, down, rttMs, loss });
  if (samples.length > SAMPLES_MAX) samples.shift();
}

/**
 * Whether the browser holds pictures back for the line's sake. One that is small already is
 * only made less often, and no reason is told: then it shows in that the encoder may make
 * less than we allow, and makes that.
 * @param {import('./stats.js').Stream[]} sends
 * @param {number} given bits a second, for all pictures
 */
function isHeld(sends, given) {
  const pictures = sends.filter(({ kind }) => kind === 'video');
  if (pictures.some(({ limitedBy }) => limitedBy === 'bandwidth')) return true;
  const sum = (/** @type {'target' | 'bits'} */ field) => pictures.reduce((all, stream) => all + (stream[field] ?? 0), 0);
  const target = sum('target');
  return target > 0 && target < given * HELD && sum('bits') > target * USED;
}

/** Once in STILL_MS the picture is sent for a moment. @param {number} nowMs */
function isStillTime(nowMs) {
  return nowMs % STILL_MS < TICK_MS;
}

/** @param {unknown} size */
function isSize(size) {
  return Number.isInteger(size) && Number(size) >= 0 && Number(size) <= 4;
}

/**
 * Somebody else's words.
 * @param {unknown} links
 * @returns {View[]}
 */
function viewsOf(links) {
  if (!Array.isArray(links)) return [];
  const number = (/** @type {unknown} */ value) => (typeof value === 'number' && Number.isFinite(value) ? value : null);
  const text = (/** @type {unknown} */ value) => (typeof value === 'string' ? value : '');
  return links.slice(0, VIEWS_MAX).map((link) => ({
    id: text(link?.id), state: text(link?.state), loss: number(link?.loss), rttMs: number(link?.rttMs),
  }));
}

/* media: this person's microphone and camera as one MediaStream, and the screen as another.
 * The stream objects stay the same; their tracks come and go. Any number of rooms may
 * listen to them. Nothing here rejects for a device's sake: what can't be had is told
 * by a 'problem' event, since a call goes on without. A device that is lost gives way
 * to another of its kind, and gets its place back when it comes back. */

import { Emitter } from './events.js';
import { KlatchProblem } from './problem.js';
import { ScreenShare } from './screen.js';

/** @typedef {'audio' | 'video'} Kind */

/** @type {Kind[]} */
const KINDS = ['audio', 'video'];
const WANTED = {
  audio: { autoGainControl: true },
  video: { width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 20, max: 30 } },
};
/** @type {Record<string, string>} what getUserMedia's error names mean */
const CODES = {
  NotAllowedError: 'permission-denied',
  SecurityError: 'permission-denied',
  NotFoundError: 'no-device',
  OverconstrainedError: 'no-device',
  NotReadableError: 'device-busy',
  AbortError: 'device-busy',
};
const PERMISSIONS = { audio: 'microphone', video: 'camera' };

/**
 * @typedef {object} MediaEvents
 * @property {null} change the tracks, or what is on
 * @property {null} devices some were plugged in or out
 * @property {Switched} switched another device took a lost one's place, or that one is back
 * @property {KlatchProblem} problem
 */

/** @typedef {{kind: Kind, label: string, back: boolean}} Switched */
/** @typedef {{id: string, enabled: boolean, replaced: boolean}} Lost */

/** @extends {Emitter<MediaEvents>} */
export class Media extends Emitter {
  /** The local tracks; always the same object. */
  stream = new MediaStream();
  screen = new ScreenShare();
  #sound = { echoCancellation: true, noiseSuppression: true };
  #blurred = false;
  /** Devices that went away while they were on, until the person decides anew. @type {Map<Kind, Lost>} */
  #lost = new Map();
  /** @type {Record<Kind, string | null>} the devices chosen, null for the browser's choice */
  #chosen = { audio: null, video: null };
  /** One change after another: two at once would open a device twice. */
  #work = Promise.resolve();
  /** Counts closings, so that what arrives after one is given back. */
  #closings = 0;
  #watching = false;

  constructor() {
    super();
    this.screen.on('change', () => this.emit('change', null));
    this.screen.on('problem', ({ detail }) => this.emit('problem', detail));
  }

  get mic() {
    return this.#on('audio');
  }

  get cam() {
    return this.#on('video');
  }

  /**
   * Open microphone and camera. Resolves to what could be had, also to nothing.
   * @param {{audio?: boolean | string, video?: boolean | string}} [wanted] a string is a device's id
   * @returns {Promise<void>}
   */
  open({ audio = true, video = true } = {}) {
    return this.#next(async () => {
      this.#watch();
      this.#lost.clear();
      /** @type {Kind[]} */
      const kinds = [];
      for (const [kind, want] of /** @type {[Kind, boolean | string][]} */ ([['audio', audio], ['video', video]])) {
        if (typeof want === 'string') this.#chosen[kind] = want;
        if (want === false) this.#put(kind, null);
        else kinds.push(kind);
      }
      await this.#acquire(kinds);
    });
  }

  /**
   * Mute or unmute. A muted microphone stays open, so that it is back at once.
   * @param {boolean} on
   */
  setMic(on) {
    return this.#next(async () => {
      this.#lost.delete('audio');
      const track = this.#track('audio');
      if (track) track.enabled = on;
      else if (on) await this.#acquire(['audio']);
    });
  }

  /**
   * Off gives the camera back (its light goes out), on opens it again.
   * @param {boolean} on
   */
  setCam(on) {
    return this.#next(async () => {
      this.#lost.delete('video');
      if (!on) this.#put('video', null);
      else if (!this.#track('video')) await this.#acquire(['video']);
    });
  }

  /**
   * Choose other devices. One that is on is changed at once, one that is off when
   * it is turned on.
   * @param {{mic?: string, cam?: string}} ids
   */
  use({ mic, cam }) {
    return this.#next(async () => {
      /** @type {Kind[]} */
      const kinds = [];
      for (const [kind, id] of /** @type {[Kind, string | undefined][]} */ ([['audio', mic], ['video', cam]])) {
        if (id === undefined) continue;
        this.#chosen[kind] = id;
        this.#lost.delete(kind);
      }
      if (mic !== undefined && this.#track('audio')) kinds.push('audio');
      if (cam !== undefined && this.#track('video')) kinds.push('video');
      await this.#acquire(kinds);
    });
  }

  /** What is done to the microphone's sound. */
  get sound() {
    return { ...this.#sound };
  }

  /**
   * Voices want both; music sounds better without.
   * @param {{echoCancellation?: boolean, noiseSuppression?: boolean}} sound
   */
  setSound(sound) {
    return this.#next(async () => {
      this.#sound = { ...this.#sound, ...sound };
      if (this.#track('audio')) await this.#acquire(['audio']);
    });
  }

  /** Whether the background is blurred; null where browser and camera don't offer it. */
  get blur() {
    const track = this.#track('video');
    return track && canBlur(track) ? this.#blurred : null;
  }

  /** @param {boolean} on also for cameras that are opened later */
  setBlur(on) {
    return this.#next(async () => {
      this.#blurred = on;
      const track = this.#track('video');
      if (track) await blur(track, on);
    });
  }

  /**
   * Labels are the browser's once it gave permission, else numbers.
   * @returns {Promise<{mics: Device[], cams: Device[], speakers: Device[]}>}
   * @typedef {{id: string, label: string}} Device
   */
  async devices() {
    const all = (await mediaDevices()?.enumerateDevices().catch(() => [])) ?? [];
    const of = (/** @type {string} */ kind, /** @type {string} */ word) => all
      .filter((device) => device.kind === kind && device.deviceId !== '')
      .map((device, at) => ({ id: device.deviceId, label: device.label || `${word} ${at + 1}` }));
    return {
      mics: of('audioinput', 'Microphone'),
      cams: of('videoinput', 'Camera'),
      speakers: of('audiooutput', 'Speaker'),
    };
  }

  /** Give every device back. It can be opened again. */
  close() {
    this.#closings += 1;
    this.#lost.clear();
    this.screen.stop();
    this.#put('audio', null);
    this.#put('video', null);
    if (this.#watching) mediaDevices()?.removeEventListener('devicechange', this.#devicesChanged);
    this.#watching = false;
    this.emit('change', null);
  }

  #devicesChanged = () => {
    this.emit('devices', null);
    void this.#next(async () => {
      for (const kind of KINDS) {
        // Not every browser ends the track of a device that was pulled out with an event.
        if (this.#track(kind)?.readyState === 'ended') await this.#fallBack(kind);
        await this.#restore(kind);
      }
    });
  };

  #watch() {
    if (!this.#watching) mediaDevices()?.addEventListener('devicechange', this.#devicesChanged);
    this.#watching = true;
  }

  /** @param {Kind} kind */
  #on(kind) {
    const track = this.#track(kind);
    return track?.readyState === 'live' && track.enabled;
  }

  /**
   * @param {Kind} kind
   * @returns {MediaStreamTrack | undefined}
   */
  #track(kind) {
    return this.stream.getTracks().find((track) => track.kind === kind);
  }

  /**
   * @param {() => Promise<void>} step
   * @returns {Promise<void>}
   */
  #next(step) {
    const closings = this.#closings;
    this.#work = this.#work.catch(() => {}).then(async () => {
      // Closed since it was asked for.
      if (closings === this.#closings) await step();
      this.emit('change', null);
    });
    return this.#work;
  }

  /**
   * Put a track in the place of the one of its kind, as muted as that was.
   * @param {Kind} kind
   * @param {MediaStreamTrack | null} track
   */
  #put(kind, track) {
    const former = this.#track(kind);
    if (former) {
      if (track) track.enabled = former.enabled;
      this.stream.removeTrack(former);
      former.stop();
    }
    if (!track) return;
    this.stream.addTrack(track);
    track.addEventListener('ended', () => {
      // Not by our stop(), which makes no event: unplugged, or taken away in settings.
      if (this.#track(kind) === track) void this.#next(() => this.#fallBack(kind));
    });
    if (kind === 'video' && this.#blurred) void blur(track, true);
  }

  /**
   * The device is gone: another of its kind takes its place, as muted as that was.
   * @param {Kind} kind
   */
  async #fallBack(kind) {
    const former = this.#track(kind);
    if (former?.readyState !== 'ended') return;
    const id = former.getSettings?.().deviceId ?? this.#chosen[kind] ?? '';
    this.#chosen[kind] = null;
    const track = await this.#another(kind);
    if (this.#track(kind) !== former) {
      track?.stop();
      return;
    }
    // A device that was lost before this one is the one to come back to.
    const lost = this.#lost.get(kind) ?? { id, enabled: former.enabled };
    this.#lost.set(kind, { ...lost, replaced: track !== null });
    this.#put(kind, track);
    if (track) this.emit('switched', { kind, label: track.label, back: false });
    else this.#tell('device-lost', [kind]);
  }

  /**
   * A lost device may be back, or another may be there where there was none.
   * @param {Kind} kind
   */
  async #restore(kind) {
    const lost = this.#lost.get(kind);
    if (!lost) return;
    const { mics, cams } = await this.devices();
    const found = kind === 'audio' ? mics : cams;
    const same = found.some(({ id }) => id === lost.id);
    if (lost.replaced ? !same : found.length === 0) return;
    const former = this.#track(kind);
    const track = await this.#another(kind, same ? lost.id : null);
    if (!track || this.#track(kind) !== former || this.#lost.get(kind) !== lost) {
      track?.stop();
      return;
    }
    this.#lost.delete(kind);
    if (same) this.#chosen[kind] = lost.id;
    this.#put(kind, track);
    if (!former) track.enabled = lost.enabled;
    this.emit('switched', { kind, label: track.label, back: true });
  }

  /**
   * A track, without a word where there is none.
   * @param {Kind} kind
   * @param {string | null} [id] of this device, else the browser's choice
   * @returns {Promise<MediaStreamTrack | null>}
   */
  async #another(kind, id = null) {
    const closings = this.#closings;
    const wanted = this.#constraints([kind], id);
    const got = await mediaDevices()?.getUserMedia(wanted).catch(() => null);
    const track = got?.getTracks()[0] ?? null;
    if (closings === this.#closings) return track;
    track?.stop();
    return null;
  }

  /**
   * Ask for these kinds, together first, so that the person is asked once.
   * @param {Kind[]} kinds
   * @returns {Promise<void>}
   */
  async #acquire(kinds) {
    if (kinds.length === 0) return;
    const devices = mediaDevices();
    if (!devices?.getUserMedia) {
      this.#tell('insecure-context', kinds);
      return;
    }
    const closings = this.#closings;
    try {
      const got = await devices.getUserMedia(this.#constraints(kinds));
      for (const track of got.getTracks()) {
        if (closings !== this.#closings) track.stop();
        else this.#put(/** @type {Kind} */ (track.kind), track);
      }
    } catch (error) {
      const name = error instanceof Error ? error.name : '';
      const code = CODES[name] ?? 'device-busy';
      if (name === 'OverconstrainedError' && kinds.some((kind) => this.#chosen[kind] !== null)) {
        // The chosen device is gone: the browser's choice is better than none.
        for (const kind of kinds) this.#chosen[kind] = null;
        await this.#acquire(kinds);
      } else if (kinds.length === 1) {
        this.#tell(code, kinds);
      } else {
        await this.#acquireEach(kinds, code);
      }
    }
  }

  /**
   * Together it failed with `code`: have what can be had, without asking again for
   * what the person has just refused.
   * @param {Kind[]} kinds
   * @param {string} code
   */
  async #acquireEach(kinds, code) {
    if (code !== 'permission-denied') {
      for (const kind of kinds) await this.#acquire([kind]);
      return;
    }
    /** @type {Kind[]} */
    const refused = [];
    for (const kind of kinds) {
      if ((await permission(kind)) === 'granted') await this.#acquire([kind]);
      else refused.push(kind);
    }
    if (refused.length > 0) this.#tell(code, refused);
  }

  /**
   * @param {Kind[]} kinds
   * @param {string | null} [only] this device
   * @returns {MediaStreamConstraints}
   */
  #constraints(kinds, only = null) {
    const of = (/** @type {Kind} */ kind) => {
      const id = only ?? this.#chosen[kind];
      const wanted = kind === 'audio' ? { ...WANTED.audio, ...this.#sound } : WANTED.video;
      return id === null ? wanted : { ...wanted, deviceId: { exact: id } };
    };
    return Object.fromEntries(kinds.map((kind) => [kind, of(kind)]));
  }

  /**
   * @param {string} code
   * @param {Kind[]} kinds
   */
  #tell(code, kinds) {
    this.emit('problem', new KlatchProblem(code, { kind: kinds.length > 1 ? 'both' : kinds[0] }));
  }
}

/** @returns {MediaDevices | undefined} undefined in insecure contexts, whatever the types say */
function mediaDevices() {
  return globalThis.navigator?.mediaDevices;
}

/**
 * @param {Kind} kind
 * @returns {Promise<string>} 'granted', 'denied', 'prompt'
 */
async function permission(kind) {
  try {
    const name = /** @type {PermissionName} */ (PERMISSIONS[kind]);
    return (await navigator.permissions.query({ name })).state;
  } catch {
    return 'prompt'; // Not every browser tells.
  }
}

/**
 * @param {MediaStreamTrack} track of a camera
 * @returns {boolean} whether browser and system let pages choose; a system may also insist
 */
function canBlur(track) {
  const { backgroundBlur } = /** @type {{backgroundBlur?: boolean[]}} */ (track.getCapabilities?.() ?? {});
  return Array.isArray(backgroundBlur) && backgroundBlur.length > 1;
}

/**
 * @param {MediaStreamTrack} track
 * @param {boolean} on
 */
async function blur(track, on) {
  if (!canBlur(track)) return;
  await track.applyConstraints(/** @type {MediaTrackConstraints} */ ({ backgroundBlur: on })).catch(() => {});
}

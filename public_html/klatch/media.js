/* media: this person's microphone and camera as one MediaStream.
 * The stream object stays the same; its tracks come and go. Any number of rooms may
 * listen to it. Nothing here rejects for a device's sake: what can't be had is told
 * by a 'problem' event, since a call goes on without. */

import { Emitter } from './events.js';
import { KlatchProblem } from './problem.js';

/** @typedef {'audio' | 'video'} Kind */

const WANTED = {
  audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
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
 * @property {KlatchProblem} problem
 */

/** @extends {Emitter<MediaEvents>} */
export class Media extends Emitter {
  /** The local tracks; always the same object. */
  stream = new MediaStream();
  /** @type {Record<Kind, string | null>} the devices chosen, null for the browser's choice */
  #chosen = { audio: null, video: null };
  /** One change after another: two at once would open a device twice. */
  #work = Promise.resolve();
  /** Counts closings, so that what arrives after one is given back. */
  #closings = 0;
  #watching = false;

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
      if (mic !== undefined) this.#chosen.audio = mic;
      if (cam !== undefined) this.#chosen.video = cam;
      if (mic !== undefined && this.#track('audio')) kinds.push('audio');
      if (cam !== undefined && this.#track('video')) kinds.push('video');
      await this.#acquire(kinds);
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
    this.#put('audio', null);
    this.#put('video', null);
    if (this.#watching) mediaDevices()?.removeEventListener('devicechange', this.#devicesChanged);
    this.#watching = false;
    this.emit('change', null);
  }

  #devicesChanged = () => this.emit('devices', null);

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
      if (this.#track(kind) !== track) return;
      this.stream.removeTrack(track);
      this.#tell('device-lost', [kind]);
      this.emit('change', null);
    });
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
   * @returns {MediaStreamConstraints}
   */
  #constraints(kinds) {
    const of = (/** @type {Kind} */ kind) => {
      const id = this.#chosen[kind];
      return id === null ? WANTED[kind] : { ...WANTED[kind], deviceId: { exact: id } };
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

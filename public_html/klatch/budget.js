/* budget: sees to it that what goes out fits through the line and the processor.
 * Goals: sound never suffers for a picture; one person's slow line costs nobody else;
 * what is left out is told to whom it concerns. Only ever by setParameters: nothing is
 * negotiated. This is what pages see of it; spending.js does the work and is loaded when
 * there is somebody to send to. */

import { Emitter } from './events.js';
import { Later, loadPart } from './later.js';

/** @typedef {import('./member.js').Member} Member */
/** @typedef {import('./member.js').Person} Person */
/** @typedef {import('./problem.js').KlatchProblem} KlatchProblem */
/** @typedef {import('./stats.js').Reading} Reading */
/** @typedef {import('./allot.js').Quality} Quality */
/** @typedef {import('./allot.js').Share} Share */
/** @typedef {import('./allot.js').Shares} Shares */

/** What one sender may do; height is the most that its picture may have, 0 for as high as it is; rich
 * lets it take more work for fewer bits. */
/** @typedef {{active: boolean, bits: number, height?: number, fps?: number, sharp?: boolean, rich?: boolean}} Limit */
/** shape is what holds a sender to its limit; it comes with them, since it isn't needed before.
 * @typedef {{audio: Limit, video: Limit, screen: Limit, shape: typeof import('./shape.js').shape}} Limits */
/** How somebody else fares with one of the others. @typedef {{id: string, state: string, loss: number | null, rttMs: number | null}} View */

/**
 * @typedef {object} Sample of a connection at a moment
 * @property {number} atMs
 * @property {number} up bits a second
 * @property {number} down
 * @property {number | null} rttMs
 * @property {number | null} loss the worse of both ways, 0 to 1
 */

/** @type {Quality[]} */
const QUALITIES = ['normal', 'saving', 'sound'];
/** Before anything was measured. */
const BITS_START = 2_000_000;
const WORDS = ['want', 'sends', 'view?', 'view'];

/**
 * @typedef {object} BudgetEvents
 * @property {{person: Person, picture: Share['picture']}} sending what they get of the camera has changed for want of bits
 * @property {{person: Person}} told somebody said what they send us, or their picture stands still or moves again
 * @property {Map<Person, Reading>} readings while somebody watches
 */

/**
 * @typedef {object} Around what spending knows of the rest
 * @property {() => Member[]} members everybody else
 * @property {() => {camera: boolean, screen: boolean}} sources what is on here
 * @property {() => Quality} quality
 * @property {() => boolean} watched
 * @property {number} bits to begin with
 * @property {Emitter<BudgetEvents>['emit']} emit
 */

/** @extends {Emitter<BudgetEvents>} */
export class Budget extends Emitter {
  #members;
  /** @type {Later<import('./spending.js').Spending>} */
  #spending;
  /** @type {Quality} */
  #quality = 'normal';
  #watchers = 0;

  /**
   * @param {Pick<Around, 'members' | 'sources'> & {failed: (problem: KlatchProblem) => void}} options
   *   failed when it can't be loaded: then nothing is limited
   */
  constructor({ members, sources, failed }) {
    super();
    this.#members = members;
    this.#spending = new Later(async () => {
      const { Spending } = await loadPart(() => import('./spending.js'), 'spending');
      return new Spending({
        members, sources, bits: BITS_START, quality: () => this.#quality, watched: () => this.#watchers > 0,
        emit: this.emit.bind(this),
      });
    }, failed);
  }

  close() {
    this.#spending.close((spending) => spending.close());
  }

  /** @returns {Quality} */
  get quality() {
    return this.#quality;
  }

  set quality(quality) {
    if (!QUALITIES.includes(quality)) return;
    this.#quality = quality;
    this.#spending.tellIfWanted((spending) => spending.chosen());
  }

  /**
   * The page shows somebody so large now, in the screen's own pixels; 0 is not at all.
   * @param {Person} person
   * @param {{camera?: number, screen?: number}} heights
   */
  show(person, heights) {
    this.#spending.tell((spending) => spending.show(person, heights));
  }

  /** @param {Member} member whose channel is open */
  opened(member) {
    this.#spending.tell((spending) => spending.opened(member));
  }

  /** @param {Member} member */
  forget(member) {
    this.#spending.tellIfWanted((spending) => spending.forget(member));
  }

  /**
   * @param {Member} member
   * @param {Record<string, any>} value what came over their channel
   * @returns {boolean} whether it was for us
   */
  heard(member, value) {
    if (!WORDS.includes(value.t)) return false;
    this.#spending.tell((spending) => spending.heard(member, value));
    return true;
  }

  /** Work out anew who gets what, at the end of this turn. */
  plan() {
    if (this.#members().length > 0) this.#spending.tell((spending) => spending.plan());
  }

  /**
   * Measure each second, and ask the others how they fare with each other.
   * @param {(readings: Map<Person, Reading>) => void} listener
   * @returns {() => void} stops it
   */
  watch(listener) {
    this.#watchers += 1;
    this.#spending.open().catch(() => {});
    const off = this.on('readings', ({ detail }) => listener(detail));
    return () => {
      off();
      this.#watchers -= 1;
    };
  }

  /** What each of the others said about their connections. @returns {Map<Person, View[]>} */
  get views() {
    return this.#spending.part?.views ?? new Map();
  }

  /** Of the last minutes, oldest first. @returns {Map<Person, Sample[]>} */
  get samples() {
    return this.#spending.part?.samples ?? new Map();
  }

  /** What goes to each of the others. @returns {Map<Person, Shares>} */
  get shares() {
    return this.#spending.part?.shares ?? new Map();
  }

  /** Bits a second for everybody together. */
  get bits() {
    return this.#spending.part?.bits ?? BITS_START;
  }
}

/* file-way: what sending and receiving a file have in common: how far it is, how fast it
 * goes, and that it ends once. */

/** Of the speed that is shown, the newest part. */
const NEWEST = 0.3;

/** @typedef {import('./files.js').Share} Share */
/** @typedef {import('./files.js').State} State */
/** @typedef {import('./files.js').Way} Way */
/** @typedef {import('./member.js').Member} Member */

/**
 * @typedef {object} WayOptions
 * @property {Share} share
 * @property {Way} way what the page sees of it
 * @property {Member} member at the other end
 * @property {() => import('./bulk.js').Bulk | null} bulk the channel of the present connection
 * @property {() => void} changed
 */

export class FileWay {
  #changed;
  #doneBefore = 0;

  /** @param {WayOptions} options */
  constructor({ share, way, member, bulk, changed }) {
    this.share = share;
    this.way = way;
    this.member = member;
    this.bulk = bulk;
    this.#changed = changed;
  }

  /** Whether anything can still come of it. */
  get open() {
    const { state } = this.way;
    return state === 'offered' || state === 'coming' || state === 'waiting';
  }

  /** Whether the present way to the other end takes it. */
  get fits() {
    return fits(this.share, this.member);
  }

  /**
   * @param {State} state
   * @param {string} [why]
   */
  become(state, why = '') {
    if (state !== 'coming') this.way.speed = 0;
    if (this.way.state === state) return;
    Object.assign(this.way, { state, why });
    this.#changed();
  }

  /**
   * @param {number} ms since the last call
   * @returns {boolean} whether it is on its way
   */
  tick(ms) {
    const { way, member } = this;
    if (way.state !== 'coming' && way.state !== 'waiting') return false;
    const now = Math.max(0, way.done - this.#doneBefore) * (1000 / ms);
    this.#doneBefore = way.done;
    if (way.state === 'coming' && !(member.reached && this.fits)) this.become('waiting');
    else if (way.state === 'waiting' && now > 0) this.become('coming');
    if (way.state === 'coming') way.speed = way.speed === 0 ? now : way.speed + NEWEST * (now - way.speed);
    return true;
  }

  /**
   * @param {string} type
   * @param {object} [more]
   */
  say(type, more = {}) {
    this.member.say({ t: `file-${type}`, id: this.share.id, ...more });
  }
}

/**
 * @param {{size: number}} file
 * @param {Member} member
 * @returns {boolean} whether the way to that member takes it
 */
export function fits({ size }, { way }) {
  return size <= (way?.fileBytesMax ?? Infinity);
}

// What this browser remembers from one visit to the next: name, devices and data use. A browser that
// refuses storage remembers nothing, and nothing else changes.

/** @typedef {import('../klatch/allot.js').Quality} Quality */
/** @typedef {{name: string, mic: boolean, cam: boolean, micId: string, camId: string, quality: Quality}} Choices */

/** @type {readonly Quality[]} */
export const QUALITIES = Object.freeze(['normal', 'saving', 'sound']);

const KEY = 'klatch';

/** @type {Readonly<Choices>} */
const DEFAULTS = Object.freeze({ name: '', mic: true, cam: true, micId: '', camId: '', quality: 'normal' });

/** @returns {Choices} */
export function loadChoices() {
  try {
    const stored = JSON.parse(localStorage.getItem(KEY) ?? '{}');
    return {
      name: typeof stored.name === 'string' ? stored.name : DEFAULTS.name,
      mic: stored.mic !== false,
      cam: stored.cam !== false,
      micId: typeof stored.micId === 'string' ? stored.micId : DEFAULTS.micId,
      camId: typeof stored.camId === 'string' ? stored.camId : DEFAULTS.camId,
      quality: QUALITIES.includes(stored.quality) ? stored.quality : DEFAULTS.quality,
    };
  } catch {
    return { ...DEFAULTS };
  }
}

/** @param {Choices} choices */
export function saveChoices(choices) {
  try {
    localStorage.setItem(KEY, JSON.stringify(choices));
  } catch {
    // Storage is full or refused: the choices hold for this visit.
  }
}

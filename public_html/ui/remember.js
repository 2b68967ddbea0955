// What this browser remembers from one visit to the next: name, devices, data use, how to talk. A
// browser that refuses storage remembers nothing, and nothing else changes.

/** @typedef {import('../klatch/allot.js').Quality} Quality */

/**
 * @typedef {object} Choices
 * @property {string} name
 * @property {boolean} mic
 * @property {boolean} cam
 * @property {string} micId
 * @property {string} camId
 * @property {string} speakerId
 * @property {Quality} quality
 * @property {boolean} echo whether echoes are taken out of the microphone's sound
 * @property {boolean} noise whether noise is
 * @property {boolean} blur whether the background is blurred, where that is offered
 * @property {boolean} holdToTalk whether holding the space bar turns the microphone on
 * @property {boolean} spotlight whether who speaks is shown large
 */

/** @type {readonly Quality[]} */
export const QUALITIES = Object.freeze(['normal', 'saving', 'sound']);

const KEY = 'klatch';

/** @type {Readonly<Choices>} */
const DEFAULTS = Object.freeze({
  name: '', mic: true, cam: true, micId: '', camId: '', speakerId: '', quality: 'normal', echo: true, noise: true,
  blur: false, holdToTalk: false, spotlight: false,
});

/** @returns {Choices} */
export function loadChoices() {
  try {
    const stored = JSON.parse(localStorage.getItem(KEY) ?? '{}');
    const known = Object.entries(DEFAULTS).map(([key, value]) => [key, typeof stored[key] === typeof value ? stored[key] : value]);
    const choices = Object.fromEntries(known);
    return QUALITIES.includes(choices.quality) ? choices : { ...choices, quality: DEFAULTS.quality };
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

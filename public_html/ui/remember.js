// What this browser remembers from one visit to the next: name and devices. A browser that
// refuses storage remembers nothing, and nothing else changes.

/** @typedef {{name: string, mic: boolean, cam: boolean, micId: string, camId: string}} Choices */

const KEY = 'klatch';

/** @type {Readonly<Choices>} */
const DEFAULTS = Object.freeze({ name: '', mic: true, cam: true, micId: '', camId: '' });

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

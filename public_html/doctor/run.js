// One run of all checks: the order, what they share, progress, and the end by a stop.
import { Stopped } from './ask.js';

/**
 * What the checks know of each other's work. A check is `checks/NAME.js` with a function
 * `check(context, tell)` that returns its findings.
 * @typedef {object} Context
 * @property {string} base the page's folder
 * @property {AbortSignal} signal ends when somebody presses Stop
 * @property {string} adminKey empty: nobody gave it
 * @property {string | null} api the best entry point that answers, with /v1
 * @property {string | null} illApi one that says of itself that it can't work
 * @property {string | null} pollApi where requests wait
 * @property {any} health what it said
 * @property {boolean} silent nothing answers there
 * @property {{status: number, seconds?: number} | null} unexplained the program fails, and the answer doesn't say why
 * @property {any} facts what the program tells its owner
 * @property {string[]} told addresses of data and configuration, as the program told its owner
 * @property {any} joined the answer to joining the throw-away room
 * @property {Promise<void>} joining done or failed
 *
 * @typedef {(key: string, values?: import('./findings.js').Values) => void} Tell progress inside a check
 * @typedef {import('./findings.js').Finding} Finding
 * @typedef {(context: Context, tell: Tell) => Promise<Finding[]>} CheckFunction
 * @typedef {'waiting' | 'running' | 'done' | 'skipped'} State
 * @typedef {object} Check
 * @property {string} name
 * @property {string[]} after whose results it needs
 * @property {boolean} needsApi
 *
 * @typedef {{name: string, state: State, detail: {key: string, values?: import('./findings.js').Values} | null, findings: Finding[]}} Progress
 */

/** @type {readonly Check[]} */
export const CHECKS = Object.freeze([
  { name: 'place', after: [], needsApi: false },
  { name: 'program', after: ['place'], needsApi: false },
  { name: 'page', after: ['place'], needsApi: false },
  { name: 'files', after: ['place'], needsApi: false },
  { name: 'calls', after: ['place'], needsApi: true },
  { name: 'report', after: ['place'], needsApi: false },
  { name: 'data', after: ['report'], needsApi: false },
  { name: 'machines', after: ['place'], needsApi: true },
  { name: 'ice', after: ['place'], needsApi: true },
  { name: 'hold', after: ['place'], needsApi: true },
  { name: 'slots', after: ['hold', 'calls', 'ice', 'files', 'machines'], needsApi: true },
]);

/**
 * @param {{base: string, adminKey: string, signal: AbortSignal, changed: (all: Progress[]) => void}} options
 * @returns {Promise<{all: Progress[], context: Context}>} when all are through or stopped
 */
export async function runChecks({ base, adminKey, signal, changed }) {
  /** @type {Progress[]} */
  const all = CHECKS.map(({ name }) => ({ name, state: 'waiting', detail: null, findings: [] }));
  /** @type {Context} */
  const context = {
    base, adminKey, signal, api: null, illApi: null, pollApi: null, health: null, silent: false, unexplained: null, facts: null, told: [], joined: null,
    joining: Promise.resolve(),
  };
  /** @type {Map<string, Promise<void>>} */
  const ends = new Map();
  CHECKS.forEach((check, number) => {
    const progress = all[number];
    if (progress) ends.set(check.name, runOne(check, progress, context, ends, () => changed(all)));
  });
  await Promise.all(ends.values());
  return { all, context };
}

/**
 * @param {Check} check @param {Progress} progress @param {Context} context
 * @param {Map<string, Promise<void>>} ends @param {() => void} changed
 */
async function runOne(check, progress, context, ends, changed) {
  await Promise.all(check.after.map((name) => ends.get(name)));
  const set = (/** @type {Partial<Progress>} */ now) => {
    Object.assign(progress, now);
    changed();
  };
  if (context.signal.aborted || (check.needsApi && context.api === null)) {
    set({ state: 'skipped' });
    return;
  }
  set({ state: 'running' });
  const tell = (/** @type {string} */ key, /** @type {import('./findings.js').Values | undefined} */ values) => {
    set({ detail: { key, values } });
  };
  try {
    const { check: run } = await import(`./checks/${check.name}.js`).catch((cause) => {
      throw new Missing(`doctor/checks/${check.name}.js`, { cause });
    });
    set({ state: 'done', detail: null, findings: await run(context, tell) });
  } catch (error) {
    if (error instanceof Stopped) set({ state: 'skipped', detail: null });
    else set({ state: 'done', detail: null, findings: [itself(error, check.name)] });
  }
}

/** A file of the doctor that isn't there or is torn. */
class Missing extends Error {}

/** @param {unknown} error @param {string} name @returns {Finding} */
function itself(error, name) {
  if (!(error instanceof Missing)) console.error(error);
  return { code: 'K-SELF', values: { names: error instanceof Missing ? error.message : `doctor/checks/${name}.js (${error})` } };
}

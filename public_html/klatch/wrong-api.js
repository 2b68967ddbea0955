/* wrong-api: what is at the address that was given for the API, where joining found no Klatch of this
 * version there. Loaded then; it asks at most twice more, and says what to do. */

/** @typedef {import('./problem.js').KlatchProblem} KlatchProblem */

const PATIENCE_MS = 5_000;
const SUCH = 'Such an address ends like …/api/v1 or …/klatch.fcgi/v1.';

/**
 * @param {KlatchProblem | TypeError} problem how joining failed; a TypeError where the address is none
 * @param {import('./env.js').Environment} env
 * @param {string} api as it was given
 * @param {(code: string, more: {sentence: string, status: number, detail: string, retryMs: number, cause: unknown}) => KlatchProblem} make
 * @param {AbortSignal} [signal]
 * @returns {Promise<Error>} the same one where nothing better can be said
 */
export async function explain(problem, env, api, make, signal) {
  const base = String(api).replace(/\/+$/, '');
  const url = addressOf(base, env.base);
  const { status, detail, retryMs } = 'code' in problem ? problem : { status: 0, detail: '', retryMs: 0 };
  const say = (/** @type {string} */ code, /** @type {string} */ sentence) => (
    make(code, { sentence, status, detail, retryMs, cause: problem }));
  if (url === null) {
    return say('not-klatch', `"${base.slice(0, 100)}" is no address. Give the whole one of the API, with https://. ${SUCH}`);
  }
  if (!('code' in problem)) return problem;
  if (problem.code === 'network') {
    const answers = url.origin !== originOf(env.base) && await look(env, `${url.href}/health`, signal, 'no-cors') !== null;
    return answers ? say('origin-refused', `The server of ${url.origin} answers, but not to pages of ${originOf(env.base)}. `
      + 'Whoever runs it has to name that in "origins".') : problem;
  }
  if (isKlatch(await look(env, `${url.href}/health`, signal))) {
    return say('other-version', `The Klatch at ${url.href} is of a version that this page does not understand. Bring the older of the two up to date.`);
  }
  const first = new URL(`${url.href.replace(/\/v\d+$/, '')}/v1`).href;
  if (first !== url.href && isKlatch(await look(env, `${first}/health`, signal))) {
    return say('other-version', `Version 1 of Klatch's API, which this page speaks, is at ${first}. Give that address.`);
  }
  if (problem.code !== 'not-klatch') return problem;
  return say('not-klatch', `${foundAt(url.href, problem)} ${SUCH}`);
}

/**
 * @param {string} href
 * @param {KlatchProblem} problem
 */
function foundAt(href, { status, detail }) {
  if (status === 0 || (status >= 300 && status < 400)) return `${href} leads elsewhere. Give the address that it leads to.`;
  if (status === 404) return `There is nothing at ${href}. Check the address of the API.`;
  if (status >= 500) return `The server at ${href} has a fault (${status}). Try again in a moment, or look into its log.`;
  if (/html/i.test(detail)) return `A web page is at ${href}, not Klatch. Check the address of the API.`;
  return `Something other than Klatch is at ${href}. Check the address of the API.`;
}

/** @param {any} answer of /health */
function isKlatch(answer) {
  return typeof answer?.status === 'string' && typeof answer.version === 'string' && Array.isArray(answer.features);
}

/**
 * @param {import('./env.js').Environment} env
 * @param {string} url
 * @param {AbortSignal} [signal]
 * @param {RequestMode} [mode]
 * @returns {Promise<any>} its JSON; null where nothing answers, undefined where that is none
 */
async function look(env, url, signal, mode = 'cors') {
  const stop = new AbortController();
  const abort = () => stop.abort();
  const timer = setTimeout(abort, PATIENCE_MS);
  signal?.addEventListener('abort', abort, { once: true });
  try {
    const response = await env.fetch(url, { mode, redirect: mode === 'cors' ? 'manual' : 'follow', cache: 'no-store', credentials: 'omit',
      referrerPolicy: 'no-referrer', signal: stop.signal });
    return await response.json().catch(() => undefined);
  } catch {
    return null;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
}

/**
 * @param {string} api
 * @param {string | undefined} base
 * @returns {URL | null}
 */
function addressOf(api, base) {
  try {
    const url = new URL(api, base);
    return api !== '' && /^https?:$/.test(url.protocol) ? url : null;
  } catch {
    return null;
  }
}

/** @param {string | undefined} base */
function originOf(base) {
  return base ? new URL(base).origin : '';
}

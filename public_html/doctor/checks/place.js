// Where the program answers, and what answers in its place.
import { PLACES } from '../../ui/places.js';
import { ask, inParallel } from '../ask.js';

const PATIENCE_MS = 8000;
const HEAD_BYTES = 64;
/** A browser opens six connections to one site over HTTP/1.1. */
const AT_ONCE = 5;
const POLL_PLACE = 'cgi-bin/klatch-poll.fcgi/v1';

/** @typedef {import('../ask.js').Answer} Answer */
/** @typedef {import('../findings.js').Finding} Finding */

/** @type {import('../run.js').CheckFunction} */
export async function check(ctx) {
  /** @type {Map<string, Answer>} */
  const answers = new Map();
  // At the top of a site two of them are one.
  const places = [...PLACES, POLL_PLACE].filter((place, at, all) => all.findIndex((other) => (
    new URL(other, ctx.base).href === new URL(place, ctx.base).href)) === at);
  await inParallel(places, AT_ONCE, async (place) => {
    // A server that is silent at so many places is silent.
    if (answers.size >= AT_ONCE && [...answers.values()].every(({ status }) => status === 0)) return;
    answers.set(place, await ask(`${new URL(place, ctx.base).href}/health`, { signal: ctx.signal, timeoutMs: PATIENCE_MS }));
  });
  const best = PLACES.find((place) => isHealthy(answers.get(place)));
  if (best === undefined) return nothingAnswers(ctx, answers);
  ctx.api = new URL(best, ctx.base).href;
  ctx.health = answers.get(best)?.json;
  const pollsApart = isHealthy(answers.get(POLL_PLACE));
  ctx.pollApi = pollsApart && best.startsWith('cgi-bin/') ? new URL(POLL_PLACE, ctx.base).href : ctx.api;
  return answersAt(ctx, best, pollsApart);
}

/** @param {Answer | undefined} answer */
function isHealthy(answer) {
  return answer?.status === 200 && typeof answer.json?.version === 'string';
}

/** @param {import('../run.js').Context} ctx @param {string} best @param {boolean} pollsApart @returns {Finding[]} */
function answersAt(ctx, best, pollsApart) {
  const { version, mode } = ctx.health;
  /** @type {Finding[]} */
  const findings = [{ good: 'place', values: { place: best.replace(/\/v1$/, ''), version, how: mode ?? '' } }];
  if (best.includes('.cgi')) findings.push({ code: 'K-CGI-ONLY' });
  else if (ctx.health.process_per_poll === true && !pollsApart) findings.push({ code: 'K-POLL-ENTRY' });
  return findings;
}

/**
 * What is at the usual place beside the page says most.
 * @param {import('../run.js').Context} ctx @param {Map<string, Answer>} answers
 * @returns {Promise<Finding[]>}
 */
async function nothingAnswers(ctx, answers) {
  const [place, ill] = [...answers].find(([, { json }]) => typeof json?.code === 'string' && json.code !== 'not-found') ?? [];
  if (place && ill) {
    // Such a program still says what it sees of itself.
    ctx.illApi = new URL(place, ctx.base).href;
    return [{ code: 'K-STATE', values: { problem: ill.json.title ?? ill.json.code, detail: ill.json.detail ?? '' } }];
  }
  const short = answers.get('api/v1');
  if (short && (short.status === 0 || short.status >= 502)) return fromStatus(ctx, short);
  if (isProgram(await head(ctx, 'klatch.fcgi'))) return [{ code: 'K-HANDLER' }];
  const serverAnswers = [...answers.values()].some(({ status }) => status !== 0);
  for (const usual of ['cgi-bin/klatch.fcgi/v1', 'cgi-bin/klatch.cgi/v1']) {
    const answer = answers.get(usual);
    if (answer?.status === 0 && serverAnswers) {
      // A server may try for long to start a program that can't be started: the helper script may know why.
      ctx.unexplained = { status: 0, seconds: Math.round(answer.ms / 1000) };
      return [];
    }
    if (answer && answer.status !== 404) return fromStatus(ctx, answer);
  }
  ctx.unexplained = { status: 404 };
  return [];
}

/**
 * The first bytes of a file in cgi-bin, as the server delivers it.
 * @param {import('../run.js').Context} ctx @param {string} name
 */
function head(ctx, name) {
  return ask(new URL(`cgi-bin/${name}`, ctx.base).href, {
    signal: ctx.signal, timeoutMs: PATIENCE_MS, bytesMax: HEAD_BYTES, headers: { Range: `bytes=0-${HEAD_BYTES - 1}` },
  });
}

/** The file itself, by the beginning of every ELF program, not what it prints. @param {Answer} answer */
function isProgram({ status, bytes }) {
  return (status === 200 || status === 206) && [0x7f, 0x45, 0x4c, 0x46].every((byte, at) => bytes[at] === byte);
}

/** @param {import('../run.js').Context} ctx @param {Answer} answer @returns {Finding[]} */
function fromStatus(ctx, { status, ms }) {
  if (status === 0) {
    ctx.silent = true;
    return [{ code: 'K-SILENT', values: { seconds: Math.round(ms / 1000) } }];
  }
  if (status === 508) return [{ code: 'K-BUSY', values: { status } }];
  if ([502, 504, 522, 524].includes(status)) return [{ code: 'K-GATEWAY', values: { status } }];
  if (status < 400) return [{ code: 'K-ANSWER' }];
  // The helper script may know why.
  ctx.unexplained = { status };
  return [];
}

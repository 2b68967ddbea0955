// How long a request that waits survives. The longest rungs of the ladder start first, as many at a
// time as the budget allows; a rung below one that survived is known to survive.
import { post } from '../ask.js';

const RUNGS_S = [25, 20, 15, 10, 5, 1];
/** So that the whole takes little longer than the longest rung, and a small host isn't filled up. */
const AT_ONCE = 3;
/** Clocks and the network may take this off. */
const SLACK_MS = 250;
const LATE_MS = 2000;
/** A hold is drawn out by up to 10%, and the cut isn't the same each time. */
const SAFE_PART = 0.8;

/** @typedef {import('../findings.js').Finding} Finding */
/** @typedef {{rung: number, state: 'survived' | 'cut' | 'late' | 'lost' | 'refused', afterS: number, lateS: number}} Result */

/** @type {import('../run.js').CheckFunction} */
export async function check(ctx, tell) {
  /** @type {Result[]} */
  const results = [];
  const rest = [...RUNGS_S];
  const holdS = Math.max(1, Number(ctx.health?.hold_ms ?? 25_000) / 1000);
  const work = async () => {
    for (let rung = rest.shift(); rung !== undefined; rung = rest.shift()) {
      // Where answers are lost on their way nothing more is learnt.
      if (passedS(results) >= rung || results.some(({ state }) => state === 'lost')) continue;
      results.push(await climb(ctx, rung));
      tell('tell.hold', { seconds: RUNGS_S[0] ?? 0, passed: passedS(results) });
    }
  };
  const places = ctx.health?.process_per_poll ? Math.max(1, Math.min(AT_ONCE, Number(ctx.health.polls_max ?? AT_ONCE) - 1)) : AT_ONCE;
  tell('tell.hold', { seconds: RUNGS_S[0] ?? 0, passed: 0 });
  await Promise.all(Array.from({ length: places }, work));
  return judge(results, holdS);
}

/** @param {Result[]} results */
function passedS(results) {
  return Math.max(0, ...results.filter(({ state }) => state === 'survived' || state === 'late').map(({ rung }) => rung));
}

/** @param {import('../run.js').Context} ctx @param {number} rung @returns {Promise<Result>} */
async function climb(ctx, rung) {
  const ms = rung * 1000;
  const body = ctx.adminKey === '' ? { ms } : { ms, admin_key: ctx.adminKey };
  const answer = await post(`${ctx.pollApi}/doctor/hold`, body, { signal: ctx.signal, timeoutMs: ms + 8000, apart: true });
  const held = Number(answer.json?.held_ms ?? -1);
  const lateMs = answer.ms - held;
  const result = { rung, afterS: Math.round(answer.ms / 100) / 10, lateS: Math.round(lateMs / 100) / 10 };
  if (answer.status === 429 || (held >= 0 && answer.json?.retry_ms !== undefined)) return { ...result, state: 'refused' };
  // Long after its time it isn't cut: its answer is on the way, or was lost there.
  if (answer.status === 0 && answer.ms > ms + LATE_MS) return { ...result, lateS: Math.round(answer.ms / 1000) - rung, state: 'lost' };
  if (answer.status !== 200 || held < ms - SLACK_MS) return { ...result, state: 'cut' };
  return { ...result, state: lateMs > LATE_MS ? 'late' : 'survived' };
}

/** @param {Result[]} results @param {number} holdS @returns {Finding[]} */
function judge(results, holdS) {
  const passed = passedS(results);
  const cuts = results.filter(({ state, rung }) => state === 'cut' && rung > passed).map(({ afterS }) => afterS);
  // One that is late may have waited for its process to start; what holds answers back does it to all.
  const answered = results.filter(({ state }) => state === 'survived' || state === 'late' || state === 'lost');
  const late = Math.min(...answered.map(({ lateS }) => lateS));
  const refused = results.filter(({ state }) => state === 'refused').length;
  /** @type {Finding[]} */
  const findings = [];
  if (cuts.length > 0) findings.push(cutOff(Math.min(...cuts), passed, holdS));
  else if (passed > 0) findings.push({ good: 'hold', values: { seconds: passed } });
  if (answered.length > 0 && late * 1000 > LATE_MS) findings.push({ code: 'K-LATE', values: { late } });
  else if (passed > 0) findings.push({ good: 'late' });
  if (refused > 0 && passed < holdS && cuts.length === 0) findings.push({ code: 'K-BUDGET' });
  return findings;
}

/** @param {number} cut @param {number} passed @param {number} holdS @returns {Finding} */
function cutOff(cut, passed, holdS) {
  if (cut < 1 && passed === 0) return { code: 'K-HOLD-NONE', lines: { hold_ms: '0' } };
  const safe = Math.max(passed, Math.floor(cut * SAFE_PART));
  const values = { cut, hold: holdS };
  // What is set already fits.
  if (holdS <= safe) return { good: 'hold', values: { seconds: safe } };
  return { code: 'K-HOLD', values, lines: { hold_ms: String(safe * 1000) } };
}

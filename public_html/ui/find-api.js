// Where the room API is, seen from the page: behind a rewrite, or as a CGI beside it.
import { KlatchProblem } from '../klatch/index.js';

const PLACES = ['api/v1', 'cgi-bin/klatch.fcgi/v1', 'cgi-bin/klatch.cgi/v1'];
const PATIENCE_MS = 8000;

/**
 * The first place that answers a health request.
 * @param {string} base the page's address
 * @returns {Promise<string>}
 * @throws {KlatchProblem} `network` when nothing answers at all, `not-found` when no place
 *   knows of an API, `not-klatch` when something is there and it isn't Klatch, or not now
 */
export async function findApi(base) {
  const seen = [];
  for (const place of PLACES) {
    const api = new URL(place, base).href;
    const answer = await askHealth(api);
    if (answer === 'healthy') return api;
    seen.push(answer);
  }
  if (seen.includes('other')) throw new KlatchProblem('not-klatch', { transient: true });
  if (seen.includes('absent')) throw new KlatchProblem('not-found');
  throw new KlatchProblem('network', { transient: true });
}

/**
 * @param {string} api
 * @returns {Promise<'healthy' | 'other' | 'absent' | 'silent'>}
 */
async function askHealth(api) {
  let answer;
  try {
    answer = await fetch(`${api}/health`, { cache: 'no-store', signal: AbortSignal.timeout(PATIENCE_MS) });
  } catch {
    return 'silent';
  }
  const health = await answer.json().catch(() => null);
  if (answer.ok && typeof health?.version !== 'undefined') return 'healthy';
  return answer.status === 404 ? 'absent' : 'other';
}

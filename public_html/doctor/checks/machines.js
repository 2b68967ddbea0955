// How many machines answer under this address, and whether they share their data.
import { ask, inParallel } from '../ask.js';

const REQUESTS = 10;
const AT_ONCE = 5;

/** @type {import('../run.js').CheckFunction} */
export async function check(ctx) {
  /** @type {Record<'place' | 'host' | 'version', Set<string>>} */
  const seen = { place: new Set(), host: new Set(), version: new Set() };
  // Side by side and over two kinds of connections, so that the browser opens many.
  await inParallel(Array.from({ length: REQUESTS }, (_, number) => number), AT_ONCE, async (number) => {
    const { json } = await ask(`${ctx.api}/health`, { signal: ctx.signal, apart: number % 2 === 1 });
    for (const key of /** @type {const} */ (['place', 'host', 'version'])) {
      if (typeof json?.[key] === 'string' && json[key] !== '') seen[key].add(json[key]);
    }
  });
  /** @type {import('../findings.js').Finding[]} */
  const findings = [];
  if (seen.place.size > 1) findings.push({ code: 'K-MACHINES', values: { count: seen.place.size } });
  else if (seen.host.size > 1) findings.push({ code: 'K-HOSTS', values: { count: seen.host.size } });
  if (seen.version.size > 1) findings.push({ code: 'K-VERSIONS', values: { names: [...seen.version].sort().join(', ') } });
  return findings.length > 0 ? findings : [{ good: 'machines' }];
}

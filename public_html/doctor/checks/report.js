// What the program says of its data folder, its configuration and its limits.
import { post } from '../ask.js';
import { FINDINGS } from '../findings.js';

/** @type {import('../run.js').CheckFunction} */
export async function check(ctx) {
  const api = ctx.api ?? ctx.illApi;
  if (api === null) return [];
  const body = ctx.adminKey === '' ? {} : { admin_key: ctx.adminKey };
  const { status, json } = await post(`${api}/doctor/report`, body, ctx);
  if (status === 429) return [{ code: 'K-LIMIT' }];
  if (status === 403 && json?.code === 'not-permitted') return [{ code: 'K-KEY' }];
  if (!Array.isArray(json?.findings)) return [];
  ctx.facts = json.facts ?? null;
  ctx.told = [json.data_url, json.config_url].filter((address) => typeof address === 'string' && address.startsWith('/'));
  const findings = json.findings.filter((/** @type {any} */ one) => typeof one?.code === 'string').map(named);
  const grave = findings.some((/** @type {import('../findings.js').Found} */ { code }) => FINDINGS[code]?.level !== 'info');
  return grave ? findings : [{ good: 'report' }, ...findings];
}

/** @param {{code: string}} finding @returns {import('../findings.js').Found} */
function named({ code, ...values }) {
  return { code: `K-${code.toUpperCase()}`, values };
}

// Whether all that was uploaded is there, whole, unchanged, and of one version.
import { ask, inParallel, sha256 } from '../ask.js';

const AT_ONCE = 4;
const NAMES_SHOWN = 6;

/** @typedef {import('../findings.js').Finding} Finding */
/** @typedef {{path: string, bytes: number, sha256: string}} Entry */
/** @typedef {'K-FILES-MISSING' | 'K-FILES-CUT' | 'K-FILES-TEXT' | 'K-FILES-MIXED'} Fault */

/** @type {import('../run.js').CheckFunction} */
export async function check(ctx, tell) {
  const manifest = await ask(new URL('files.json', ctx.base).href, { signal: ctx.signal });
  const entries = entriesOf(manifest.json);
  if (manifest.status !== 200 || entries === null) return [{ code: 'K-MANIFEST' }];
  const { version } = manifest.json;
  const files = entries.filter(({ path }) => isDelivered(path));
  /** @type {Map<Fault, string[]>} */
  const faults = new Map();
  let done = 0;
  await inParallel(files, AT_ONCE, async (entry) => {
    const fault = await faultOf(ctx, entry);
    if (fault !== null) faults.set(fault, [...faults.get(fault) ?? [], entry.path]);
    done += 1;
    tell('tell.files', { done, all: files.length });
  });
  const findings = [...faults].map(([code, paths]) => ({ code, values: { count: paths.length, names: some(paths), version } }));
  const good = globalThis.crypto?.subtle ? 'files' : 'files.sizes';
  return [
    ...findings.length > 0 ? findings : [{ good, values: { count: files.length, version } }],
    ...versions(version, ctx.health?.version),
  ];
}

/** @param {any} manifest @returns {Entry[] | null} */
function entriesOf(manifest) {
  const { version, files } = manifest ?? {};
  if (typeof version !== 'string' || !Array.isArray(files) || files.length === 0) return null;
  const whole = files.every(({ path, bytes, sha256: hash }) => typeof path === 'string' && typeof bytes === 'number'
    && typeof hash === 'string' && !path.includes('..') && !/^[/\\]|:/.test(path));
  return whole ? files : null;
}

/**
 * The programs answer, and the web server refuses the rest of cgi-bin, and .htaccess. PHP is run where there is
 * PHP, and what people read (.md) isn't given away everywhere; no page needs either.
 * @param {string} path
 */
function isDelivered(path) {
  return !/^cgi(-bin)?\/|(^|\/)\.|\.(php|md)$/.test(path) && path !== 'files.json';
}

/** @param {string} page @param {unknown} program @returns {Finding[]} */
function versions(page, program) {
  if (typeof program !== 'string') return [];
  return page === program ? [{ good: 'version', values: { version: page } }] : [{ code: 'K-VERSION', values: { page, program } }];
}

/** @param {import('../run.js').Context} ctx @param {Entry} entry @returns {Promise<Fault | null>} */
async function faultOf(ctx, entry) {
  const address = entry.path.split('/').map(encodeURIComponent).join('/');
  const answer = await ask(new URL(address, ctx.base).href, { signal: ctx.signal });
  if (answer.status !== 200) return 'K-FILES-MISSING';
  const { bytes } = answer;
  const hash = await sha256(bytes);
  if (bytes.length === entry.bytes && (hash === null || hash === entry.sha256)) return null;
  const plain = withoutReturns(bytes);
  if (plain.length < bytes.length && plain.length === entry.bytes) return 'K-FILES-TEXT';
  if (answer.type === 'text/html' && !/\.html$/.test(entry.path)) return 'K-FILES-MISSING';
  return bytes.length < entry.bytes && endsAmidst(bytes, answer) ? 'K-FILES-CUT' : 'K-FILES-MIXED';
}

/** As it was before a text mode put a carriage return before each line's end. @param {Uint8Array} bytes */
function withoutReturns(bytes) {
  return bytes.filter((byte, at) => byte !== 13 || bytes[at + 1] !== 10);
}

/**
 * A cut file ends anywhere; a whole one of another version ends with its line.
 * @param {Uint8Array} bytes @param {import('../ask.js').Answer} answer
 */
function endsAmidst(bytes, { type }) {
  const isText = /^text\/|javascript|json|svg/.test(type);
  return bytes.length === 0 || !isText || bytes[bytes.length - 1] !== 10;
}

/** The paths; of many only how many there are in each folder. @param {string[]} paths */
function some(paths) {
  if (paths.length <= NAMES_SHOWN) return paths.sort().join(', ');
  /** @type {Map<string, number>} */
  const folders = new Map();
  for (const path of paths) {
    const folder = path.includes('/') ? `${path.split('/')[0]}/` : './';
    folders.set(folder, (folders.get(folder) ?? 0) + 1);
  }
  return [...folders].sort().map(([folder, count]) => `${count} in ${folder}`).join(', ');
}

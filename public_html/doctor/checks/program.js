// Why the program doesn't run, as the helper script cgi-bin/probe.cgi sees it.
import { ask } from '../ask.js';

const PATIENCE_MS = 20_000;
/** As probe.cgi names them. */
const MACHINES = ['x86_64', 'aarch64', 'i386', 'arm', 'riscv'];

/** @typedef {import('../findings.js').Finding} Finding */
/** @typedef {import('../findings.js').Found} Found */
/**
 * @typedef {{name: string, present: boolean, bytes?: number, mode?: string, owner_same?: boolean, executable?: boolean,
 *   elf?: string, try?: string, sha256?: string | null}} Program
 */

/** @type {import('../run.js').CheckFunction} */
export async function check(ctx) {
  // Behind a rewrite or a proxy the programs run elsewhere, and cgi-bin is not for the web server.
  if (ctx.silent) return [];
  if (ctx.api !== null && !ctx.api.startsWith(new URL('cgi-bin/', ctx.base).href)) return [];
  const answer = await ask(new URL('cgi-bin/probe.cgi', ctx.base).href, { signal: ctx.signal, timeoutMs: PATIENCE_MS });
  const told = answer.status === 200 ? answer.json : null;
  if (told?.runs === true && ctx.unexplained === null) return [{ good: 'program', values: { version: told.version } }];
  const findings = told && Array.isArray(told.programs) ? explain(told, await manifestOf(ctx)) : [];
  if (ctx.unexplained === null) {
    // It runs: what is wrong with a copy that isn't needed now is no grave thing.
    return findings.map((found) => ({ ...found, level: found.level ?? 'warn' }));
  }
  if (!findings.some(({ level }) => level === undefined)) findings.unshift(unexplained(ctx.unexplained));
  if (told === null && answer.status !== 404) findings.push({ code: 'K-PROBE', values: { status: answer.status } });
  return findings;
}

/** @param {{status: number, seconds?: number}} failure @returns {Found} */
function unexplained({ status, seconds = 0 }) {
  if (status === 0) return { code: 'K-SILENT', values: { seconds } };
  if (status === 404) return { code: 'K-MISSING', values: { names: 'cgi-bin/klatch.fcgi' } };
  if (status === 403 || status === 401 || status === 406) return { code: 'K-FORBIDDEN' };
  // mod_fcgid says 503 too when a program ends before it answers.
  return { code: status === 503 ? 'K-BUSY' : 'K-CRASH', values: { status } };
}

/**
 * Sizes and hashes as they should be, by path.
 * @param {import('../run.js').Context} ctx
 * @returns {Promise<Map<string, {bytes: number, sha256: string}>>}
 */
async function manifestOf(ctx) {
  const { json } = await ask(new URL('files.json', ctx.base).href, { signal: ctx.signal });
  return new Map((Array.isArray(json?.files) ? json.files : []).map((/** @type {any} */ file) => [file.path, file]));
}

/**
 * @param {any} told @param {Map<string, {bytes: number, sha256: string}>} manifest
 * @returns {Found[]}
 */
function explain(told, manifest) {
  /** @type {Map<string, {names: string[], more: object}>} */
  const causes = new Map();
  for (const program of /** @type {Program[]} */ (told.programs)) {
    const cause = causeOf(program, told, manifest.get(`cgi-bin/${program.name}`));
    if (cause === null) continue;
    const { names } = causes.get(cause) ?? { names: [] };
    causes.set(cause, { names: [...names, program.name], more: { mode: program.mode ?? '', elf: program.elf ?? '' } });
  }
  /** @type {Found[]} */
  const findings = [...causes].map(([code, { names, more }]) => (
    { code, values: { names: names.join(', '), machine: told.machine, ...more } }));
  const strangers = told.programs.filter((/** @type {Program} */ { owner_same: same }) => same === false);
  if (strangers.length > 0) {
    findings.push({ code: 'K-OWNER', level: 'warn', values: { names: strangers.map((/** @type {Program} */ { name }) => name).join(', ') } });
  }
  if (isWritable(told.folder?.mode)) findings.push({ code: 'K-FOLDER-MODE', values: { mode: told.folder.mode } });
  if (told.crlf?.length > 0) findings.push({ code: 'K-CRLF', level: 'warn', values: { names: told.crlf.join(', ') } });
  return findings;
}

/**
 * The one thing to mend first with a program; null for one that is in order.
 * @param {Program} program @param {any} told
 * @param {{bytes: number, sha256: string} | undefined} whole
 * @returns {string | null}
 */
function causeOf(program, told, whole) {
  const { bytes = 0, elf = '', sha256 } = program;
  if (!program.present) return 'K-MISSING';
  if (MACHINES.includes(elf) && elf !== told.machine) return 'K-ARCH';
  if (elf === 'empty' || elf === 'cut' || (whole && bytes < whole.bytes)) return 'K-CUT';
  if (elf === 'damaged' || elf === 'other') return 'K-DAMAGED';
  if (whole && (bytes > whole.bytes || (sha256 && sha256 !== whole.sha256))) return 'K-DAMAGED';
  // Such a folder's files are not executable whatever their modes are.
  if (told.noexec && /^[1357]/.test(program.mode ?? '')) return 'K-NOEXEC';
  if (!program.executable || isWritable(program.mode)) return 'K-MODE';
  if (program.try === 'runs') return null;
  switch (program.try) {
    case 'not-found': return 'K-LOADER';
    case 'killed': return 'K-KILLED';
    case 'exec-format': return 'K-DAMAGED';
    default: return 'K-REFUSES';
  }
}

/** By the group or by everybody: suexec refuses such files and folders. @param {string | undefined} mode */
function isWritable(mode) {
  return /^.(?:[2367]|.[2367])/.test(mode ?? '');
}

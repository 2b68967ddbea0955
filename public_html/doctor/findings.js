// Every finding of the doctor by its code: how grave, what it is, what it means, what to do. Codes
// are stable: the install guide explains them, and people name them when they ask for help.
// Words between braces are filled in with the finding's values.
import { page } from './findings/page.js';
import { program } from './findings/program.js';
import { server } from './findings/server.js';
import { waiting } from './findings/waiting.js';

/** @typedef {'bad' | 'warn' | 'info'} Level */
/** @typedef {{level: Level, title: string, means: string, todo: string[]}} About */
/** @typedef {Record<string, string | number>} Values */

/**
 * What a check returns: something wrong or to know, by its code, or something right, by the key
 * of its text.
 * @typedef {{code: string, level?: Level, values?: Values, lines?: Record<string, string>}} Found
 * @typedef {{good: string, values?: Values}} Good
 * @typedef {Found | Good} Finding
 */

/** @type {Readonly<Record<string, About>>} */
export const FINDINGS = Object.freeze({ ...program, ...page, ...waiting, ...server });

/** @param {Finding} finding @returns {finding is Found} */
export const isFound = (finding) => 'code' in finding;

/** @param {string} text @param {Values} [values] */
export function fill(text, values = {}) {
  return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ''));
}

/**
 * A finding in words.
 * @param {Found} found
 * @returns {About}
 */
export function inWords(found) {
  const known = FINDINGS[found.code];
  const about = known ?? FINDINGS['K-OTHER'];
  if (!about) throw new Error('K-OTHER is missing');
  const values = known ? found.values : { problem: found.code };
  return {
    level: found.level ?? about.level,
    title: fill(about.title, values),
    means: fill(about.means, values).trim(),
    todo: about.todo.map((step) => fill(step, values)),
  };
}

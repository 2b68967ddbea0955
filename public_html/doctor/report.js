// What comes of a run: the findings in order, the lines for klatch.conf, the report as text.
import { inWords, isFound } from './findings.js';
import { t } from './texts.js';

/** @typedef {import('./findings.js').Finding} Finding */
/** @typedef {import('./findings.js').Found} Found */
/** @typedef {import('./run.js').Progress} Progress */
/** @typedef {Found & {words: import('./findings.js').About}} Told */

/** What only the owner may see stays out of what is copied. */
const SECRET = /^(path|owner|user|error|config|binary|data_dir|group)$/;

/**
 * Each finding once, with its words, in the order of the checks.
 * @param {readonly Progress[]} all
 * @returns {{bad: Told[], warn: Told[], info: Told[], good: string[]}}
 */
export function sorted(all) {
  const findings = all.flatMap((progress) => progress.findings);
  /** @type {Map<string, Told>} */
  const told = new Map();
  for (const found of findings.filter(isFound)) {
    told.set(`${found.code} ${JSON.stringify(found.values ?? {})}`, { ...found, words: inWords(found) });
  }
  const of = (/** @type {string} */ level) => [...told.values()].filter(({ words }) => words.level === level);
  const good = findings.flatMap((finding) => (isFound(finding) ? [] : [t(`good.${finding.good}`, finding.values)]));
  return { bad: of('bad'), warn: of('warn'), info: of('info'), good };
}

/** One line for all. @param {readonly Progress[]} all @param {boolean} running @param {boolean} stopped */
export function verdict(all, running, stopped) {
  const { bad, warn } = sorted(all);
  if (running) return t('verdict.running');
  if (stopped) return t('verdict.stopped');
  const values = { bad: bad.length, warn: warn.length };
  if (bad.length > 0) return t(warn.length > 0 ? 'verdict.bad.warn' : 'verdict.bad', values);
  return t(warn.length > 0 ? 'verdict.warn' : 'verdict.well', values);
}

/**
 * The settings that findings ask for; of two for one key the smaller number.
 * @param {readonly Progress[]} all
 * @returns {Record<string, string>}
 */
export function configLines(all) {
  /** @type {Record<string, string>} */
  const lines = {};
  for (const { lines: asked = {} } of all.flatMap(({ findings }) => findings).filter(isFound)) {
    for (const [key, value] of Object.entries(asked)) {
      const before = lines[key];
      if (before === undefined || Number(value) < Number(before)) lines[key] = value;
    }
  }
  return lines;
}

/** @param {Record<string, string>} lines */
export function linesText(lines) {
  return Object.entries(lines).map(([key, value]) => `${key} = ${value}`).join('\n');
}

/**
 * The report without keys, passwords, folders and people's addresses.
 * @param {readonly Progress[]} all @param {any} health @param {Date} at
 */
export function asText(all, health, at) {
  const { bad, warn, info, good } = sorted(all.map(withoutSecrets));
  const part = (/** @type {string} */ title, /** @type {Told[]} */ list) => (list.length === 0 ? [] : [
    '', `${t(title)}:`, ...list.map(({ code, words }) => `- ${code} ${words.title}\n    ${words.means}`)]);
  const unchecked = all.filter(({ state }) => state === 'skipped').map(({ name }) => t(`check.${name}`));
  const lines = linesText(configLines(all));
  return [
    `${t('title')}, ${at.toISOString().slice(0, 16)}Z`,
    `${location.protocol}//${location.host}${location.pathname}`,
    health ? `Klatch ${health.version}, ${health.mode ?? '?'}, ${health.arch ?? '?'}, hold_ms ${health.hold_ms ?? '?'}, polls_max ${health.polls_max ?? '?'}` : 'No program answers.',
    navigator.userAgent,
    ...part('section.bad', bad), ...part('section.warn', warn), ...part('section.info', info),
    ...lines === '' ? [] : ['', `${t('section.lines')}:`, lines],
    ...good.length === 0 ? [] : ['', `${t('section.good')}:`, ...good.map((text) => `- ${text}`)],
    ...unchecked.length === 0 ? [] : ['', `${t('state.skipped')}:`, ...unchecked.map((text) => `- ${text}`)],
    '',
  ].join('\n');
}

/** @param {Progress} progress @returns {Progress} */
function withoutSecrets(progress) {
  const findings = progress.findings.map((finding) => {
    const values = Object.entries(finding.values ?? {}).filter(([key]) => !SECRET.test(key))
      .map(([key, value]) => [key, withoutSecretName(String(value))]);
    return { ...finding, values: Object.fromEntries(values) };
  });
  return { ...progress, findings };
}

/** The name of the folder is all that protects it where nothing lies outside of the web folder. @param {string} text */
function withoutSecretName(text) {
  return text.replace(/\.ht-klatch-[0-9a-f]+/g, '.ht-klatch-…');
}

// Looks up the doctor's texts.
import { fill } from './findings.js';
import en from './strings.en.js';

/**
 * @param {string} key @param {import('./findings.js').Values} [values]
 * @returns {string}
 */
export function t(key, values) {
  return fill(en[key] ?? key, values);
}

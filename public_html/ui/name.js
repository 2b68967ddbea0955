/** The longest name a person can write here; the grid cuts what it can't show. */
export const NAME_MAX = 40;

/**
 * A name as people wrote it, without what would only take place: controls, directions,
 * spaces at the ends and in rows.
 * @param {string} written
 */
export function tidyName(written) {
  const seen = written.replace(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, ' ').replace(/\s+/g, ' ').trim();
  return [...seen].slice(0, NAME_MAX).join('');
}

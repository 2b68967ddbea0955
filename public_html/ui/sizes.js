// Numbers of bytes and parts of a whole, for people to read.

const UNITS = /** @type {const} */ (['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte']);

/** @param {import('./strings.js').Texts} t @param {number} bytes */
export function sizeText(t, bytes) {
  let unit = 0;
  let number = bytes;
  while (number >= 999.5 && unit < UNITS.length - 1) {
    number /= 1000;
    unit += 1;
  }
  return t.number(number, {
    style: 'unit', unit: UNITS[unit], unitDisplay: unit === 0 ? 'long' : 'short',
    maximumFractionDigits: unit === 0 || number >= 99.5 ? 0 : 1,
  });
}

/** @param {import('./strings.js').Texts} t @param {number} part of the whole, 0 to 1 */
export function percentText(t, part) {
  return t.number(Math.floor(part * 100) / 100, { style: 'percent', maximumFractionDigits: 0 });
}

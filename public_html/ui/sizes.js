// Numbers of bytes and parts of a whole, for people to read.

const UNITS = /** @type {const} */ (['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte']);

/** @param {number} bytes */
export function sizeText(bytes) {
  let unit = 0;
  let number = bytes;
  while (number >= 999.5 && unit < UNITS.length - 1) {
    number /= 1000;
    unit += 1;
  }
  return new Intl.NumberFormat(undefined, {
    style: 'unit', unit: UNITS[unit], unitDisplay: unit === 0 ? 'long' : 'short',
    maximumFractionDigits: unit === 0 || number >= 99.5 ? 0 : 1,
  }).format(number);
}

/** @param {number} part of the whole, 0 to 1 */
export function percentText(part) {
  return new Intl.NumberFormat(undefined, { style: 'percent', maximumFractionDigits: 0 }).format(Math.floor(part * 100) / 100);
}

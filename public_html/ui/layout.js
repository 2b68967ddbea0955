// Where the tiles of the grid go: the one arrangement of equal tiles that shows most.
// Pure arithmetic, so that it can be checked without a page.

/** A tile may be this narrow or this wide; cameras give 4:3 or 16:9, phones 3:4. */
const ASPECT_MIN = 0.7;
const ASPECT_MAX = 16 / 9;
/** The shape that cuts least off all of these. */
const ASPECT_BEST = 1.1;

/** @typedef {{columns: number, rows: number, width: number, height: number}} Layout */

/**
 * The size of one tile and the number of columns for `count` tiles in a box of
 * `width` by `height` CSS pixels with `gap` between tiles. Whole pixels, never more
 * than the box; zeros for an empty box.
 * @param {number} count @param {number} width @param {number} height @param {number} gap
 * @returns {Layout}
 */
export function fitTiles(count, width, height, gap) {
  /** @type {Layout} */
  let best = { columns: 1, rows: Math.max(count, 1), width: 0, height: 0 };
  let bestWorth = 0;
  for (let columns = 1; columns <= count; columns += 1) {
    const rows = Math.ceil(count / columns);
    const tile = fitOne((width - gap * (columns - 1)) / columns, (height - gap * (rows - 1)) / rows);
    const worth = worthOf(tile);
    if (worth > bestWorth) {
      bestWorth = worth;
      best = { columns, rows, ...tile };
    }
  }
  return best;
}

/**
 * The largest allowed tile in a cell.
 * @param {number} width @param {number} height
 */
function fitOne(width, height) {
  if (width <= 0 || height <= 0) return { width: 0, height: 0 };
  return {
    width: Math.floor(Math.min(width, height * ASPECT_MAX)),
    height: Math.floor(Math.min(height, width / ASPECT_MIN)),
  };
}

/**
 * A tile's area, less for shapes that cut much off a picture.
 * @param {{width: number, height: number}} tile
 */
function worthOf({ width, height }) {
  if (width === 0 || height === 0) return 0;
  const aspect = width / height;
  const seen = Math.min(aspect / ASPECT_BEST, ASPECT_BEST / aspect);
  return width * height * Math.sqrt(seen);
}

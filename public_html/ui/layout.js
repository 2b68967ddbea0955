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

/** @typedef {{left: number, top: number, width: number, height: number}} Box */

/** How much of the place goes to those who are not large, at least and at most, in CSS pixels. */
const STRIP_SHARE = 0.22;
const STRIP_MIN_PX = 84;
const STRIP_MAX_PX = 260;

/**
 * The box of each tile, by its number.
 * @param {number} count @param {number} width @param {number} height @param {number} gap
 * @param {number} [large] the number of the one that gets most of the place; -1 for none
 * @returns {Box[]}
 */
export function placeTiles(count, width, height, gap, large = -1) {
  if (large < 0 || large >= count || count < 2) return inRows(count, { left: 0, top: 0, width, height }, gap);
  const beside = width > height * 1.2;
  const whole = beside ? width : height;
  const strip = Math.round(Math.min(Math.max(whole * STRIP_SHARE, STRIP_MIN_PX), STRIP_MAX_PX, whole / 2));
  const most = whole - strip - gap;
  const box = { left: 0, top: 0, width: beside ? most : width, height: beside ? height : most };
  const rest = beside ? { left: most + gap, top: 0, width: strip, height } : { left: 0, top: most + gap, width, height: strip };
  const boxes = inRows(count - 1, rest, gap);
  boxes.splice(large, 0, box);
  return boxes;
}

/**
 * Equal tiles in the middle of a box, the last row in the middle too.
 * @param {number} count @param {Box} box @param {number} gap
 * @returns {Box[]}
 */
function inRows(count, box, gap) {
  const { columns, rows, width, height } = fitTiles(count, box.width, box.height, gap);
  const above = (box.height - rows * height - (rows - 1) * gap) / 2;
  return Array.from({ length: count }, (_, at) => {
    const row = Math.floor(at / columns);
    const inRow = row === rows - 1 ? count - row * columns : columns;
    const before = (box.width - inRow * width - (inRow - 1) * gap) / 2;
    return {
      left: Math.floor(box.left + before + (at % columns) * (width + gap)),
      top: Math.floor(box.top + above + row * (height + gap)), width, height,
    };
  });
}

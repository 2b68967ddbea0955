import assert from 'node:assert/strict';
import test from 'node:test';
import { fitTiles } from '../../public_html/ui/layout.js';

const GAP = 8;
const BOXES = [[344, 610], [304, 430], [752, 890], [1424, 760], [1060, 760], [660, 300], [5000, 400], [60, 60]];

test('tiles fit their box with gaps, for 1 to 20 people in any box', () => {
  for (const [width, height] of BOXES) {
    for (let count = 1; count <= 20; count += 1) {
      const tile = fitTiles(count, width, height, GAP);
      const where = `${count} in ${width}x${height}: ${JSON.stringify(tile)}`;
      assert.ok(tile.columns * tile.rows >= count, where);
      assert.ok(tile.columns * tile.width + (tile.columns - 1) * GAP <= width, where);
      assert.ok(tile.rows * tile.height + (tile.rows - 1) * GAP <= height, where);
    }
  }
});

test('a tile is never narrower than a phone held upright nor wider than a cinema', () => {
  for (const [width, height] of BOXES.slice(0, 6)) {
    for (let count = 1; count <= 12; count += 1) {
      const tile = fitTiles(count, width, height, GAP);
      const aspect = tile.width / tile.height;
      assert.ok(aspect > 0.68 && aspect < 1.82, `${count} in ${width}x${height}: ${aspect}`);
    }
  }
});

test('people stand in the rows that one expects', () => {
  const table = [
    [1, 1424, 760, 1], [2, 1424, 760, 2], [4, 1424, 760, 2], [6, 1424, 760, 3], [9, 1424, 760, 3],
    [2, 344, 610, 1], [3, 344, 610, 1], [4, 344, 610, 2], [6, 344, 610, 2], [8, 344, 610, 2],
    [4, 752, 890, 2], [2, 660, 300, 2],
  ];
  for (const [count, width, height, columns] of table) {
    assert.equal(fitTiles(count, width, height, GAP).columns, columns, `${count} in ${width}x${height}`);
  }
});

test('no place gives no size', () => {
  assert.deepEqual(fitTiles(3, 0, 0, GAP), { columns: 1, rows: 3, width: 0, height: 0 });
});

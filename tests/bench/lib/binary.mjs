// How large the binary is, as built and stripped.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { OUT, ROOT } from './paths.mjs';

export function binary() {
  const file = path.join(ROOT, 'build/klatch.fcgi');
  const out = path.join(OUT, 'klatch.stripped');
  const built = fs.statSync(file).size;
  if (spawnSync('strip', ['-o', out, file]).status !== 0) return { built, stripped: null };
  const stripped = fs.statSync(out).size;
  fs.rmSync(out);
  return { built, stripped };
}

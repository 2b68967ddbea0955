// Where the bench finds what it measures and puts what it found.
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
export const OUT = path.join(ROOT, 'build/bench');
export const HERE = path.join(ROOT, 'tests/bench');
export const PACKAGES = path.join(OUT, 'npm');

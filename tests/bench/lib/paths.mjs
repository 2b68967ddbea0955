// Where the bench finds what it measures and puts what it found.
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
/** The program that the zip holds for this machine. */
export const BINARY = path.join(ROOT, `build/dist-${os.machine()}/klatch.fcgi`);
export const OUT = path.join(ROOT, 'build/bench');
export const HERE = path.join(ROOT, 'tests/bench');
export const PACKAGES = path.join(OUT, 'npm');

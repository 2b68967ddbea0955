// node:test's `it`, with an end: what hangs fails by its own name, not as a silent file.
import { it as test } from 'node:test';

const LONGEST_MS = 180000;

export const it = (name, run) => test(name, { timeout: LONGEST_MS }, run);

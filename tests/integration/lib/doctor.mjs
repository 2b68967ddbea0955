/* doctor: a program of one's own whose doctor is asked, as its owner or as a stranger. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { expectStatus } from './api.mjs';
import { Daemon } from './daemon.mjs';
import { BIN } from './run-dir.mjs';

export const adminKey = (data) => fs.readFileSync(path.join(data, 'admin-key.txt'), 'utf8').trim();

/** Every finding of a report for the owner, by its code. */
export async function findings(api, data) {
  const { json } = expectStatus(await api.post('/v1/doctor/report', { admin_key: adminKey(data) }), 200);
  return new Map(json.findings.map((finding) => [finding.code, finding]));
}

/** The codes that a stranger is told. */
export async function codes(api) {
  const { json } = expectStatus(await api.post('/v1/doctor/report', {}), 200);
  assert.deepEqual(json.findings.map((f) => Object.keys(f)), json.findings.map(() => ['code']));
  return json.findings.map((finding) => finding.code);
}

/** @param {(daemon: Daemon, api: import('./api.mjs').Api) => Promise<void>} run for as long as that takes */
export async function withDaemon(options, run, command = []) {
  const daemon = new Daemon(options);
  daemon.workersMayChange = true;
  fs.chmodSync(daemon.data, 0o700);
  await options.prepare?.(daemon);
  daemon.spawn([...command, BIN]);
  try {
    await daemon.ready();
    await run(daemon, daemon.api());
  } finally {
    await daemon.stop();
  }
}

// Linked statically with a SQLite of our own making, the binary does what the other one does: it
// passes the integration tests as they stand.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ROOT } from '../integration/lib/run-dir.mjs';
import { runChild } from '../setup/child.mjs';
import { binaryOf } from './lib/dist.mjs';

const FILES = ['exchange', 'join', 'cgi', 'storage', 'workers'];
const UPLOADS = 'written over like an FTP server does: (a socket handed down as descriptor 0|the supervisor)';

/** Runs an integration test with it; at least so many have to pass. */
async function passes(name, least, flags = []) {
  const { end, output } = await runChild([process.execPath, ...flags, `tests/integration/${name}.test.mjs`], {
    cwd: ROOT, limitMs: 110000,
    env: { BIN: binaryOf('x86_64'), NODE_TEST_CONTEXT: undefined, NODE_OPTIONS: undefined },
  });
  assert.ok(!end, `${end}\n${output.split('\n').filter((line) => /^ *not ok|error:/.test(line)).join('\n')}`);
  assert.ok(Number(/^# pass (\d+)/m.exec(output)?.[1]) >= least, output.slice(-300));
}

// They mostly wait.
describe('the static binary', { concurrency: 3 }, () => {
  for (const name of FILES) {
    it(`passes tests/integration/${name}.test.mjs`, { timeout: 120000 }, () => passes(name, 11));
  }
  it('runs from a copy in memory, and gives way to what is uploaded over it', { timeout: 120000 },
    () => passes('upgrade', 2, [`--test-name-pattern=${UPLOADS}`]));
});

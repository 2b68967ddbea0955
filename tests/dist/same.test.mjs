// Linked with musl and a SQLite of our own making, the binary does what the other one does: it
// passes the integration tests as they stand.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ROOT } from '../integration/lib/run-dir.mjs';
import { runChild } from '../setup/child.mjs';
import { binaryOf } from './lib/dist.mjs';

const FILES = ['exchange', 'join', 'cgi', 'storage', 'workers'];

// They mostly wait.
describe('the static binary', { concurrency: 3 }, () => {
  for (const name of FILES) {
    it(`passes tests/integration/${name}.test.mjs`, { timeout: 120000 }, async () => {
      const { end, output } = await runChild([process.execPath, `tests/integration/${name}.test.mjs`], {
        cwd: ROOT, limitMs: 110000,
        env: { BIN: binaryOf('x86_64'), NODE_TEST_CONTEXT: undefined, NODE_OPTIONS: undefined },
      });
      assert.ok(!end, `${end}\n${output.split('\n').filter((line) => /^ *not ok|error:/.test(line)).join('\n')}`);
      assert.ok(Number(/^# pass (\d+)/m.exec(output)?.[1]) > 10, output.slice(-300));
    });
  }
});

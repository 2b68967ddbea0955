/* site: one server and one browser for a test file that makes its pages itself. */

import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { launch } from './participant.mjs';
import { Server } from './server.mjs';

/**
 * Call it at the top of a test file.
 * @returns {{server: Server, browser: import('playwright-core').Browser}} for the tests; no browser before them
 */
export function site() {
  const own = { server: new Server(), browser: null };
  before(async () => {
    await own.server.start();
    own.browser = await launch();
  });
  after(async () => {
    await own.browser?.close();
    await own.server.stop();
    const complaints = own.server.complaints();
    await own.server.close();
    assert.deepEqual(complaints, []);
  });
  return own;
}

import test, { after, before } from 'node:test';
import { Server } from '../browser/lib/server.mjs';
import { launch } from '../browser/lib/participant.mjs';
import { shareTogether } from '../browser/lib/together.mjs';

const server = new Server();
let browser;
before(async () => {
  await server.start();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await server.close();
});

test('two who share their screens in the same instant see each other\'s, 100 times', async (t) => {
  t.diagnostic(`offers crossed ${await shareTogether(browser, server.origin, 100)} times`);
});

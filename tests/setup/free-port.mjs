// Ports for servers that tests start and that can't choose their own. They lie below those that the kernel
// gives to who asks for any, and each process has some to itself: nobody takes one between the choice and its use.
import { randomInt } from 'node:crypto';
import net from 'node:net';

const FIRST = 10_000;
const PROCESSES = 560;
const EACH = 40;
let count = randomInt(EACH);

/** @returns {Promise<number>} one that nobody listens on */
export async function freePort() {
  for (let tries = 0; tries < EACH; tries += 1) {
    count += 1;
    const port = FIRST + (process.pid % PROCESSES) * EACH + (count % EACH);
    if (await isFree(port)) return port;
  }
  throw new Error('all ports of this process are taken');
}

function isFree(port) {
  return new Promise((resolve) => {
    const probe = net.createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}

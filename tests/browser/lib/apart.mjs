/* apart: people before one sealed room, each with a browser on a machine of their own, and which
 * of the machines reach each other, by themselves or by a relay. */

import { randomBytes } from 'node:crypto';
import { spawn } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Namespaces } from './namespaces.mjs';
import { Participant } from './participant.mjs';
import { Server } from './server.mjs';
import { until } from './until.mjs';

const RELAY = { address: '10.88.0.250', port: 3478, user: 'ann', password: 'secret' };
/** The line of the server's configuration that names the relay. */
export const RELAY_LINE = `ice_server = turn:${RELAY.address}:${RELAY.port} ${RELAY.user} ${RELAY.password}\n`;

const SECRET = 'what-the-relay-and-klatch-know';
/** The same relay with passwords that expire after `lifetimeMs`. */
export const expiringRelay = (lifetimeMs) => (
  `ice_server = turn:${RELAY.address}:${RELAY.port}\nturn_secret = ${SECRET}\nturn_lifetime_ms = ${lifetimeMs}\n`);

const script = (name) => fileURLToPath(new URL(`./${name}`, import.meta.url));
const address = (number) => `10.88.0.${number + 1}`;

/**
 * @param {object} t the test, with which all ends
 * @param {number} count
 * @param {{settings?: string, scripts?: string[], prepare?: (net: Namespaces) => Promise<unknown>}} [options]
 *   lines of the server's configuration; scripts beside this file; prepare is done to the network
 *   before anybody is there
 * @returns {Promise<{net: Namespaces, people: Participant[]}>}
 */
export async function peopleApart(t, count, { settings, scripts = [], prepare } = {}) {
  const server = new Server({ settings });
  const net = new Namespaces(server.folder);
  const browsers = [];
  t.after(async () => {
    await Promise.allSettled(browsers.map((browser) => browser.close()));
    net.close();
    await server.close();
  });
  await server.start();
  await net.open(count, server.port);
  await prepare?.(net);
  const room = `test-${randomBytes(6).toString('hex')}.${randomBytes(16).toString('base64url')}`;
  const people = await Promise.all(Array.from({ length: count }, async (_, number) => {
    const browser = await net.launch(number);
    browsers.push(browser);
    return Participant.open(browser, server.origin, room, number, scripts.map(script));
  }));
  return { net, people };
}

/** Let nothing get from one machine to another, either way; the numbers are people's. */
export function cut(net, number, other) {
  for (const [here, there] of [[number, other], [other, number]]) {
    const name = net.name(here);
    net.in(name, 'nft', 'add table ip cut');
    net.in(name, 'nft', 'add chain ip cut out { type filter hook output priority 0 ; }');
    net.in(name, 'nft', `add rule ip cut out ip daddr ${address(there)} drop`);
  }
}

/** Undo all cuts of a machine. */
export function mend(net, number) {
  net.in(net.name(number), 'nft', 'delete table ip cut');
}

/**
 * A relay that every machine reaches, Debian's coturn.
 * @param {object} t the test, with which it ends
 * @param {Namespaces} net
 * @param {{expiring?: boolean}} [options] expiring: it goes by the secret
 */
export async function openRelay(t, net, { expiring = false } = {}) {
  const { address: own, port, user, password } = RELAY;
  net.in(net.hub, 'ip', 'addr', 'add', `${own}/24`, 'dev', 'br0');
  const who = expiring ? ['--use-auth-secret', `--static-auth-secret=${SECRET}`] : ['-a', '-u', `${user}:${password}`];
  const child = spawn('setpriv', ['--pdeathsig', 'TERM', '--', 'ip', 'netns', 'exec', net.hub, 'turnserver', '-n', '--no-tls',
    '--no-dtls', '--no-cli', '-L', own, '-p', `${port}`, ...who, '-r', 'klatch', '--log-file', '/dev/null',
    '--pidfile', path.join(net.folder, 'turn.pid'), '--userdb', path.join(net.folder, 'turn.db')], { stdio: 'ignore' });
  t.after(() => child.kill());
  await until('the relay listens', () => net.in(net.hub, 'ss', '-Hlun', 'sport', '=', `:${port}`).length > 0);
}

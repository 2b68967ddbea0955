// The servers that help browsers find each other, against a real coturn on this machine.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import dgram from 'node:dgram';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, before, describe } from 'node:test';
import { it } from '../integration/lib/it.mjs';
import { newRunDir, tie, tied } from '../integration/lib/run-dir.mjs';
import { until } from '../integration/lib/until.mjs';
import { Nginx } from '../servers/lib/nginx.mjs';
import { freePort } from '../servers/lib/web-server.mjs';
import { Doctor, openBrowser, withoutHolds } from './lib/doctor.mjs';
import { HOLDS } from './lib/sites.mjs';

const ICE = 'Servers that help browsers find each other';
/** coturn refuses to relay for loopback, and browsers offer none of it. */
const address = Object.values(os.networkInterfaces()).flat().find(({ family, internal }) => family === 'IPv4' && !internal)?.address
  ?? '127.0.0.1';

let relay;
let silent;
let browser;
let dir;
let port;
before(async () => {
  dir = newRunDir();
  port = await freePort();
  relay = tie(spawn(...tied('turnserver', '-n', '--no-tls', '--no-dtls', '--no-cli', '-L', address, '-p', String(port), '-a', '-u', 'ann:secret',
    '-r', 'klatch', '--pidfile', path.join(dir, 'pid'), '--log-file', path.join(dir, 'turn.log'), '--simple-log', '--userdb', path.join(dir, 'db')),
  { cwd: dir, stdio: 'ignore' }));
  await until('the relay listens', () => new Promise((resolve) => {
    const socket = net.connect(port, address);
    socket.once('connect', () => { socket.destroy(); resolve(true); });
    socket.once('error', () => resolve(false));
  }));
  // Takes packets and says nothing.
  silent = dgram.createSocket('udp4').bind(0, address);
  await once(silent, 'listening');
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  silent?.close();
  relay?.kill('SIGTERM');
  if (relay && relay.exitCode === null) await once(relay, 'exit');
  fs.rmSync(dir, { recursive: true, force: true });
});

/** What the page says of these servers. @param {string[]} servers lines ice_server */
async function told(servers, config = {}) {
  const server = await Nginx.start({ config: { ...HOLDS, ice_server: servers, ...config } });
  try {
    const doctor = await Doctor.open(browser, `${server.page}/`, { before: withoutHolds });
    await doctor.checked(ICE);
    const codes = (await doctor.codes()).filter((code) => /ICE|STUN|RELAY/.test(code));
    const words = await Promise.all([...new Set(codes)].map((code) => doctor.words(code)));
    const good = (await doctor.good()).filter((line) => /^(stun|turn):/.test(line));
    await doctor.close();
    return { codes, words: words.join('\n'), good };
  } finally {
    await server.stop();
  }
}

describe('servers that help browsers find each other', () => {
  it('a stun server that answers and a relay that relays are told apart', async () => {
    const { codes, good } = await told([`stun:${address}:${port}`, `turn:${address}:${port} ann secret`]);
    assert.deepEqual(codes, []);
    assert.deepEqual(good.sort(), [
      `stun:${address}:${port} answers.`,
      `turn:${address}:${port} relays: it carries calls that find no direct way.`,
    ]);
  });

  for (const [name, config, words] of [
    ['brings a token', { tokens: 'required', token_key: `site ${'s'.repeat(40)}` }, /lets in who brings a token\. Nothing is wrong/],
    ['finds an opened room', { rooms_open_by: 'admin' }, /There is no such room\. Nothing is wrong/],
  ]) {
    it(`K-ICE-UNTRIED: where nobody joins who does not ${name}, that is said and no fault`, async () => {
      const seen = await told([`stun:${address}:${port}`], config);
      assert.deepEqual(seen.codes, ['K-ICE-UNTRIED']);
      assert.match(seen.words, words);
    });
  }

  it('K-ICE-REFUSED, K-RELAY-NONE: a wrong password, and who is left out by that', async () => {
    const { codes, words, good } = await told([`stun:${address}:${port}`, `turn:${address}:${port} ann wrong`]);
    assert.deepEqual(codes, ['K-ICE-REFUSED', 'K-RELAY-NONE']);
    assert.match(words, /turn:\S+ refuses: 401/);
    assert.match(words, /offices, schools, hospitals, hotels/);
    assert.equal(good.length, 1);
  });

  it('K-ICE-SILENT, K-STUN-NONE: a closed port, and one that says nothing', async () => {
    const closed = await freePort();
    const { codes, words } = await told([`stun:${address}:${closed}`, `turn:${address}:${closed} ann secret`,
      `stun:${address}:${silent.address().port}`]);
    assert.deepEqual(codes.sort(), ['K-ICE-SILENT', 'K-ICE-SILENT', 'K-ICE-SILENT', 'K-RELAY-NONE', 'K-STUN-NONE']);
    assert.match(words, /one house or office/);
  });
});

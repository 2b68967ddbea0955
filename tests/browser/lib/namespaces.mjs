/* namespaces: people at machines of their own: a network namespace each, joined by a bridge
 * in one more, with a browser in each. The page is at localhost, which browsers trust: from
 * there each machine's one link leads to the bridge's own address, and on to the web server
 * by a unix socket. What is done to a link is done to all that its person sends: to the other
 * people and to the server. */

import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { launch } from './participant.mjs';
import { until } from './until.mjs';

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const HUB = '10.88.0.254';
/** From a port here to a port there, or to a unix socket. */
const PROXY = `
  const net = require('node:net');
  const [port, host, ...there] = process.argv.slice(1);
  net.createServer((near) => {
    const far = net.connect(...there);
    for (const end of [near, far]) end.on('error', () => { near.destroy(); far.destroy(); });
    near.pipe(far).pipe(near);
  }).listen(Number(port), host, () => console.log('ready'));
`;
/** What comes in at one end of a link loses some packets; whoever sends them isn't told. */
const LOSSY = (device, percent) => `table netdev lossy {
  chain in { type filter hook ingress device "${device}" priority 0; numgen random mod 100 < ${percent} drop; }
}`;

const run = (...command) => execFileSync(command[0], command.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] });

/** Namespaces whose test was killed before it could remove them. */
function removeForsaken() {
  for (const [name, pid] of `${run('ip', 'netns', 'list')}`.matchAll(/^kl(\d+)[a-z]\d*/gm)) {
    if (!fs.existsSync(`/proc/${pid}`)) run('ip', 'netns', 'del', name);
  }
}

/** Whether this may be done here: it takes CAP_NET_ADMIN. */
export function namespacesPossible() {
  const name = `kl${process.pid}x`;
  try {
    run('ip', 'netns', 'add', name);
    run('ip', 'netns', 'exec', name, 'true');
    run('ip', 'netns', 'del', name);
    return true;
  } catch {
    return false;
  }
}

export class Namespaces {
  #names = [];
  #children = [];
  #gate;

  /** @param {string} folder for wrappers and the socket */
  constructor(folder) {
    this.folder = folder;
    this.hub = `kl${process.pid}h`;
    this.socket = path.join(folder, 'gate.sock');
  }

  /**
   * @param {number} count of machines
   * @param {number} port of the web server on this machine
   */
  async open(count, port) {
    this.#gate = net.createServer((near) => {
      const far = net.connect(port, '127.0.0.1');
      for (const end of [near, far]) {
        end.on('error', () => {
          near.destroy();
          far.destroy();
        });
      }
      near.pipe(far).pipe(near);
    });
    await new Promise((resolve) => {
      this.#gate.listen(this.socket, resolve);
    });
    removeForsaken();
    this.#add(this.hub);
    this.in(this.hub, 'ip', 'link', 'add', 'br0', 'type', 'bridge');
    this.in(this.hub, 'ip', 'addr', 'add', `${HUB}/24`, 'dev', 'br0');
    this.in(this.hub, 'ip', 'link', 'set', 'br0', 'up');
    await this.#lead(this.hub, port, HUB, this.socket);
    for (let number = 0; number < count; number += 1) await this.#machine(number, port);
  }

  name(number) {
    return `kl${process.pid}n${number}`;
  }

  /** Run something in a namespace. */
  in(name, ...command) {
    return run('ip', 'netns', 'exec', name, ...command);
  }

  /** Let no more leave a machine than this. */
  shape(number, rate) {
    this.in(this.name(number), 'tc', 'qdisc', 'replace', 'dev', 'eth0', 'root', 'tbf', 'rate', rate, 'burst', '8kb',
      'latency', '400ms');
  }

  /** Let so many of a hundred packets be lost, of those that leave a machine and of those that come; 0 ends it. */
  lose(number, percent) {
    for (const [name, device] of [[this.name(number), 'eth0'], [this.hub, `v${number}`]]) {
      if (percent > 0) execFileSync('ip', ['netns', 'exec', name, 'nft', '-f', '-'], { input: LOSSY(device, percent), stdio: 'pipe' });
      else this.in(name, 'nft', 'delete', 'table', 'netdev', 'lossy');
    }
  }

  /** The only interface of a machine goes, with its routes. */
  down(number) {
    this.in(this.name(number), 'ip', 'link', 'set', 'eth0', 'down');
  }

  up(number) {
    this.in(this.name(number), 'ip', 'link', 'set', 'eth0', 'up');
    this.#route(this.name(number));
  }

  /** A machine comes to have another address, as on its way from one network to the next: which it returns. */
  readdress(number) {
    const name = this.name(number);
    this.in(name, 'ip', 'addr', 'flush', 'dev', 'eth0');
    const address = `10.88.0.${number + 101}`;
    this.in(name, 'ip', 'addr', 'add', `${address}/24`, 'dev', 'eth0');
    this.#route(name);
    return address;
  }

  /** A browser on a machine. */
  launch(number) {
    const wrapper = path.join(this.folder, `browser-${number}`);
    fs.writeFileSync(wrapper, `#!/bin/sh\nexec ip netns exec ${this.name(number)} ${CHROMIUM} "$@"\n`, { mode: 0o755 });
    // Names of the local network don't lead from one namespace to another.
    return launch(['--disable-features=WebRtcHideLocalIpsWithMdns'], wrapper);
  }

  close() {
    for (const child of this.#children) child.kill();
    this.#gate?.close();
    // With its last namespace a link goes too, and what was set for it.
    for (const name of this.#names.splice(0)) run('ip', 'netns', 'del', name);
  }

  #add(name) {
    run('ip', 'netns', 'add', name);
    this.#names.push(name);
    this.in(name, 'ip', 'link', 'set', 'lo', 'up');
  }

  async #machine(number, port) {
    const name = this.name(number);
    this.#add(name);
    this.in(this.hub, 'ip', 'link', 'add', `v${number}`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
    this.in(this.hub, 'ip', 'link', 'set', `v${number}`, 'master', 'br0', 'up');
    this.in(name, 'ip', 'addr', 'add', `10.88.0.${number + 1}/24`, 'dev', 'eth0');
    // An address that comes by itself, a moment later, is a network that changes: Chromium stops loading the page then.
    this.in(name, 'ip', 'link', 'set', 'eth0', 'addrgenmode', 'none');
    this.up(number);
    await this.#lead(name, port, '127.0.0.1', port, HUB);
  }

  #route(name) {
    this.in(name, 'ip', 'route', 'replace', 'default', 'dev', 'eth0');
  }

  /** From a port in a namespace to somewhere else. */
  async #lead(name, port, host, ...there) {
    const child = spawn('setpriv', ['--pdeathsig', 'TERM', '--', 'ip', 'netns', 'exec', name, process.execPath, '-e', PROXY,
      `${port}`, host, ...there.map(String)], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#children.push(child);
    let ready = false;
    child.stdout.once('data', () => {
      ready = true;
    });
    await until('the way to the web server is open', () => ready);
  }
}

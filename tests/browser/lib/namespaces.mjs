/* namespaces: people at machines of their own: a network namespace each, joined by a bridge
 * in one more, with a browser in each. The web server stays where it is: a unix socket leads
 * to it from everywhere, so that the page is at localhost, which browsers trust, and the
 * links between people carry nothing but their connections. */

import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { launch } from './participant.mjs';
import { until } from './until.mjs';

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium';
const PROXY = `
  const net = require('node:net');
  const [port, socket] = process.argv.slice(1);
  net.createServer((near) => {
    const far = net.connect(socket);
    for (const end of [near, far]) end.on('error', () => { near.destroy(); far.destroy(); });
    near.pipe(far).pipe(near);
  }).listen(Number(port), '127.0.0.1', () => console.log('ready'));
`;

const run = (...command) => execFileSync(command[0], command.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] });

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
    this.#add(this.hub);
    this.in(this.hub, 'ip', 'link', 'add', 'br0', 'type', 'bridge');
    this.in(this.hub, 'ip', 'link', 'set', 'br0', 'up');
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
    for (const name of this.#names) run('ip', 'netns', 'del', name);
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
    this.in(name, 'ip', 'link', 'set', 'eth0', 'up');
    this.in(name, 'ip', 'route', 'add', 'default', 'dev', 'eth0');
    const child = spawn('setpriv', ['--pdeathsig', 'TERM', '--', 'ip', 'netns', 'exec', name, process.execPath, '-e', PROXY,
      `${port}`, this.socket], { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#children.push(child);
    let ready = false;
    child.stdout.once('data', () => {
      ready = true;
    });
    await until('the way to the web server is open', () => ready);
  }
}

// A customer of a shared host: a user of this machine, made for a test and removed after it, whose
// programs Apache runs as that user (suexec).
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { Apache } from './apache.mjs';
import { Site } from './site.mjs';
import { isRoot, notRoot } from './web-server.mjs';

const SUEXEC = '/usr/lib/apache2/suexec';

/** Why there can be no such user here; false: there can. */
export function noHostUsers() {
  if (!isRoot) return notRoot;
  return fs.existsSync(SUEXEC) ? false : 'suexec is not installed';
}

export class HostUser {
  /** @param {string} homes the folder of all users' homes */
  static create(homes) {
    const user = new HostUser();
    user.name = `klatch-${randomBytes(4).toString('hex')}`;
    user.home = path.join(homes, user.name);
    execFileSync('useradd', ['--no-create-home', '--home-dir', user.home, '--shell', '/usr/sbin/nologin',
      '--user-group', user.name]);
    fs.mkdirSync(user.home, { recursive: true, mode: 0o711 });
    return user;
  }

  get owner() { return { user: this.name, group: this.name }; }

  remove() {
    execFileSync('userdel', [this.name], { stdio: ['ignore', 'ignore', 'pipe'] });
  }
}

/**
 * Apache as a shared host runs it, with Klatch uploaded by a customer, at /~name/klatch/.
 * @param {object} [options] as Apache's, without recipe, site and subFolder
 */
export async function startHost({ kind = 'home', config = {}, bin, ...options } = {}) {
  const server = new Apache({ ...options, recipe: 'apache-host', site: null });
  const homes = path.join(server.dir, 'homes');
  const user = HostUser.create(homes);
  server.before.push(() => user.remove());
  try {
    server.site = new Site(user.home, { kind, config, bin, owner: user.owner });
    server.user = user;
    server.base = `/~${user.name}/klatch`;
    server.values.HOMES = homes;
    await server.start();
  } catch (error) {
    await server.stop().catch(() => {});
    throw error;
  }
  return server;
}

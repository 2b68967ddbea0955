// A site with Klatch on it, as it was uploaded: the layout of the zip, in an account's home or in
// the web folder alone, with a configuration for tests.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { BIN, CONFIG, ROOT, configText, newRunDir } from '../../integration/lib/run-dir.mjs';

/** Layouts made already, by their binary: each takes a second. */
const layouts = new Map();

function layOut(home, bin) {
  if (!layouts.has(bin)) {
    const layout = newRunDir();
    execFileSync(path.join(ROOT, 'deploy/dist/layout.sh'), [layout, bin], { stdio: ['ignore', 'ignore', 'pipe'] });
    layouts.set(bin, layout);
    process.once('exit', () => fs.rmSync(layout, { recursive: true, force: true }));
  }
  execFileSync('cp', ['-a', `${layouts.get(bin)}/.`, home]);
}

const chown = (what, { user, group }) => execFileSync('chown', ['-R', `${user}:${group}`, what]);

export class Site {
  /**
   * @param {string} home where the zip is extracted; made
   * @param {object} [options]
   * @param {'home' | 'ftp'} [options.kind] ftp: the folder below public_html is all there is
   * @param {object | null} [options.config] lines of klatch.conf besides those of all tests; null:
   *   none is written, as after an upload
   * @param {{user: string, group: string} | null} [options.owner] null: who runs the test
   * @param {string} [options.bin]
   */
  constructor(home, { kind = 'home', config = {}, owner = null, bin = BIN } = {}) {
    this.home = home;
    this.owner = owner;
    this.webRoot = path.join(home, 'public_html');
    this.folder = path.join(this.webRoot, 'klatch');
    this.cgiBin = path.join(this.folder, 'cgi-bin');
    this.private = path.join(home, 'klatch-private');
    fs.mkdirSync(home, { recursive: true });
    layOut(home, bin);
    if (kind === 'ftp') fs.rmSync(this.private, { recursive: true });
    this.kind = kind;
    if (config !== null) this.configure(config);
    this.own();
  }

  /** Hand everything to its owner, as their own upload would. */
  own() {
    if (this.owner) chown(this.home, this.owner);
  }

  /** The folder that holds configuration and data; in the FTP layout made by the binary. */
  get privateFolder() {
    if (this.kind === 'home') return this.private;
    const made = fs.readdirSync(this.cgiBin).find((name) => name.startsWith('.ht-klatch-'));
    return made ? path.join(this.cgiBin, made) : this.cgiBin;
  }

  /** In an account's home out of the web's sight; else beside the binary, until that has made a folder. */
  get configFile() { return path.join(this.privateFolder, 'klatch.conf'); }

  get dataFolder() { return path.join(this.privateFolder, 'data'); }

  configure(config) {
    const lines = { data_dir: this.dataFolder, ...CONFIG, ...config };
    fs.writeFileSync(this.configFile, configText(lines), { mode: 0o600 });
    fs.mkdirSync(this.dataFolder, { recursive: true, mode: 0o700 });
    this.own();
  }
}

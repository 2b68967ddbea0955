// Uploads that went wrong, made of one that went right. `folder` is the web folder klatch/, or for
// modes any folder.
import fs from 'node:fs';
import path from 'node:path';
import { walk } from './dist.mjs';

const TEXT = /\.(js|html|css|json|webmanifest|svg|txt|sample|htaccess)$|^LICENSE$/;

/** A file manager that keeps no modes: nothing is a program any more. */
export function withoutPrograms(folder) {
  for (const name of walk(folder)) if (!name.endsWith('/')) fs.chmodSync(path.join(folder, name), 0o644);
}

/** A helpful hand: everybody may write everywhere. */
export function writableByAll(folder) {
  fs.chmodSync(folder, 0o777);
  for (const name of walk(folder)) fs.chmodSync(path.join(folder, name), 0o777);
}

/** FTP's text mode to a host that wants CR LF, for everything or for text files alone. */
export function inTextMode(folder, { programs = true } = {}) {
  for (const name of walk(folder).filter((one) => !one.endsWith('/'))) {
    if (!programs && !TEXT.test(path.basename(name))) continue;
    const file = path.join(folder, name);
    const text = fs.readFileSync(file, 'latin1').replaceAll('\n', '\r\n');
    const { mode } = fs.statSync(file);
    fs.rmSync(file);
    fs.writeFileSync(file, text, { encoding: 'latin1', mode });
  }
}

/** The connection broke: every second file is missing, the last one that came is cut. */
export function halfUploaded(folder) {
  const names = walk(folder).filter((name) => name.endsWith('.js'));
  names.forEach((name, at) => { if (at % 2) fs.rmSync(path.join(folder, name)); });
  const cut = path.join(folder, names.at(names.length % 2 ? -1 : -2));
  fs.truncateSync(cut, Math.floor(fs.statSync(cut).size / 2));
}

/** The list of files and the page of another version, the program of this one. */
export function mixedVersions(folder, version = '9.9.9') {
  const file = path.join(folder, 'files.json');
  const list = JSON.parse(fs.readFileSync(file, 'utf8'));
  fs.writeFileSync(file, `${JSON.stringify({ ...list, version }, null, 2)}\n`);
}

// Uploads that went wrong, made of one that went right.
import fs from 'node:fs';
import path from 'node:path';
import { walk } from './dist.mjs';

const TEXT = /\.(js|html|css|json|webmanifest|svg|txt|sample|htaccess)$|^LICENSE$/;

/** A file manager that keeps no modes: nothing is a program any more. */
export function withoutPrograms(folder) {
  for (const name of walk(folder)) if (!name.endsWith('/')) fs.chmodSync(path.join(folder, name), 0o644);
}

/** FTP's text mode to a host that wants CR LF: what the FTP program takes for text is changed. */
export function inTextMode(folder) {
  for (const name of walk(folder).filter((one) => TEXT.test(path.basename(one)))) {
    const file = path.join(folder, name);
    fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replaceAll('\n', '\r\n'));
  }
}

/** The connection broke: every second file is missing, the last one that came is cut. */
export function halfUploaded(folder) {
  const names = walk(folder).filter((name) => name.endsWith('.js'));
  names.forEach((name, at) => { if (at % 2) fs.rmSync(path.join(folder, name)); });
  const cut = path.join(folder, names.at(names.length % 2 ? -1 : -2));
  fs.truncateSync(cut, Math.floor(fs.statSync(cut).size / 2));
}

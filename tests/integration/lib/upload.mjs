// What an owner does with a file manager or FTP: write over files that are in use, at once or slowly.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { BIN } from './run-dir.mjs';

export const versionOf = (bin) => execFileSync(bin, ['--version'], { encoding: 'utf8' }).trim().split(' ')[1];

/** The version of BIN, and one of the same length that no release has. */
export const OLD = versionOf(BIN);
export const NEW = OLD.replace(/.$/, (last) => (last === '9' ? '8' : '9'));

/** The binary of another version: its bytes, but for the text that names it. */
export function otherVersion(bin = BIN) {
  const bytes = fs.readFileSync(bin);
  for (const [before, behind] of [['\0', '\0'], ['klatch ', '']]) {
    const from = Buffer.from(`${before}${OLD}${behind}`, 'latin1');
    const to = Buffer.from(`${before}${NEW}${behind}`, 'latin1');
    for (let at = bytes.indexOf(from); at >= 0; at = bytes.indexOf(from, at + 1)) to.copy(bytes, at);
  }
  return bytes;
}

/** As FTP servers do it: the file itself is emptied, then its bytes come in pieces. */
export async function overwrite(file, bytes, { pieces = 10, pauseMs = 20 } = {}) {
  const fd = fs.openSync(file, 'r+');
  try {
    fs.ftruncateSync(fd, 0);
    const size = Math.ceil(bytes.length / pieces);
    for (let at = 0; at < bytes.length; at += size) {
      fs.writeSync(fd, bytes, at, Math.min(size, bytes.length - at), at);
      await pause(pauseMs);
    }
  } finally {
    fs.closeSync(fd);
  }
}

/** As file managers and careful FTP servers do it: another file takes the name. */
export async function replace(file, bytes) {
  const temporary = `${file}.upload`;
  fs.writeFileSync(temporary, bytes, { mode: 0o755 });
  const { uid, gid } = fs.statSync(file);
  fs.chownSync(temporary, uid, gid);
  fs.renameSync(temporary, file);
}

// Room files from outside, through Debian's sqlite3 program.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { tie } from './run-dir.mjs';

/** Every file below the data folder. */
export function dataFiles(data) {
  const found = [];
  const walk = (folder) => {
    for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
      const full = path.join(folder, entry.name);
      if (entry.isDirectory()) walk(full);
      else found.push(full);
    }
  };
  walk(data);
  return found;
}

function isDatabase(file) {
  try {
    const fd = fs.openSync(file, 'r');
    const head = Buffer.alloc(16);
    fs.readSync(fd, head, 0, 16, 0);
    fs.closeSync(fd);
    return head.toString('latin1') === 'SQLite format 3\0';
  } catch {
    return false;
  }
}

/** The SQLite files of the data folder: one for each room. */
export const roomFiles = (data) => dataFiles(data).filter(isDatabase);

/** The one room's file in a data folder that has one room. */
export function onlyRoomFile(data) {
  const files = roomFiles(data);
  assert.equal(files.length, 1, `one room file in ${dataFiles(data).join(' ')}`);
  return files[0];
}

export function sql(file, statement) {
  return execFileSync('sqlite3', ['-bail', file, statement], { encoding: 'utf8' }).trim();
}

const LATER = {
  member: ['sub', 'role', 'jti', 'address_hash', 'left_why'],
  room: ['opened_ms', 'stays', 'rules', 'password_salt', 'password_hash'],
};

/** Make of a room's file what the first version's program made. */
export function makeOlder(file) {
  const drops = Object.entries(LATER).flatMap(([table, columns]) => columns
    .map((column) => `ALTER TABLE ${table} DROP COLUMN ${column};`));
  sql(file, `${drops.join('')} DROP TABLE ban; DROP TABLE event;`);
}

/** Hold a lock on a room file, as a backup program or a stuck process would. */
export async function lockRoom(file, how = 'EXCLUSIVE') {
  const child = tie(spawn('sqlite3', ['-bail', file], { stdio: ['pipe', 'pipe', 'inherit'] }));
  child.stdin.write(`.timeout 5000\nBEGIN ${how};\n.print locked\n`);
  const [said] = await Promise.race([once(child.stdout, 'data'), once(child, 'exit')]);
  assert.match(String(said), /locked/);
  return {
    async release() {
      if (child.exitCode !== null) return;
      child.stdin.end('COMMIT;\n');
      await once(child, 'exit');
    },
  };
}

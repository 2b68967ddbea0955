// A disk of a few kilobytes, to be filled.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { newRunDir } from './run-dir.mjs';

/** A small file system of our own, or null where that is not permitted. */
function mount(bytes, inodes) {
  const dir = newRunDir();
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes},nr_inodes=${inodes}`, 'tmpfs', dir]);
  if (status !== 0) {
    fs.rmSync(dir, { recursive: true });
    return null;
  }
  return {
    dir,
    fill() {
      const fd = fs.openSync(path.join(dir, 'filler'), 'w');
      try {
        for (const size of [65536, 4096]) {
          for (;;) {
            try {
              if (fs.writeSync(fd, Buffer.alloc(size, 1)) < size) break;
            } catch (error) {
              assert.equal(error.code, 'ENOSPC');
              break;
            }
          }
        }
      } finally {
        fs.closeSync(fd);
      }
    },
    readOnly() { execFileSync('mount', ['-o', 'remount,ro', dir]); },
    free() { fs.rmSync(path.join(dir, 'filler')); },
    remove() {
      execFileSync('umount', [dir]);
      fs.rmSync(dir, { recursive: true });
    },
  };
}

/** Let `run` have such a disk, or skip the test `t`; 0 inodes are as many as there is place for. */
export async function onSmallDisk(t, bytes, run, { inodes = 0 } = {}) {
  const small = mount(bytes, inodes);
  if (!small) {
    t.skip('mounting a tmpfs is not permitted');
    return;
  }
  try {
    await run(small);
  } finally {
    small.remove();
  }
}

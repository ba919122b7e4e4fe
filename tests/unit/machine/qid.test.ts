import { describe, expect, it } from 'vitest';
import { MemoryJournalStore } from '../../../src/engine/store/memory-journal.ts';
import { openUnion } from '../../../src/engine/unionfs/union.ts';
import { qidOf } from '../../../src/machine/nine-p/export-root.ts';

/** d_ino and st_ino as a 32-bit Linux folds them (fs/9p/v9fs.h, v9fs_qid2ino). */
function guestInode(path: number): number {
  const folded = (BigInt(path) + 2n) ^ ((BigInt(path) + 2n) >> 32n);
  return Number(folded & 0xffff_ffffn);
}

describe('the qid of a node', async () => {
  const journal = await new MemoryJournalStore().open('tree');
  const fs = await openUnion({ lowers: [], journal, now: () => 0n });
  const tree = (number: number) => ({ number, path: `c/${number}`, fs, isMounted: true });

  it('gives no file the inode number 0, which readdir of libc takes for a free slot', () => {
    for (let number = 0; number < 300; number++) {
      for (let ino = 1; ino < 300; ino++) {
        const { path } = qidOf({ tree: tree(number), ino }, 'file');
        expect(guestInode(path), `tree ${number}, inode ${ino}`).not.toBe(0);
      }
    }
  });

  it('is exact in a number, and its own for each inode of each tree', () => {
    const paths = new Set<number>();
    for (const number of [0, 1, 2 ** 21 - 1]) {
      for (const ino of [1, 2, 2 ** 31 - 1]) {
        const { path } = qidOf({ tree: tree(number), ino }, 'dir');
        expect(Number.isSafeInteger(path)).toBe(true);
        paths.add(path);
      }
    }
    expect(paths.size).toBe(9);
  });
});

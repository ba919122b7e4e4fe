/** How much a container changed, as `docker ps --size` counts it: the whole size of each file that overlay2 would have copied up. */

import { ROOT, type Upper } from './upper.ts';
import { listDirectory, statOf } from './upper-view.ts';

/**
 * Bytes: each file and symlink that was made or changed here, once. What lies in a directory that was moved away
 * from where the image has it counts too: overlay2 would have copied it.
 */
export function usedBytesOf(upper: Upper): number {
  let bytes = 0;
  for (const inode of upper.inodes.values()) if (inode.type !== 'dir') bytes += statOf(upper, inode.ino).size;
  const counted = new Set<number>();
  for (const inode of upper.inodes.values()) {
    const number = upper.lower(inode.ino);
    if (inode.type !== 'dir' || number === undefined || inode.ino === ROOT) continue;
    const { stack } = upper;
    if (inode.parent === stack.parent(number) + 1 && inode.name === stack.name(number)) continue;
    bytes += untouchedBelow(upper, inode.ino, counted);
  }
  return bytes;
}

function untouchedBelow(upper: Upper, directory: number, counted: Set<number>): number {
  let bytes = 0;
  const todo = [directory];
  for (let at = todo.pop(); at !== undefined; at = todo.pop()) {
    for (const { ino, type } of listDirectory(upper, at)) {
      if (counted.has(ino)) continue;
      counted.add(ino);
      if (type === 'dir') todo.push(ino);
      else if (!upper.inodes.has(ino)) bytes += statOf(upper, ino).size;
    }
  }
  return bytes;
}

/**
 * What `docker diff` prints: the container's tree against its image's, path by path.
 *
 * As Docker's comparison of directories has it (moby, pkg/archive/changes.go):
 * A what the image has not, D what the container has not any more (its topmost
 * path only), C what differs, and each directory above an A, C or D, but not
 * the root. A directory that was removed and made again is C, and D for each
 * child that did not come back. What moved is D where it was and A, with all
 * below it, where it is. Order: depth first, bytewise within a directory.
 */

import { compareNames } from '../names.ts';
import { ROOT, type Upper } from './upper.ts';
import { listDirectory } from './upper-view.ts';

export interface FileChange {
  readonly kind: 'A' | 'C' | 'D';
  /** Absolute. */
  readonly path: string;
}

export function changesOf(upper: Upper): FileChange[] {
  const changes: FileChange[] = [];
  new Comparison(upper, changes).directory(ROOT, 0, '');
  return changes;
}

class Comparison {
  readonly #upper: Upper;
  readonly #changes: FileChange[];
  readonly #dirty: ReadonlySet<number>;

  constructor(upper: Upper, changes: FileChange[]) {
    this.#upper = upper;
    this.#changes = changes;
    this.#dirty = dirtyDirectories(upper);
  }

  /** Compares the children of a directory of the union with those of one of the stack. */
  directory(directory: number, number: number, path: string): void {
    const { stack } = this.#upper;
    // where it is what the stack has there and nothing was touched below, all is equal
    if (directory === number + 1 && !this.#dirty.has(directory)) return;
    let next = stack.firstChild(number);
    const end = stack.endChild(number);
    const removedBefore = (name: string | undefined) => {
      for (; next < end; next++) {
        const gone = stack.name(next);
        if (name !== undefined && compareNames(gone, name) >= 0) return;
        this.#changes.push({ kind: 'D', path: `${path}/${gone}` });
      }
    };
    for (const { name, ino } of listDirectory(this.#upper, directory)) {
      removedBefore(name);
      const childPath = `${path}/${name}`;
      if (next < end && stack.name(next) === name) {
        this.#compare(ino, next, childPath);
        next += 1;
      } else this.#added(ino, childPath);
    }
    removedBefore(undefined);
  }

  #added(ino: number, path: string): void {
    this.#changes.push({ kind: 'A', path });
    if (!this.#upper.isDirectory(ino)) return;
    for (const child of listDirectory(this.#upper, ino)) this.#added(child.ino, `${path}/${child.name}`);
  }

  #compare(ino: number, number: number, path: string): void {
    const upper = this.#upper;
    const isSame = ino === upper.stack.canonical(number) + 1;
    if (!upper.isDirectory(ino)) {
      if (!isSame || upper.inodes.has(ino)) this.#changes.push({ kind: 'C', path });
      return;
    }
    const at = this.#changes.length;
    if (upper.stack.isDirectory(number)) this.directory(ino, number, path);
    else for (const child of listDirectory(upper, ino)) this.#added(child.ino, `${path}/${child.name}`);
    const differs = !isSame || this.#changes.length > at || upper.inodes.has(ino);
    if (differs) this.#changes.splice(at, 0, { kind: 'C', path });
  }
}

/** Directories with a change in them or anywhere below, as the union has them now. */
export function dirtyDirectories(upper: Upper): Set<number> {
  const dirty = new Set<number>();
  const mark = (directory: number) => markDirty(upper, dirty, directory);
  for (const directory of upper.dentries.keys()) if (!upper.orphans.has(directory)) mark(directory);
  for (const ino of upper.inodes.keys()) {
    const number = upper.lower(ino);
    if (number === undefined || upper.orphans.has(ino)) continue;
    // every lower name of a file shows its change, wherever its directory is now
    for (const name of upper.stack.names(number)) mark(upper.stack.parent(name) + 1);
  }
  return dirty;
}

/** Adds a directory and all above it. */
export function markDirty(upper: Upper, dirty: Set<number>, directory: number): void {
  for (let at = directory; !dirty.has(at); at = upper.parent(at)) dirty.add(at);
}

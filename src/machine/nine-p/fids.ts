/**
 * The fid table: the guest's handles. A fid is bound to an inode, not to a
 * path, and holds it, so that what it means survives rename and unlink.
 */

import { FsError } from '../../engine/unionfs/errno.ts';
import { type Node, staleNode, type Tree } from './export-root.ts';

/**
 * Handles that a guest may have at a time. It keeps one for each directory
 * entry in its cache, so the bound stands above what the largest guest's
 * memory can cache; it is there to bound the page's memory.
 */
export const MAX_FIDS = 1 << 20;

/** An extended attribute being read or written through a fid of its own. */
export type XattrHandle =
  | { readonly kind: 'read'; readonly bytes: Uint8Array }
  | {
      readonly kind: 'write';
      readonly name: string;
      readonly flags: number;
      readonly bytes: Uint8Array<ArrayBuffer>;
      written: number;
    };

export interface ListEntry {
  readonly name: string;
  readonly node: Node;
  readonly type: import('../../engine/unionfs/filesystem.ts').FileType;
}

export interface Fid {
  readonly node: Node;
  /** The user who attached: owner of what is made through this fid. */
  readonly uid: number;
  /** By which name it was reached, for the two old messages that mean "the file of this fid". */
  readonly reached?: { readonly directory: Node; readonly name: string };
  /** The directory as it was when it was read from the start. */
  list?: readonly ListEntry[];
  xattr?: XattrHandle;
}

export class FidTable {
  readonly #fids = new Map<number, Fid>();
  readonly #limit: number;

  constructor(limit = MAX_FIDS) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#fids.size;
  }

  /** EINVAL unless the number may be given to a new fid. */
  checkFree(number: number): void {
    if (this.#fids.has(number)) throw new FsError('EINVAL', `fid ${number} is in use`);
  }

  /** EBADF when there is none, ESTALE when its tree was withdrawn. */
  get(number: number): Fid {
    const fid = this.#fids.get(number);
    if (fid === undefined) throw new FsError('EBADF', `fid ${number}`);
    if (!fid.node.tree.isMounted) throw new FsError('ESTALE', fid.node.tree.path);
    return fid;
  }

  /** Binds a number, anew if it was bound. ENOMEM above the limit. */
  set(number: number, fid: Fid): void {
    const previous = this.#fids.get(number);
    if (previous === undefined && this.#fids.size >= this.#limit) {
      throw new FsError('ENOMEM', `${this.#limit} fids`);
    }
    fid.node.tree.fs.hold(fid.node.ino);
    this.#fids.set(number, fid);
    if (previous !== undefined) letGo(previous);
  }

  /** Gives a number back and returns what it meant. EBADF. */
  remove(number: number): Fid {
    const fid = this.#fids.get(number);
    if (fid === undefined) throw new FsError('EBADF', `fid ${number}`);
    this.#fids.delete(number);
    letGo(fid);
    return fid;
  }

  /** Lets go of a tree that is about to be unmounted; its numbers stay taken until the guest gives them back. */
  releaseTree(tree: Tree): void {
    const node = staleNode(tree);
    for (const [number, fid] of this.#fids) {
      if (fid.node.tree !== tree) continue;
      letGo(fid);
      this.#fids.set(number, { node, uid: fid.uid });
    }
  }

  clear(): void {
    for (const fid of this.#fids.values()) letGo(fid);
    this.#fids.clear();
  }
}

function letGo(fid: Fid): void {
  // a stale fid holds nothing: releaseTree let it go
  if (fid.node.tree.isMounted) fid.node.tree.fs.release(fid.node.ino);
}

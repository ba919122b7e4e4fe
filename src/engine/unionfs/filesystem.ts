/**
 * The filesystem port: what the 9P server, `docker cp`, commit and the
 * explorer see of a union, a volume or the host's home. By inode number, as
 * Linux's own VFS works, so that an open file stays the same file across
 * rename and unlink.
 *
 * All of the tree is in memory, so everything but content is synchronous and
 * throws FsError (errno.ts). Content may have to come from storage: `read`
 * answers at once where it can and with a promise where it must.
 *
 * Inode numbers are 1 (the root) .. 2^31-1, stable across reopening.
 * Names are single components as names.ts decodes them; the caller has
 * resolved "." and "..".
 *
 * Lifecycle of an inode held open: `hold` before first use by a handle,
 * `release` after the last; what has no name left goes when nobody holds it.
 */

export type FileType = 'file' | 'dir' | 'symlink' | 'char' | 'block' | 'fifo' | 'socket';

export interface Stat {
  readonly ino: number;
  readonly type: FileType;
  /** 0..0o7777 */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly nlink: number;
  /** Bytes; of a symlink the length of its target. */
  readonly size: number;
  /** Storage that its content takes in this layer and below, in 512-byte blocks; holes take none. */
  readonly blocks: number;
  /** Major and minor of a device, else [0, 0]. */
  readonly rdev: readonly [number, number];
  /** Nanoseconds since 1970. */
  readonly atimeNs: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  /** Grows with each change of content or metadata: the version of a 9P qid. */
  readonly version: number;
}

export interface Dirent {
  readonly name: string;
  readonly ino: number;
  readonly type: FileType;
}

export interface Attributes {
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly size?: number;
  /** `now` is the clock of the engine. */
  readonly atimeNs?: bigint | 'now';
  readonly mtimeNs?: bigint | 'now';
}

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

export interface SpaceUse {
  readonly blockSize: number;
  readonly blocks: number;
  readonly free: number;
  readonly files: number;
}

export interface FileSystem {
  readonly root: number;
  /** Inode of a child; ENOENT, ENOTDIR. */
  lookup(directory: number, name: string): number;
  /** The directory that holds this directory; the root's is the root. */
  parent(directory: number): number;
  stat(ino: number): Stat;
  /** Without "." and "..", bytewise by name: a snapshot. */
  readdir(directory: number): readonly Dirent[];
  readlink(ino: number): string;

  /** At most `length` bytes; fewer only at the end of the file. The result must not be written to. */
  read(ino: number, offset: number, length: number): Uint8Array | Promise<Uint8Array>;
  /** Copies what it needs of `bytes`. EFBIG, ENOSPC. */
  write(ino: number, offset: number, bytes: Uint8Array): number;
  /** Resolves when there is room for more writes (bounded memory); undefined: go on at once. */
  ready(): Promise<void> | undefined;
  /** Whether there is room for what was written before, and for nothing new: `space` says that nothing is free. */
  readonly isShort?: boolean;
  setattr(ino: number, attributes: Attributes): void;

  create(directory: number, name: string, mode: number, owner: Owner): number;
  mkdir(directory: number, name: string, mode: number, owner: Owner): number;
  symlink(directory: number, name: string, target: string, owner: Owner): number;
  mknod(
    directory: number,
    name: string,
    type: 'char' | 'block' | 'fifo' | 'socket' | 'file',
    mode: number,
    rdev: readonly [number, number],
    owner: Owner,
  ): number;
  /** EPERM for a directory, EMLINK, EEXIST. */
  link(ino: number, directory: number, name: string): void;
  /** rename(2): replaces what POSIX lets it replace. */
  rename(from: number, name: string, to: number, newName: string): void;
  unlink(directory: number, name: string): void;
  rmdir(directory: number, name: string): void;

  listxattr(ino: number): readonly string[];
  /** Undefined when there is none of that name. */
  getxattr(ino: number, name: string): Uint8Array<ArrayBuffer> | undefined;
  /** `flags`: 1 XATTR_CREATE, 2 XATTR_REPLACE; EEXIST, ENODATA. */
  setxattr(ino: number, name: string, value: Uint8Array, flags: number): void;
  removexattr(ino: number, name: string): void;

  hold(ino: number): void;
  release(ino: number): void;
  space(): SpaceUse;
  /** All that was changed so far is durable when it resolves. Rejects with FsError (ENOSPC, EIO). */
  flush(): Promise<void>;
}

/** `docker export`: all files of a container, whatever layer they are in, as one tar. */

import { endOfArchive, paddingAfter, tarHeaderOf } from '../archive/tar-writer.ts';
import { CancelledError, CorruptLayerError } from '../errors.ts';
import { printableName } from '../names.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import type { FileSystem } from '../unionfs/filesystem.ts';
import { type Walked, walk } from '../unionfs/walk.ts';
import type { Containers } from './containers.ts';

/** Content is read and given in pieces of at most so many bytes. */
const PIECE = 1 << 20;

/** The pieces of the tar, of what its programs wrote so far. Errors: those of the store; Cancelled. */
export async function* exportContainer(
  containers: Pick<Containers, 'openRootfs' | 'tell'>,
  record: ContainerRecord,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
  const rootfs = await containers.openRootfs(record.id);
  try {
    containers.tell('export', record.id);
    for await (const piece of treeTar(rootfs.union)) {
      if (signal.aborted) throw new CancelledError('the export was cancelled');
      yield piece;
    }
  } finally {
    await rootfs.release();
  }
}

/** A tree as a tar: bytewise by path, parents first, of a file with several names the content with the first. Sockets are left out. */
export async function* treeTar(tree: FileSystem): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
  const first = new Map<number, string>();
  for (const walked of walk(tree)) {
    const { stat } = walked;
    const path = walked.path.slice(1);
    if (path === '' || stat.type === 'socket') continue;
    const home = stat.type === 'dir' ? undefined : first.get(stat.ino);
    if (home !== undefined) {
      yield tarHeaderOf({ ...fieldsOf(walked, path), type: 'hardlink', link: home, xattrs: undefined });
      continue;
    }
    if (stat.nlink > 1) first.set(stat.ino, path);
    yield tarHeaderOf({ ...fieldsOf(walked, path), type: stat.type });
    if (stat.type === 'file') yield* contentOf(tree, walked);
  }
  yield endOfArchive.slice();
}

function fieldsOf({ stat, link, xattrs }: Walked, path: string) {
  const { mode, uid, gid, mtimeNs, size, type, rdev } = stat;
  const isDevice = type === 'char' || type === 'block';
  return {
    path,
    mode,
    uid,
    gid,
    mtimeNs,
    size,
    link,
    rdev: isDevice ? rdev : undefined,
    xattrs: xattrs === undefined ? undefined : new Map(Object.entries(xattrs)),
  };
}

async function* contentOf(
  tree: FileSystem,
  { path, stat: { ino, size } }: Walked,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
  tree.hold(ino);
  try {
    for (let at = 0; at < size; ) {
      const piece = await tree.read(ino, at, Math.min(PIECE, size - at));
      if (piece.length === 0) {
        throw new CorruptLayerError(
          `${JSON.stringify(printableName(path))} became shorter while it was exported: stop or pause the container, and try again`,
          { path },
        );
      }
      // what was read may be a view of something that goes on changing
      yield Uint8Array.from(piece);
      at += piece.length;
    }
  } finally {
    tree.release(ino);
  }
  const padding = paddingAfter(size);
  if (padding > 0) yield new Uint8Array(padding);
}

/**
 * A layer written as a tar (image-spec, layer.md): parents before their
 * children, bytewise by name, whiteouts and opaque markers as empty files. The
 * bytes depend on the entries and their content alone: not on the order in which
 * they came to be, and on no clock, so the same layer has the same diffID wherever it is written.
 *
 *     for await (const piece of layerToTar(union.snapshot(diffID), (entry, at, length) => union.read(entry.offset, at, length))) ...
 */

import { endOfArchive, paddingAfter, type TarFields, tarHeaderOf } from '../archive/tar-writer.ts';
import { CorruptLayerError } from '../errors.ts';
import { printableName } from '../names.ts';
import type { LayerEntry, LayerIndex } from './layer-index.ts';
import { opaqueMarker, whiteoutPrefix } from './layer-path.ts';

/** At most `length` bytes of the content of a file of the layer, from `offset` in it. */
export type ReadContent = (
  entry: LayerEntry,
  offset: number,
  length: number,
) => Uint8Array | Promise<Uint8Array>;

/** Content is read and given in pieces of at most so many bytes. */
const pieceLength = 1 << 20;

/**
 * The pieces of the tar, each in bytes of its own or in bytes that `read` gave. Of the names of a hard-linked file the first
 * in the order of the tar has the content. Directories that the layer does not name itself are left out.
 * Throws CorruptLayerError for a name that a tar of a layer cannot have (".wh.…"), and when `read` gives less than
 * the entry's size: the file changed meanwhile. What `isLeftOut` names (paths without a leading slash) does not come into it,
 * nor does a whiteout of it.
 */
export async function* layerToTar(
  index: LayerIndex,
  read: ReadContent,
  isLeftOut: (path: string) => boolean = () => false,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const homes = new Map<number, string>();
  for (const { entry, path } of inOrder(index)) {
    if (isLeftOut(joinedPath(path, entry.name))) continue;
    if (entry.type === 'whiteout') {
      yield tarHeaderOf(markerOf(joinedPath(path, `${whiteoutPrefix}${entry.name}`)));
      continue;
    }
    if (entry.name.startsWith(whiteoutPrefix)) {
      throw new CorruptLayerError(
        `${quoted(`/${path === '' ? '' : `${path}/`}${entry.name}`)} cannot be put in a layer: names that begin with ${whiteoutPrefix} say there what is removed; rename it`,
        { path: joinedPath(path, entry.name) },
      );
    }
    const at = joinedPath(path, entry.name);
    if (entry.type === 'dir') {
      if (!entry.implicit) yield tarHeaderOf(fieldsOf(entry, at, 'dir'));
      if (entry.opaque) yield tarHeaderOf(markerOf(joinedPath(at, opaqueMarker)));
      continue;
    }
    const target = entry.type === 'hardlink' ? index.find(entry.link ?? '') : entry.number;
    const shared = target === undefined ? entry : index.entry(target);
    const home = target === undefined ? entry.link : homes.get(target);
    if (home !== undefined) {
      yield tarHeaderOf({ ...fieldsOf(shared, at, 'hardlink'), link: home, xattrs: undefined });
      continue;
    }
    if (shared.type === 'hardlink' || shared.type === 'whiteout' || shared.type === 'dir') {
      throw new CorruptLayerError(`${quoted(at)} is a hard link to a ${shared.type} of the same layer`);
    }
    if (target !== undefined) homes.set(target, at);
    yield tarHeaderOf(fieldsOf(shared, at, shared.type));
    if (shared.type === 'file') yield* contentOf(shared, at, read);
  }
  yield endOfArchive.slice();
}

const quoted = (path: string) => JSON.stringify(printableName(path));

function joinedPath(directory: string, name: string): string {
  return directory === '' ? name : `${directory}/${name}`;
}

/** Each entry with the path of the directory that it is in; of the root, "". */
function* inOrder(index: LayerIndex): Generator<{ entry: LayerEntry; path: string }> {
  yield { entry: index.entry(0), path: '' };
  const levels = [{ next: index.children(0)[0], end: index.children(0)[1], path: '' }];
  for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
    if (level.next === level.end) {
      levels.pop();
      continue;
    }
    const entry = index.entry(level.next);
    level.next += 1;
    yield { entry, path: level.path };
    if (entry.type !== 'dir') continue;
    const [next, end] = index.children(entry.number);
    levels.push({ next, end, path: joinedPath(level.path, entry.name) });
  }
}

function fieldsOf(entry: LayerEntry, path: string, type: TarFields['type']): TarFields {
  const { mode, uid, gid, mtimeNs, size, link, rdev, xattrs } = entry;
  return { path, type, mode, uid, gid, mtimeNs, size, link, rdev, xattrs };
}

/** A marker says what it says by its name; all else about it is fixed. */
function markerOf(path: string): TarFields {
  return { path, type: 'file', mode: 0, uid: 0, gid: 0, mtimeNs: 0n };
}

async function* contentOf(
  entry: LayerEntry,
  path: string,
  read: ReadContent,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for (let at = 0; at < entry.size; ) {
    const wanted = Math.min(pieceLength, entry.size - at);
    const piece = await read(entry, at, wanted);
    if (piece.length === 0 || piece.length > wanted) {
      throw new CorruptLayerError(
        `${quoted(`/${path}`)} gave ${piece.length} of ${wanted} bytes at ${at}: it changed while the layer was written; try again`,
        { path },
      );
    }
    // what was read may be a view of something that goes on changing
    yield Uint8Array.from(piece);
    at += piece.length;
  }
  const padding = paddingAfter(entry.size);
  if (padding > 0) yield new Uint8Array(padding);
}

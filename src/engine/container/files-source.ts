/**
 * The files of an image or a container as indexes: what another thread needs to show them, and does not need this one
 * for then. Contents stay where they are.
 */

import { NoSuchFileError } from '../errors.ts';
import type { LayerIndex } from '../layer/layer-index.ts';
import { openLayerIndex } from '../layer/packed-layer-index.ts';
import { stackLayers } from '../layer/stack.ts';
import { printableName } from '../names.ts';
import type { DiffID } from '../oci/digest.ts';
import { FsError } from '../unionfs/errno.ts';
import { resolvePath } from '../unionfs/resolve.ts';
import { openUnion } from '../unionfs/union.ts';
import { entryAt, type OpenFiles, type WalkEntry } from './files-view.ts';
import { emptyJournal } from './image-view.ts';

export interface FilesSource {
  /** The same as long as the files are. */
  readonly version: string;
  /** Of the image, bottom first. */
  readonly layers: readonly DiffID[];
  /** Whose the indexes above the image's are. */
  readonly container?: string;
  /** Packed indexes of what lies above the image's layers: the init layer and the container's own. */
  readonly above: readonly ArrayBuffer[];
}

/** A part of a directory. */
export interface DirectoryListing {
  /** How many names the directory has. */
  readonly count: number;
  /** Those that were asked for, bytewise by name. */
  readonly entries: readonly WalkEntry[];
}

/** Names `[start, end)` of a directory. Default: all. */
export interface NameRange {
  readonly start?: number;
  readonly end?: number;
}

/** No layer has it. It is not stored: the index is only looked at. */
const SNAPSHOT: DiffID = `sha256:${'0'.repeat(64)}`;

/** Of an image; undefined when its files are as `known` says. */
export function imageSource(layers: readonly DiffID[], known: string | undefined): FilesSource | undefined {
  const version = layers.join(' ');
  return version === known ? undefined : { version, layers, above: [] };
}

/** Of a container, as its files are now; undefined when they are as `known` says. */
export function containerSource(
  { union, layers, container }: Required<OpenFiles>,
  known: string | undefined,
): FilesSource | undefined {
  const version = `${container} ${union.version}`;
  if (version === known) return undefined;
  const init = union.stack.layers.slice(layers.length).map(({ buffer }) => buffer);
  return { version, layers, container, above: [...init, union.snapshot(SNAPSHOT).buffer] };
}

/** The files of a source, without their contents. Rejects as `openIndex` does, and with CorruptLayerError. */
export async function openSource(
  source: FilesSource,
  openIndex: (diffID: DiffID) => Promise<LayerIndex>,
): Promise<OpenFiles> {
  const { layers, container, above } = source;
  const indexes = [...(await Promise.all(layers.map(openIndex))), ...above.map(openLayerIndex)];
  const stack = stackLayers(indexes);
  const read = () => Promise.reject(new FsError('EIO', 'only the indexes are here'));
  const lowers = stack.layers.map((index) => ({ index, read }));
  const union = await openUnion({ lowers, stack, journal: emptyJournal, now: () => 0n });
  return { union, layers, ...(container !== undefined && { container }) };
}

/** What is in a directory, links on the way followed inside the root. NoSuchFileError for what is none. */
export function listFiles(files: OpenFiles, path: string, { start = 0, end }: NameRange): DirectoryListing {
  const { union } = files;
  try {
    const directory = resolvePath(union, path);
    const names = union.readdir(directory).filter(({ type }) => type !== 'socket');
    const at = `/${path}/`.replace(/\/+/g, '/');
    const entries: WalkEntry[] = [];
    for (const { name, ino } of names.slice(start, end)) {
      const entry = entryAt(files, ino, `${at}${name}`);
      if (entry !== undefined) entries.push(entry);
    }
    return { count: names.length, entries };
  } catch (error) {
    if (!(error instanceof FsError)) throw error;
    throw new NoSuchFileError(
      `${JSON.stringify(printableName(path))} is no directory here: name one by its absolute path`,
      { path, errno: error.errno },
    );
  }
}

/** A tar that arrives in chunks of any size as pieces. */

import { type TarEntry, TarReader } from '../archive/tar-reader.ts';
import type { TarFields } from '../archive/tar-writer.ts';
import type { Piece } from './pieces.ts';

/** Where content lies in the tar, and where in its file it belongs. */
interface Stretch {
  readonly from: number;
  readonly end: number;
  readonly at: number;
}

/** Paths as the tar has them, less slashes at either end. Throws CorruptLayerError for what is no tar, in the words of TarReader. */
export async function* piecesOfTar(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Piece> {
  const found: TarEntry[] = [];
  const reader = new TarReader((entry) => found.push(entry));
  let stretches: Stretch[] = [];
  for await (const chunk of chunks) {
    const from = reader.size;
    const end = from + chunk.length;
    reader.push(chunk);
    yield* contentIn(stretches, chunk, from, end);
    for (const entry of found.splice(0)) {
      yield { entry: fieldsOf(entry) };
      stretches = stretchesOf(entry);
      yield* contentIn(stretches, chunk, from, end);
    }
  }
  reader.end();
}

function stretchesOf({ type, offset, size, extents }: TarEntry): Stretch[] {
  if (type !== 'file') return [];
  if (extents === undefined) return [{ from: offset, end: offset + size, at: 0 }];
  let from = offset;
  return extents.map((extent) => {
    const stretch = { from, end: from + extent.length, at: extent.start };
    from = stretch.end;
    return stretch;
  });
}

function* contentIn(stretches: readonly Stretch[], chunk: Uint8Array, from: number, end: number) {
  for (const stretch of stretches) {
    const first = Math.max(stretch.from, from);
    const last = Math.min(stretch.end, end);
    if (first >= last) continue;
    yield { at: stretch.at + first - stretch.from, bytes: chunk.subarray(first - from, last - from) };
  }
}

function fieldsOf(entry: TarEntry): TarFields {
  const { path, type, mode, uid, gid, mtimeNs, size, link, rdev, xattrs } = entry;
  return {
    path: path.replace(/^\/+|\/+$/g, ''),
    type,
    mode: mode & 0o7777,
    uid,
    gid,
    mtimeNs,
    ...(type === 'file' && { size }),
    ...(link !== undefined && { link: type === 'hardlink' ? link.replace(/^\/+/, '') : link }),
    ...(rdev !== undefined && { rdev }),
    ...(xattrs !== undefined && xattrs.size > 0 && { xattrs }),
  };
}

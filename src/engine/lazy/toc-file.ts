/** The file in which an eStargz layer has its table of contents (stargz-snapshotter, docs/estargz.md, "TOC and TOCEntries"). */

import { GzipDecoder } from '../archive/gzip-decoder.ts';
import { joinBytes } from '../archive/join-bytes.ts';
import { type TarEntry, TarReader } from '../archive/tar-reader.ts';
import { CorruptLayerError } from '../errors.ts';
import { printableName } from '../names.ts';
import { CannotBeLazy } from './cannot-be-lazy.ts';
import { tocLimit } from './lazy-format.ts';

const tocName = 'stargz.index.json';

/**
 * The one file in the tar that the last gzip member of an eStargz blob ends with. Throws CorruptLayerError when it is another
 * one or cut off, CannotBeLazy when it is too large.
 */
export function tocFile(compressed: Uint8Array): { entry: TarEntry; json: Uint8Array<ArrayBuffer> } {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  let first: TarEntry | undefined;
  const reader = new TarReader((entry) => {
    first ??= entry;
  });
  for (const piece of new GzipDecoder().push(compressed)) {
    reader.push(piece);
    pieces.push(piece);
    length += piece.length;
    if (length > tocLimit) throw new CannotBeLazy(`its table of contents is larger than ${tocLimit} bytes`);
  }
  const entry: TarEntry | undefined = first;
  if (entry === undefined || entry.path !== tocName || entry.type !== 'file') {
    const found = entry === undefined ? 'nothing' : JSON.stringify(printableName(entry.path));
    throw new CorruptLayerError(`where its table of contents should be is ${found}, not ${tocName}`);
  }
  if (entry.offset + entry.size > length) {
    throw new CorruptLayerError(
      `its table of contents ends after ${length - entry.offset} of ${entry.size} bytes`,
    );
  }
  return { entry, json: joinBytes(pieces).slice(entry.offset, entry.offset + entry.size) };
}

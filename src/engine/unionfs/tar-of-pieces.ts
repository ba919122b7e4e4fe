/** Pieces written as a tar. */

import { endOfArchive, paddingAfter, type TarFields, tarHeaderOf } from '../archive/tar-writer.ts';
import type { Pieces } from './pieces.ts';

/** Zeros of holes are given in chunks of at most so many bytes. */
const ZEROS = 1 << 16;

/** The chunks of the tar, each in bytes of its own. What a piece does not bring of its entry's content is zeros. `headerOf`: an entry's header blocks. */
export async function* tarOfPieces(
  pieces: Pieces,
  headerOf: (entry: TarFields) => Uint8Array<ArrayBuffer> = tarHeaderOf,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let at = 0;
  let size = 0;
  for await (const piece of pieces) {
    if ('entry' in piece) {
      yield* zeros(size - at + paddingAfter(size));
      yield headerOf(piece.entry);
      at = 0;
      size = piece.entry.type === 'file' ? (piece.entry.size ?? 0) : 0;
    } else {
      yield* zeros(piece.at - at);
      yield Uint8Array.from(piece.bytes);
      at = piece.at + piece.bytes.length;
    }
  }
  yield* zeros(size - at + paddingAfter(size));
  yield endOfArchive.slice();
}

function* zeros(count: number): Generator<Uint8Array<ArrayBuffer>> {
  for (let left = count; left > 0; left -= ZEROS) yield new Uint8Array(Math.min(left, ZEROS));
}

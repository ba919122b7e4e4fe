/**
 * Trees on their way from one place to another: entries as a tar has them, parents before their children, each followed
 * by the pieces of its content. What makes them and what takes them need not know each other.
 */

import type { TarFields } from '../archive/tar-writer.ts';

export type Piece =
  | { readonly entry: TarFields }
  /** Of the content of the last entry, from `at` in it; pieces ascend, and what is between them is a hole. */
  | { readonly at: number; readonly bytes: Uint8Array };

export type Pieces = AsyncIterable<Piece>;

/** The entries under other names; those for which `rename` gives undefined are left out, with their content. */
export async function* renamed(
  pieces: Pieces,
  rename: (entry: TarFields) => TarFields | undefined,
): AsyncGenerator<Piece> {
  let isTaken = false;
  for await (const piece of pieces) {
    if (!('entry' in piece)) {
      if (isTaken) yield piece;
      continue;
    }
    const entry = rename(piece.entry);
    isTaken = entry !== undefined;
    if (entry !== undefined) yield { entry };
  }
}

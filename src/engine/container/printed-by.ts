/** What a program of the guest prints, as it comes. */

import { decodeName } from '../names.ts';
import type { Process } from './machine.ts';

/**
 * The pieces of its standard output; at the end its exit code and what it said on its standard error. It is given no
 * input. `leave` is called when nobody reads to the end.
 */
export async function* printedBy(
  process: Process,
  leave: () => void,
): AsyncGenerator<Uint8Array<ArrayBuffer>, { readonly code: number; readonly err: string }, void> {
  process.closeInput();
  let err = '';
  let isOver = false;
  try {
    for await (const { stream, bytes } of process.output) {
      if (stream === 'out') yield bytes;
      else err += decodeName(bytes);
    }
    isOver = true;
  } finally {
    if (!isOver) leave();
  }
  const { code } = await process.exit;
  return { code, err };
}

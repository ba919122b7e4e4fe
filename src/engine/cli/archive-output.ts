/** Where `docker save` and `docker export` write to: standard output, or a file of the host. */

import { NoSuchFileError } from '../errors.ts';
import type { Invocation } from './command.ts';
import { absolutePath } from './host-path.ts';
import { refusal } from './refusal.ts';

/**
 * Writes the pieces, as fast as they are taken. `verb`: `save image`, for messages. UsageError in the words of docker
 * 28.2.2; rejects as the pieces do, and then there is no file.
 */
export async function writeArchive(
  { flags, host, stdio }: Invocation,
  verb: string,
  pieces: AsyncIterable<Uint8Array<ArrayBuffer>>,
): Promise<void> {
  if (!flags.given('output') || flags.string('output') === '') {
    for await (const piece of pieces) await stdio.write('out', piece);
    return;
  }
  const path = flags.string('output');
  try {
    await host.files.write(absolutePath(path, stdio), pieces);
  } catch (error) {
    if (!(error instanceof NoSuchFileError)) throw error;
    const folder = path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '.';
    const message = error.message.replace(/stat \S.*: no such/s, `stat ${folder}: no such`);
    throw refusal(`failed to ${verb}: ${message}`);
  }
}

/** Throws UsageError when there would be nowhere to write but a terminal. */
export function refuseTerminal({ flags, stdio }: Invocation): void {
  if (flags.string('output') !== '' || !stdio.terminal.stdout) return;
  throw refusal('cowardly refusing to save to a terminal. Use the -o flag or redirect');
}

/** Files of the host's side that a command line names. */

import { NoSuchFileError, UsageError } from '../errors.ts';
import { decodeName } from '../names.ts';
import type { DockerHost } from './docker-host.ts';
import { absolutePath } from './host-path.ts';
import type { Stdio } from './stdio.ts';

/** The text of a file. UsageError in Docker's words when it cannot be read. */
export async function readFileOf(path: string, host: DockerHost, stdio: Stdio): Promise<string> {
  let text = '';
  try {
    for await (const piece of host.files.read(absolutePath(path, stdio))) text += decodeName(piece);
  } catch (error) {
    if (error instanceof NoSuchFileError) throw new UsageError(error.message, { plain: true });
    throw error;
  }
  return text;
}

/** Files of the host that a command line names. */

import { joinBytes } from '../archive/join-bytes.ts';
import { NoSuchFileError } from '../errors.ts';
import { decodeName, printableName } from '../names.ts';
import type { DockerHost } from './docker-host.ts';
import { absolutePath } from './host-path.ts';
import { refusal } from './refusal.ts';
import type { Stdio } from './stdio.ts';

/** The content of a file. UsageError in Docker's words, before the first piece, when it cannot be opened. */
export async function* fileInput(
  path: string,
  { files }: Pick<DockerHost, 'files'>,
  stdio: Pick<Stdio, 'cwd'>,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
  const absolute = absolutePath(path, stdio);
  try {
    yield* files.read(absolute);
  } catch (error) {
    if (!(error instanceof NoSuchFileError)) throw error;
    throw refusal(error.message.replace(printableName(absolute), () => printableName(path)));
  }
}

/** The text of a file. Errors as `fileInput`. */
export async function readFileOf(
  path: string,
  host: Pick<DockerHost, 'files'>,
  stdio: Pick<Stdio, 'cwd'>,
): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of fileInput(path, host, stdio)) pieces.push(piece);
  // a character may begin in one piece and end in the next
  return decodeName(joinBytes(pieces));
}

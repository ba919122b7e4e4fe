/** `--cidfile`: the file that a new container's ID is written to. */

import { NoSuchFileError, UsageError } from '../errors.ts';
import { encodeName, printableName } from '../names.ts';
import type { Invocation } from './command.ts';
import { absolutePath } from './host-path.ts';

/** The path of the flag; undefined when it was not given. UsageError in Docker's words when there is such a file. */
export async function cidFileOf(
  { flags, host, stdio }: Invocation,
  data: { readonly exitCode?: number },
): Promise<string | undefined> {
  const file = flags.string('cidfile');
  if (file === '') return undefined;
  const path = absolutePath(file, stdio);
  if (await exists(host.files.read(path))) {
    throw new UsageError(
      `container ID file found, make sure the other container isn't running or delete ${printableName(file)}`,
      { ...data, plain: true },
    );
  }
  return path;
}

async function exists(content: AsyncGenerator<Uint8Array>): Promise<boolean> {
  try {
    await content.next();
    await content.return(undefined);
    return true;
  } catch (error) {
    if (error instanceof NoSuchFileError) return /is a directory/.test(error.message);
    throw error;
  }
}

/** NoSuchFileError in Docker's words when the folder is not there. */
export async function writeCidFile({ host }: Invocation, path: string, id: string): Promise<void> {
  await host.files.write(path, onePiece(encodeName(id)));
}

async function* onePiece(bytes: Uint8Array<ArrayBuffer>): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  yield bytes;
}

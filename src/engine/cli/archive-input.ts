/** What `docker load` and `docker import` read from: a file of the host, or standard input. */

import { CancelledError, NoSuchFileError, UsageError } from '../errors.ts';
import type { DockerHost } from './docker-host.ts';
import { absolutePath } from './host-path.ts';
import type { Stdio } from './stdio.ts';

/** The file's content. UsageError in Docker's words, before the first piece, when it cannot be opened. */
export async function* fileInput(
  path: string,
  host: DockerHost,
  stdio: Stdio,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
  try {
    yield* host.files.read(absolutePath(path, stdio));
  } catch (error) {
    if (!(error instanceof NoSuchFileError)) throw error;
    const absolute = absolutePath(path, stdio);
    throw new UsageError(error.message.replace(absolute, path), { exitCode: 1, plain: true });
  }
}

/** Standard input to its end; CancelledError at Ctrl-C. */
export async function* standardInput(stdio: Stdio): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
  stdio.attach({ stdin: true, raw: false, signals: false });
  const { signal } = stdio;
  const interrupted = new Promise<never>((_, reject) => {
    const interrupt = () => reject(new CancelledError('the input was interrupted'));
    if (signal.aborted) interrupt();
    else signal.addEventListener('abort', interrupt, { once: true });
  });
  interrupted.catch(() => undefined); // only a wait for input wants to know
  const input = stdio.input[Symbol.asyncIterator]();
  for (;;) {
    const step = await Promise.race([input.next(), interrupted]);
    if (step.done === true) return;
    yield step.value;
  }
}

/** The archive that `docker load`, `docker import` and `docker cp` read from standard input. */

import { CancelledError } from '../errors.ts';
import type { Stdio } from './stdio.ts';

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

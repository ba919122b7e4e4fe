/** Commands that do one thing to each of their words, as `docker stop a b` does. */

import type { Containers } from '../../container/containers.ts';
import type { Invocation } from '../command.ts';
import { errorText } from '../error-text.ts';

/**
 * Does `act` to each word and prints what it answers; a failure is told and the rest goes on. The exit code: 1 when
 * any failed.
 */
export async function eachWord(
  { words, print, stdio }: Invocation,
  act: (word: string) => Promise<string | undefined>,
): Promise<number> {
  let code = 0;
  for (const word of words) {
    stdio.signal.throwIfAborted();
    try {
      const text = await act(word);
      if (text !== undefined) await print.line(text);
    } catch (error) {
      if (stdio.signal.aborted) throw error;
      await print.error(errorText(error));
      code = 1;
    }
  }
  return code;
}

/** Does `act` to the container that each word names, and prints the word. */
export function eachContainer(
  invocation: Invocation,
  act: (containers: Containers, id: string) => Promise<unknown>,
): Promise<number> {
  const { containers } = invocation.host;
  return eachWord(invocation, async (word) => {
    await act(containers, containers.resolve(word).id);
    return word;
  });
}

/** Commands that do one thing to each of their words, as `docker stop a b` does. */

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

/** What Docker's client refuses by itself: its message stands alone, without the usage of the command. */

import { UsageError } from '../errors.ts';

/** The exit code is that of the command's other failures. */
export function refusal(message: string): Error {
  return new UsageError(message, { plain: true });
}

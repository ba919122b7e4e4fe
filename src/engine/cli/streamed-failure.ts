/** Failures of commands whose output Docker's daemon streams: its client prints them as they come, without saying whose they are. */

import { LayerboxError, UsageError } from '../errors.ts';

/** What the command line itself is to deal with. */
const PASSED = new Set(['Usage', 'NotYet', 'Cancelled']);

/** Resolves as the work does; what the engine refuses is told in its own words alone. */
export async function streamed<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof LayerboxError) || PASSED.has(error.code)) throw error;
    throw new UsageError(error.message, { exitCode: 1, plain: true }, { cause: error });
  }
}

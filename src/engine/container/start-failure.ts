/** Why a program did not start, in Docker's words. */

import { CannotStartError, LayerboxError } from '../errors.ts';
import { printableName } from '../names.ts';

/**
 * What `Machine.spawn` threw, said as Docker says it: `stage` before it, `unknown` (the kind of the error to
 * containerd) behind it; data.exitCode stays. An error of another kind stays what it is.
 */
export function startFailure(error: unknown, stage: string): LayerboxError {
  if (error instanceof CannotStartError) {
    return new CannotStartError(`${stage}${printableName(error.message)}: unknown`, error.data, {
      cause: error,
    });
  }
  if (error instanceof LayerboxError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new CannotStartError(`${stage}${printableName(reason)}`, { exitCode: 125 }, { cause: error });
}

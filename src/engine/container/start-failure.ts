/** Why a program did not start, in Docker's words. */

import { CannotStartError, LayerboxError } from '../errors.ts';
import { printableName } from '../names.ts';

/**
 * What `Machine.spawn` threw, said as Docker says it: `stage` before it, `unknown` (the kind of the error to
 * containerd) behind it; data.exitCode stays. An error of another kind stays what it is.
 */
export function startFailure(error: unknown, stage: string): LayerboxError {
  if (error instanceof CannotStartError) {
    return new CannotStartError(`${stage}${printableName(withAdvice(error.message))}: unknown`, error.data, {
      cause: error,
    });
  }
  if (error instanceof LayerboxError) return error;
  const reason = error instanceof Error ? error.message : String(error);
  return new CannotStartError(`${stage}${printableName(reason)}`, { exitCode: 125 }, { cause: error });
}

/** As runc says what it does of a folder that is to be mounted on a file, or a file on a folder. */
function withAdvice(message: string): string {
  if (!message.startsWith('error mounting ')) return message;
  return message.replace(
    /: Not a directory$/,
    ': not a directory: Are you trying to mount a directory onto a file (or vice-versa)? Check if the specified host path exists and is the expected type',
  );
}

/**
 * What `Machine.spawn` threw for `docker exec`. A working directory that cannot be entered is runc's error (libcontainer,
 * finalizeNamespace), and Docker takes the exit code from its words (moby, daemon/errors.go): 127 for one that is not
 * there, 126 for one that is no directory or not open to the user.
 */
export function execFailure(error: unknown, cwd: string): LayerboxError {
  const stage = 'OCI runtime exec failed: exec failed: ';
  const here = `${cwd}: `;
  if (
    !(error instanceof CannotStartError) ||
    error.data.exitCode !== 125 ||
    !error.message.startsWith(here)
  ) {
    return startFailure(error, stage);
  }
  const reason = error.message.slice(here.length).toLowerCase();
  const text = `chdir to cwd ("${cwd}") set in config.json failed: ${reason}`;
  const exitCode = reason === 'no such file or directory' ? 127 : 126;
  return startFailure(new CannotStartError(text, { ...error.data, exitCode }, { cause: error }), stage);
}

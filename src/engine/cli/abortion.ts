/** For commands that wait for what may never come. */

import { CancelledError } from '../errors.ts';

/** Rejects with CancelledError when the signal is aborted; never resolves. */
export function abortion(signal: AbortSignal): Promise<never> {
  const left = new Promise<never>((_, reject) => {
    const leave = () => reject(new CancelledError('the command was interrupted'));
    if (signal.aborted) leave();
    else signal.addEventListener('abort', leave, { once: true });
  });
  left.catch(() => undefined); // who races against it has the error
  return left;
}

/** Resolves after so many milliseconds, or at once when the signal is aborted. */
export function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
}

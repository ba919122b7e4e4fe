import { MachineFailedError } from '../engine/errors.ts';

/** The promise, or a MachineFailedError with this message when it takes longer. */
export function within<T>(milliseconds: number, message: string, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new MachineFailedError(message)), milliseconds);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** How much memory this thread has, in the heap and outside of it. */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collector: unknown = runInNewContext('gc');

/** Lets go of what is garbage. */
export function collect(): void {
  if (typeof collector !== 'function') throw new TypeError('garbage cannot be collected at will');
  collector();
  // a WebAssembly memory goes after the object that held it
  collector();
}

/** Bytes of this thread's ArrayBuffers and WebAssembly memories, and of whatever else its heap only points to. */
export function buffers(): number {
  return process.memoryUsage().external;
}

/** Bytes in the heap and outside of it, garbage and all. */
export function inUse(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

export const megabytes = (bytes: number) => `${Math.round(bytes / 1_000_000)} MB`;

/** Waiting for the garbage collector, in Node. */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const gc: unknown = runInNewContext('gc');

/** True once it holds; false when it does not after so many collections. */
export async function holdsOnceCollected(holds: () => boolean, collections = 20): Promise<boolean> {
  if (typeof gc !== 'function') throw new TypeError('there is no gc()');
  for (let turn = 0; turn < collections && !holds(); turn++) {
    // what is weak is let go of, and told, between two turns of the event loop
    await new Promise((next) => setImmediate(next));
    gc();
    await new Promise((next) => setImmediate(next));
  }
  return holds();
}

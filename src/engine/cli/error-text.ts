/** How a failure of the engine is said on the command line. */

import { InvalidReferenceError, LayerboxError } from '../errors.ts';
import { printableName } from '../names.ts';

/** Errors that Docker's client finds by itself, before it asks its daemon. */
const OF_THE_CLIENT = new Set(['InvalidReference', 'InvalidPlatform']);

/** The message, said to be the daemon's where Docker's client would say so. */
export function errorText(error: unknown): string {
  const message = printableText(error instanceof Error ? error.message : String(error));
  const isOfTheClient = error instanceof LayerboxError && OF_THE_CLIENT.has(error.code);
  return isOfTheClient ? message : `Error response from daemon: ${message}`;
}

/** What the work refuses is the daemon's: names that Docker's client hands on as they are. */
export async function fromDaemon<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof InvalidReferenceError)) throw error;
    throw new LayerboxError(error.message, error.data, { cause: error });
  }
}

/** Lines stay lines; what else controls a terminal does not pass. */
export function printableText(text: string): string {
  return text.split('\n').map(printableName).join('\n');
}

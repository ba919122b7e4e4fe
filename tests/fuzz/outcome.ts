/** What became of one input. */

import { LayerboxError } from '../../src/engine/errors.ts';
import type { FuzzedParser } from './parsers.ts';

/** `bug`: in words, what is wrong with the parser. */
export type Outcome = 'parsed' | 'refused' | { readonly bug: string };

const megabyte = 1_000_000;

/** Parses the input, which it may change. */
export function outcomeOf(parser: FuzzedParser, input: Uint8Array<ArrayBuffer>): Outcome {
  const most = parser.most?.(input.length) ?? megabyte + input.length * 1000;
  try {
    const size = parser.parse(input);
    return size <= most
      ? 'parsed'
      : { bug: `${input.length} bytes became ${size}, and at most ${most} are right` };
  } catch (error) {
    if (error instanceof LayerboxError) return 'refused';
    if (parser.refusals?.some((Class) => error instanceof Class) === true) return 'refused';
    return { bug: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

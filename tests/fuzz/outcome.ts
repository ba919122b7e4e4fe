/** What became of one input. */

import { LayerboxError } from '../../src/engine/errors.ts';
import type { Bytes, FuzzedParser } from './fuzzed-parser.ts';
import { buffers, collect, megabytes } from './memory.ts';

/** `bug`: in words, what is wrong with the parser. */
export type Outcome = 'parsed' | 'refused' | { readonly bug: string };

const megabyte = 1_000_000;
/** Bytes outside of the heap that one input may come to need: two chunks of a layer, and what they are made of. */
const mostBuffers = 256 * megabyte;

/** Parses the input, which it may change. */
export async function outcomeOf(parser: FuzzedParser, input: Bytes): Promise<Outcome> {
  const before = buffersBefore();
  const outcome = await parsed(parser, input);
  const taken = buffers() - before;
  if (taken <= mostBuffers) return outcome;
  return {
    bug: `${input.length} bytes took ${megabytes(taken)} of buffers outside of the heap, and at most ${megabytes(mostBuffers)} are right`,
  };
}

let least = buffers();

/** Garbage of earlier inputs that goes while this one is parsed would hide what it takes: it goes before when it is much. */
function buffersBefore(): number {
  const before = buffers();
  if (before - least <= mostBuffers / 4) return before;
  collect();
  least = buffers();
  return least;
}

async function parsed(parser: FuzzedParser, input: Bytes): Promise<Outcome> {
  const { length } = input;
  const most = parser.most?.(length) ?? megabyte + length * 1000;
  try {
    const size = await parser.parse(input);
    return size <= most ? 'parsed' : { bug: `${length} bytes became ${size}, and at most ${most} are right` };
  } catch (error) {
    if (error instanceof LayerboxError) return 'refused';
    if (parser.refusals?.some((Class) => error instanceof Class) === true) return 'refused';
    return { bug: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

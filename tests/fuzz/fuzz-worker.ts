/** Parsers fuzzed in a thread of its own, so that whoever started it can tell when one hangs, and end it. */

import { parentPort, workerData } from 'node:worker_threads';
import { faultyParsers } from './faulty-parsers.ts';
import type { Bytes, FuzzedParser } from './fuzzed-parser.ts';
import { collect, inUse, megabytes } from './memory.ts';
import { mutate, randomOf } from './mutate.ts';
import { outcomeOf } from './outcome.ts';
import { keptSeeds } from './seeds.ts';
import { type FuzzReport, type FuzzTask, SharedInput } from './shared-input.ts';

/** Bytes that may be left of all inputs together. */
const mostKept = 64_000_000;
/** Inputs of one turn of the event loop. */
const breath = 50;

const shared = new SharedInput(workerData);
parentPort?.on('message', async (task: FuzzTask) => parentPort?.postMessage(await fuzzed(task)));
parentPort?.postMessage('ready');

async function fuzzed(task: FuzzTask): Promise<FuzzReport> {
  const { parser, seeds } = await rowOf(task.name);
  const random = randomOf(task.seed);
  const until = performance.now() + task.seconds * 1000;
  let parsed = 0;
  let refused = 0;
  for (let runs = 0; runs < task.runs && performance.now() < until; runs++) {
    const input = mutate(seeds, random, parser.words ?? ['']);
    if (random(4) > 0) parser.mend?.(input);
    shared.write(input);
    // what a platform holds until the end of a turn of the event loop is no leak, but without an end it would be
    if (runs % breath === 0) await new Promise(setImmediate);
    const outcome = await outcomeOf(parser, input.slice());
    if (outcome === 'parsed') parsed += 1;
    else if (outcome === 'refused') refused += 1;
    else return { parsed, refused, failure: { reason: outcome.bug, input } };
  }
  const left = keptSince();
  if (left <= mostKept) return { parsed, refused, failure: undefined };
  const reason = `${megabytes(left)} are left in memory of ${parsed + refused} inputs, of which this is the last`;
  return { parsed, refused, failure: { reason, input: shared.input } };
}

/** The parsers are loaded when the first of them is wanted: those that fail need none. */
async function rowOf(
  name: string,
): Promise<{ readonly parser: FuzzedParser; readonly seeds: readonly Bytes[] }> {
  const faulty = faultyParsers[name];
  if (faulty !== undefined) return { parser: faulty, seeds: [Uint8Array.of(1, 2, 3)] };
  const { parserOf } = await import('./parsers.ts');
  return { parser: parserOf(name), seeds: keptSeeds(name).map(({ bytes }) => bytes) };
}

let before = inUse();

/** Bytes that are in use, in the heap and outside of it, and were not when it was looked last. */
function keptSince(): number {
  // what is garbage still is nothing to look at while it is little: collecting it takes a while
  if (inUse() - before <= mostKept) return 0;
  collect();
  const left = inUse() - before;
  before += left;
  return left;
}

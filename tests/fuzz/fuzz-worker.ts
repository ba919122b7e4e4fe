/** Parsers fuzzed in a thread of its own, so that whoever started it can tell when one hangs, and end it. */

import { parentPort, workerData } from 'node:worker_threads';
import { mutate, randomOf } from './mutate.ts';
import { outcomeOf } from './outcome.ts';
import { parserOf } from './parsers.ts';
import { type FuzzReport, type FuzzTask, SharedInput } from './shared-input.ts';

const shared = new SharedInput(workerData);
parentPort?.on('message', (task: FuzzTask) => parentPort?.postMessage(fuzzed(task)));
parentPort?.postMessage('ready');

function fuzzed(task: FuzzTask): FuzzReport {
  const parser = parserOf(task.name);
  const random = randomOf(task.seed);
  const until = performance.now() + task.seconds * 1000;
  let parsed = 0;
  let refused = 0;
  for (let runs = 0; runs < task.runs && performance.now() < until; runs++) {
    const input = mutate(parser.seeds, random, parser.words ?? ['']);
    if (random(4) > 0) parser.mend?.(input);
    shared.write(input);
    const outcome = outcomeOf(parser, input.slice());
    if (outcome === 'parsed') parsed += 1;
    else if (outcome === 'refused') refused += 1;
    else return { parsed, refused, failure: { reason: outcome.bug, input } };
  }
  return { parsed, refused, failure: undefined };
}

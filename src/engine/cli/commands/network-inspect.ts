import type { Command } from '../command.ts';
import { INSPECT_FORMAT_FLAG } from '../format-flag.ts';
import { NETWORK } from '../network-document.ts';
import { inspectWords } from './inspect.ts';

export const networkInspect: Command = {
  usage: '[OPTIONS] NETWORK [NETWORK...]',
  summary: 'Display detailed information on one or more networks',
  aliases: [],
  flags: [
    INSPECT_FORMAT_FLAG,
    { long: 'verbose', short: 'v', type: 'bool', help: 'Verbose output for diagnostics' },
  ],
  wordCount: { min: 1 },
  // what is verbose are the tasks of a swarm, of which a single host has none
  run: (invocation) => inspectWords(invocation, [NETWORK], false),
};

import type { Command } from '../command.ts';
import { INSPECT_FORMAT_FLAG } from '../format-flag.ts';
import { VOLUME } from '../volume-document.ts';
import { inspectWords } from './inspect.ts';

export const volumeInspect: Command = {
  usage: '[OPTIONS] VOLUME [VOLUME...]',
  summary: 'Display detailed information on one or more volumes',
  aliases: [],
  flags: [INSPECT_FORMAT_FLAG],
  wordCount: { min: 1 },
  run: (invocation) => inspectWords(invocation, [VOLUME], false),
};

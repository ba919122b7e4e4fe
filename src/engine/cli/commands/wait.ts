import { abortion } from '../abortion.ts';
import type { Command } from '../command.ts';
import { eachWord } from './each-word.ts';

export const wait: Command = {
  usage: 'CONTAINER [CONTAINER...]',
  summary: 'Block until one or more containers stop, then print their exit codes',
  aliases: ['docker container wait', 'docker wait'],
  flags: [],
  wordCount: { min: 1 },
  run: (invocation) => {
    const { containers } = invocation.host;
    const left = abortion(invocation.stdio.signal);
    return eachWord(invocation, async (word) => {
      const code = await Promise.race([containers.wait(containers.resolve(word).id), left]);
      return String(code);
    });
  },
};

import type { Command } from '../command.ts';
import { eachWord } from './each-word.ts';

export const pause: Command = {
  usage: 'CONTAINER [CONTAINER...]',
  summary: 'Pause all processes within one or more containers',
  aliases: ['docker container pause', 'docker pause'],
  flags: [],
  wordCount: { min: 1 },
  run: (invocation) =>
    eachWord(invocation, async (word) => {
      const { containers } = invocation.host;
      await containers.pause(containers.resolve(word).id);
      return word;
    }),
};

export const unpause: Command = {
  usage: 'CONTAINER [CONTAINER...]',
  summary: 'Unpause all processes within one or more containers',
  aliases: ['docker container unpause', 'docker unpause'],
  flags: [],
  wordCount: { min: 1 },
  run: (invocation) =>
    eachWord(invocation, async (word) => {
      const { containers } = invocation.host;
      await containers.unpause(containers.resolve(word).id);
      return word;
    }),
};

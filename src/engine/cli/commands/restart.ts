import type { Command } from '../command.ts';
import { eachWord } from './each-word.ts';
import { STOP_FLAGS, stopOptionsOf } from './stop.ts';

export const restart: Command = {
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  summary: 'Restart one or more containers',
  aliases: ['docker container restart', 'docker restart'],
  flags: STOP_FLAGS,
  wordCount: { min: 1 },
  run: (invocation) => {
    const { flags, host } = invocation;
    const options = stopOptionsOf(flags);
    return eachWord(invocation, async (word) => {
      await host.containers.restart(host.containers.resolve(word).id, options);
      return word;
    });
  },
};

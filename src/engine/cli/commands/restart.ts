import type { Command } from '../command.ts';
import { eachContainer } from './each-word.ts';
import { STOP_FLAGS, stopOptionsOf } from './stop.ts';

export const restart: Command = {
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  summary: 'Restart one or more containers',
  aliases: ['docker container restart', 'docker restart'],
  flags: STOP_FLAGS,
  wordCount: { min: 1 },
  run: (invocation) => {
    const options = stopOptionsOf(invocation.flags);
    return eachContainer(invocation, (containers, id) => containers.restart(id, options));
  },
};

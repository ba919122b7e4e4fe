import { NoSuchContainerError } from '../../errors.ts';
import type { Command } from '../command.ts';
import { eachWord } from './each-word.ts';

export const rm: Command = {
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  summary: 'Remove one or more containers',
  aliases: ['docker container rm', 'docker container remove', 'docker rm'],
  flags: [
    {
      long: 'force',
      short: 'f',
      type: 'bool',
      help: 'Force the removal of a running container (uses SIGKILL)',
    },
    {
      long: 'volumes',
      short: 'v',
      type: 'bool',
      help: 'Remove anonymous volumes associated with the container',
    },
  ],
  later: ['link/l'],
  wordCount: { min: 1 },
  run: (invocation) => {
    const { flags, host } = invocation;
    const force = flags.bool('force');
    const volumes = flags.bool('volumes');
    return eachWord(invocation, async (word) => {
      try {
        await host.containers.remove(host.containers.resolve(word).id, { force, volumes });
      } catch (error) {
        // as with rm(1): what is not there need not be removed
        if (force && error instanceof NoSuchContainerError) return undefined;
        throw error;
      }
      return word;
    });
  },
};

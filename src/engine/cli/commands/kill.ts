import { LayerboxError } from '../../errors.ts';
import { printableName } from '../../names.ts';
import type { Command } from '../command.ts';
import { eachWord } from './each-word.ts';

export const kill: Command = {
  usage: '[OPTIONS] CONTAINER [CONTAINER...]',
  summary: 'Kill one or more running containers',
  aliases: ['docker container kill', 'docker kill'],
  flags: [{ long: 'signal', short: 's', type: 'string', help: 'Signal to send to the container' }],
  wordCount: { min: 1 },
  run: (invocation) => {
    const { flags, host } = invocation;
    const signal = flags.string('signal');
    return eachWord(invocation, async (word) => {
      const { id } = host.containers.resolve(word);
      try {
        await host.containers.kill(id, signal === '' ? 'KILL' : signal);
      } catch (error) {
        if (!(error instanceof LayerboxError)) throw error;
        throw new LayerboxError(
          `cannot kill container: ${printableName(word)}: ${error.message}`,
          error.data,
        );
      }
      return word;
    });
  },
};

import { NoSuchNetworkError } from '../../errors.ts';
import type { Command } from '../command.ts';
import { eachWord } from './each-word.ts';

export const networkRm: Command = {
  usage: 'NETWORK [NETWORK...]',
  summary: 'Remove one or more networks',
  aliases: ['docker network rm', 'docker network remove'],
  flags: [{ long: 'force', short: 'f', type: 'bool', help: 'Do not error if the network does not exist' }],
  wordCount: { min: 1 },
  run: (invocation) => {
    const { networks } = invocation.host.containers;
    return eachWord(invocation, async (word) => {
      try {
        await networks.remove(networks.networks.resolve(word));
      } catch (error) {
        if (invocation.flags.bool('force') && error instanceof NoSuchNetworkError) return undefined;
        throw error;
      }
      return word;
    });
  },
};

import { NoSuchNetworkError } from '../../errors.ts';
import type { Command } from '../command.ts';
import { eachWord } from './each-word.ts';

export const networkRm: Command = {
  usage: 'NETWORK [NETWORK...]',
  summary: 'Remove one or more networks',
  aliases: ['docker network rm', 'docker network remove'],
  flags: [{ long: 'force', short: 'f', type: 'bool', help: 'Do not error if the network does not exist' }],
  wordCount: { min: 1 },
  run: async (invocation) => {
    const { networks } = invocation.host.containers;
    const code = await eachWord(invocation, async (word) => {
      try {
        await networks.remove(networks.networks.resolve(word));
      } catch (error) {
        if (invocation.flags.bool('force') && error instanceof NoSuchNetworkError) return undefined;
        throw error;
      }
      return word;
    });
    // so Docker's client ends, of all that remove
    if (code !== 0) await invocation.print.error('exit status 1');
    return code;
  },
};

import { NoSuchVolumeError } from '../../errors.ts';
import type { Command } from '../command.ts';
import { eachWord } from './each-word.ts';

export const volumeRm: Command = {
  usage: '[OPTIONS] VOLUME [VOLUME...]',
  summary: 'Remove one or more volumes. You cannot remove a volume that is in use by a container.',
  aliases: ['docker volume rm', 'docker volume remove'],
  flags: [{ long: 'force', short: 'f', type: 'bool', help: 'Force the removal of one or more volumes' }],
  wordCount: { min: 1 },
  run: (invocation) =>
    eachWord(invocation, async (word) => {
      try {
        await invocation.host.volumes.remove(word);
      } catch (error) {
        // with --force what is not there counts as removed
        if (!(invocation.flags.bool('force') && error instanceof NoSuchVolumeError)) throw error;
      }
      return word;
    }),
};

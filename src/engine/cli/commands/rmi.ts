import type { Command } from '../command.ts';
import { fromDaemon } from '../error-text.ts';
import { eachWord } from './each-word.ts';

export const rmi: Command = {
  usage: '[OPTIONS] IMAGE [IMAGE...]',
  summary: 'Remove one or more images',
  aliases: ['docker image rm', 'docker image remove', 'docker rmi'],
  flags: [{ long: 'force', short: 'f', type: 'bool', help: 'Force removal of the image' }],
  later: ['no-prune', 'platform='],
  wordCount: { min: 1 },
  run: (invocation) => {
    const { flags, host } = invocation;
    return eachWord(invocation, async (word) => {
      const { untagged, deleted } = await fromDaemon(() =>
        host.images.remove(word, { force: flags.bool('force') }),
      );
      return [
        ...untagged.map((reference) => `Untagged: ${reference}`),
        ...deleted.map((id) => `Deleted: ${id}`),
      ].join('\n');
    });
  },
};

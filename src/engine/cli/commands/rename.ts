import { printableName } from '../../names.ts';
import type { Command } from '../command.ts';
import { errorText } from '../error-text.ts';
import { refusal } from '../refusal.ts';

export const rename: Command = {
  usage: 'CONTAINER NEW_NAME',
  summary: 'Rename a container',
  aliases: ['docker container rename', 'docker rename'],
  flags: [],
  wordCount: { min: 2, max: 2 },
  run: async ({ words, host, print }) => {
    const [oldName = '', newName = ''] = words.map((word) => word.trim());
    if (oldName === '' || newName === '') {
      throw refusal('Error: Neither old nor new names may be empty');
    }
    try {
      await host.containers.rename(host.containers.resolve(oldName).id, newName);
    } catch (error) {
      await print.error(errorText(error));
      await print.error(`Error: failed to rename container named ${printableName(oldName)}`);
      return 1;
    }
    return 0;
  },
};

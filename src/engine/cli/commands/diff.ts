import { printableName } from '../../names.ts';
import type { Command } from '../command.ts';

export const diff: Command = {
  usage: 'CONTAINER',
  summary: "Inspect changes to files or directories on a container's filesystem",
  aliases: ['docker container diff', 'docker diff'],
  flags: [],
  wordCount: { min: 1, max: 1 },
  run: async ({ words, host, print }) => {
    const { id } = host.containers.resolve(words[0] ?? '');
    const lines = (await host.containers.diff(id)).map(
      ({ path, kind }) => `${kind} ${printableName(path)}\n`,
    );
    if (lines.length > 0) await print.text(lines.join(''));
    return 0;
  },
};

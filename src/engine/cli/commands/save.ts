import { refuseTerminal, writeArchive } from '../archive-output.ts';
import type { Command } from '../command.ts';
import { platformOption } from '../image-pull.ts';

export const save: Command = {
  usage: '[OPTIONS] IMAGE [IMAGE...]',
  summary: 'Save one or more images to a tar archive (streamed to STDOUT by default)',
  aliases: ['docker image save', 'docker save'],
  flags: [
    { long: 'output', short: 'o', type: 'string', help: 'Write to a file, instead of STDOUT' },
    {
      long: 'platform',
      type: 'string',
      help: 'Save only the given platform variant. Formatted as "os[/arch[/variant]]" (e.g., "linux/amd64")',
    },
  ],
  wordCount: { min: 1 },
  run: async (invocation) => {
    const { words, flags, host, stdio } = invocation;
    refuseTerminal(invocation);
    const platform = platformOption(flags.string('platform'));
    const archive = host.images.save(words, { ...platform, signal: stdio.signal });
    await writeArchive(invocation, 'save image', archive);
    return 0;
  },
};

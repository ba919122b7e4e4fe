import { exportContainer } from '../../container/export.ts';
import { refuseTerminal, writeArchive } from '../archive-output.ts';
import type { Command } from '../command.ts';

export const exportCommand: Command = {
  usage: '[OPTIONS] CONTAINER',
  summary: "Export a container's filesystem as a tar archive",
  aliases: ['docker container export', 'docker export'],
  flags: [{ long: 'output', short: 'o', type: 'string', help: 'Write to a file, instead of STDOUT' }],
  wordCount: { min: 1, max: 1 },
  run: async (invocation) => {
    const { words, host, stdio } = invocation;
    refuseTerminal(invocation);
    const record = host.containers.resolve(words[0] ?? '');
    const tar = exportContainer(host.containers, record, stdio.signal);
    await writeArchive(invocation, 'export container', tar);
    return 0;
  },
};

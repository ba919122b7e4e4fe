import type { Command } from '../command.ts';
import { processColumns } from '../process-columns.ts';
import { renderTable } from '../table.ts';

/** Docker's client gives this table wider columns than others. */
const WIDTH = 20;

export const top: Command = {
  usage: 'CONTAINER [ps OPTIONS]',
  summary: 'Display the running processes of a container',
  aliases: ['docker container top', 'docker top'],
  flags: [],
  interspersed: false,
  wordCount: { min: 1 },
  run: async ({ words, host, print }) => {
    const [word = '', ...options] = words;
    const { id } = host.containers.resolve(word);
    const columns = processColumns(options);
    const entries = await host.containers.top(id);
    const context = { now: host.now(), memoryBytes: host.machine?.stats().memoryBytes ?? 0 };
    const rows = entries.map((entry) => columns.map((column) => column.value(entry, context)));
    await print.text(renderTable([columns.map(({ header }) => header), ...rows], WIDTH));
    return 0;
  },
};

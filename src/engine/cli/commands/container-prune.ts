import type { Command } from '../command.ts';
import { CONFIRM_FLAG, confirmed } from '../confirm.ts';
import { parseFilters } from '../filter.ts';
import { fieldFlag } from '../filter-flag.ts';
import { formatSize } from '../format.ts';
import { pruneContainers } from '../pruners.ts';

export const containerPrune: Command = {
  usage: '[OPTIONS]',
  summary: 'Remove all stopped containers',
  aliases: [],
  flags: [fieldFlag('filter', '', 'Provide filter values (e.g. "until=<timestamp>")'), CONFIRM_FLAG],
  wordCount: { min: 0, max: 0 },
  run: async ({ flags, host, stdio, print }) => {
    const filters = parseFilters(flags.list('filter'), ['label', 'label!', 'until']);
    const warning = 'WARNING! This will remove all stopped containers.';
    if (!flags.bool('force') && !(await confirmed(stdio, warning))) return 0;
    const { text, reclaimed } = await pruneContainers(host, filters, stdio.signal);
    await print.text(`${text}Total reclaimed space: ${formatSize(reclaimed, 4)}\n`);
    return 0;
  },
};

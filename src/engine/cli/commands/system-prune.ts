import { printableName } from '../../names.ts';
import type { Command } from '../command.ts';
import { CONFIRM_FLAG, confirmed } from '../confirm.ts';
import { parseFilters } from '../filter.ts';
import { fieldFlag } from '../filter-flag.ts';
import { formatSize } from '../format.ts';
import { pruners } from '../pruners.ts';
import { refusal } from '../refusal.ts';

const FILTERS = ['label', 'label!', 'until'];

export const systemPrune: Command = {
  usage: '[OPTIONS]',
  summary: 'Remove unused data',
  aliases: [],
  flags: [
    { long: 'all', short: 'a', type: 'bool', help: 'Remove all unused images not just dangling ones' },
    fieldFlag('filter', '', 'Provide filter values (e.g. "label=<key>=<value>")'),
    CONFIRM_FLAG,
    { long: 'volumes', type: 'bool', help: 'Prune anonymous volumes' },
  ],
  wordCount: { min: 0, max: 0 },
  run: async ({ flags, host, stdio, print }) => {
    const texts = flags.list('filter');
    const filters = parseFilters(texts, FILTERS);
    const options = { all: flags.bool('all'), volumes: flags.bool('volumes') };
    if (options.volumes && filters.has('until')) {
      throw refusal(`ERROR: The "until" filter is not supported with "--volumes"`);
    }
    const chosen = pruners(options);
    if (!flags.bool('force')) {
      const warning = [
        'WARNING! This will remove:',
        ...chosen.map(({ warning: words }) => `  - ${words}`),
        ...(texts.length === 0
          ? []
          : [
              '',
              '  Items to be pruned will be filtered with:',
              ...[...texts].sort().map((text) => `  - ${printableName(text)}`),
            ]),
        '',
      ].join('\n');
      if (!(await confirmed(stdio, warning))) return 0;
    }
    let reclaimed = 0;
    for (const { prune } of chosen) {
      const pruned = await prune(host, filters, stdio.signal);
      if (pruned.text !== '') await print.text(pruned.text);
      reclaimed += pruned.reclaimed;
    }
    await print.text(`Total reclaimed space: ${formatSize(reclaimed, 4)}\n`);
    return 0;
  },
};

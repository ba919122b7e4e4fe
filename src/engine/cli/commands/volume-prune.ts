import { UsageError, VolumeInUseError } from '../../errors.ts';
import type { Command } from '../command.ts';
import { CONFIRM_FLAG, confirmed } from '../confirm.ts';
import type { DockerHost } from '../docker-host.ts';
import { booleanFilter, type Filters, fitsLabels, parseFilters } from '../filter.ts';
import { fieldFlag } from '../filter-flag.ts';
import { formatSize } from '../format.ts';

export const volumePrune: Command = {
  usage: '[OPTIONS]',
  summary: 'Remove unused local volumes',
  aliases: [],
  flags: [
    {
      long: 'all',
      short: 'a',
      type: 'bool',
      help: 'Remove all unused volumes, not just anonymous ones',
    },
    fieldFlag('filter', '', 'Provide filter values (e.g. "label=<label>")'),
    CONFIRM_FLAG,
  ],
  wordCount: { min: 0, max: 0 },
  run: async ({ flags, host, stdio, print }) => {
    const filters = parseFilters(flags.list('filter'), ['all', 'label', 'label!']);
    if (flags.bool('all') && filters.has('all')) {
      throw new UsageError('conflicting options: cannot specify both --all and --filter all=1', {
        exitCode: 1,
        plain: true,
      });
    }
    const all = flags.bool('all') || booleanFilter(filters, 'all') === true;
    const what = all ? 'all' : 'anonymous';
    const warning = `WARNING! This will remove ${what} local volumes not used by at least one container.`;
    if (!flags.bool('force') && !(await confirmed(stdio, warning))) return 0;
    const { text, reclaimed } = await pruneVolumes(host, filters, { all });
    await print.text(`${text}Total reclaimed space: ${formatSize(reclaimed, 4)}\n`);
    return 0;
  },
};

/** Removes volumes that no container has; unless `all`, those that nobody named. What is told of it is '' when there were none. */
export async function pruneVolumes(
  { volumes, events }: DockerHost,
  filters: Filters,
  { all }: { readonly all: boolean },
): Promise<{ readonly text: string; readonly reclaimed: number }> {
  const removed: string[] = [];
  let reclaimed = 0;
  for (const { id, labels, isAnonymous } of volumes.list()) {
    if (!(all || isAnonymous) || volumes.usedBy(id).length > 0 || !fitsLabels(filters, labels)) continue;
    const bytes = await volumes.bytes(id);
    try {
      await volumes.remove(id);
    } catch (error) {
      // somebody has just begun to use it
      if (error instanceof VolumeInUseError) continue;
      throw error;
    }
    removed.push(id);
    reclaimed += bytes;
  }
  events.pruned('volume', reclaimed);
  if (removed.length === 0) return { text: '', reclaimed };
  return { text: `Deleted Volumes:\n${removed.map((name) => `${name}\n`).join('')}\n`, reclaimed };
}

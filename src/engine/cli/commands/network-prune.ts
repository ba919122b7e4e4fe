import type { Command } from '../command.ts';
import { CONFIRM_FLAG, confirmed } from '../confirm.ts';
import type { DockerHost } from '../docker-host.ts';
import { type Filters, filterTime, fitsLabels, parseFilters } from '../filter.ts';
import { fieldFlag } from '../filter-flag.ts';
import { isDangling } from './network-ls.ts';

const WARNING = 'WARNING! This will remove all custom networks not used by at least one container.';

export const networkPrune: Command = {
  usage: '[OPTIONS]',
  summary: 'Remove all unused networks',
  aliases: [],
  flags: [fieldFlag('filter', '', 'Provide filter values (e.g. "until=<timestamp>")'), CONFIRM_FLAG],
  wordCount: { min: 0, max: 0 },
  run: async ({ flags, host, stdio, print }) => {
    const filters = parseFilters(flags.list('filter'), ['label', 'label!', 'until']);
    if (!flags.bool('force') && !(await confirmed(stdio, WARNING))) return 0;
    await print.text(await pruneNetworks(host, filters));
    return 0;
  },
};

/** Removes networks that no container is on; what is told of it, '' when there were none. */
export async function pruneNetworks(host: DockerHost, filters: Filters): Promise<string> {
  const { networks } = host.containers;
  const until = (filters.get('until') ?? []).map((text) => filterTime(text, host.now()));
  const removed: string[] = [];
  for (const record of networks.networks.list()) {
    if (!isDangling(host, record) || !fitsLabels(filters, record.labels)) continue;
    if (!until.every((time) => record.createdAt < time)) continue;
    await networks.remove(record);
    removed.push(record.name);
  }
  host.events.pruned('network', 0);
  return removed.length === 0 ? '' : `Deleted Networks:\n${removed.map((name) => `${name}\n`).join('')}\n`;
}

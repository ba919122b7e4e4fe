import { creationTime } from '../../image/creation-time.ts';
import type { PrunedImages } from '../../image/prune.ts';
import type { Command } from '../command.ts';
import { CONFIRM_FLAG, confirmed } from '../confirm.ts';
import type { DockerHost } from '../docker-host.ts';
import { booleanFilter, type Filters, filterTime, fitsLabels, parseFilters } from '../filter.ts';
import { fieldFlag } from '../filter-flag.ts';
import { formatSize } from '../format.ts';

const FILTERS = ['dangling', 'label', 'label!', 'until'];

export const imagePrune: Command = {
  usage: '[OPTIONS]',
  summary: 'Remove unused images',
  aliases: [],
  flags: [
    { long: 'all', short: 'a', type: 'bool', help: 'Remove all unused images, not just dangling ones' },
    fieldFlag('filter', '', 'Provide filter values (e.g. "until=<timestamp>")'),
    CONFIRM_FLAG,
  ],
  wordCount: { min: 0, max: 0 },
  run: async ({ flags, host, stdio, print }) => {
    const filters = parseFilters(flags.list('filter'), FILTERS);
    const all = flags.bool('all') || booleanFilter(filters, 'dangling') === false;
    const what = all ? 'all images without at least one container associated to them' : 'all dangling images';
    if (!flags.bool('force') && !(await confirmed(stdio, `WARNING! This will remove ${what}.`))) return 0;
    const pruned = await pruneImages(host, filters, all, stdio.signal);
    await print.text(`${prunedImages(pruned)}Total reclaimed space: ${formatSize(pruned.reclaimed, 4)}\n`);
    return 0;
  },
};

/** Removes images as the filters `label`, `label!` and `until` say. LayerboxError for a time that is none. */
export async function pruneImages(
  host: DockerHost,
  filters: Filters,
  all: boolean,
  signal: AbortSignal,
): Promise<PrunedImages> {
  const until = (filters.get('until') ?? []).map((text) => filterTime(text, host.now()));
  const pruned = await host.images.prune({
    all,
    signal,
    fits: (config) =>
      fitsLabels(filters, config.config.labels) && until.every((time) => creationTime(config) < time),
  });
  host.events.pruned('image', pruned.reclaimed);
  return pruned;
}

/** The lines between the answer and the sum; '' when nothing was removed. */
export function prunedImages({ untagged, deleted }: PrunedImages): string {
  if (untagged.length + deleted.length === 0) return '';
  const lines = [...untagged.map((name) => `untagged: ${name}`), ...deleted.map((id) => `deleted: ${id}`)];
  return `Deleted Images:\n${lines.map((line) => `${line}\n`).join('')}\n`;
}

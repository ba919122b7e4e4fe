import type { VolumeRecord } from '../../store/volume-record.ts';
import type { Command } from '../command.ts';
import type { DockerHost } from '../docker-host.ts';
import { booleanFilter, type Filters, fitsLabels, matchesText, parseFilters } from '../filter.ts';
import { fieldFlag } from '../filter-flag.ts';
import { LIST_FORMAT_FLAG, printListing } from '../format-flag.ts';
import { compareNatural } from '../natural-order.ts';
import { volumeRow } from '../volume-row.ts';

const HEADERS = {
  Availability: 'AVAILABILITY',
  Driver: 'DRIVER',
  Group: 'GROUP',
  Labels: 'LABELS',
  Links: 'LINKS',
  Mountpoint: 'MOUNTPOINT',
  Name: 'VOLUME NAME',
  Scope: 'SCOPE',
  Size: 'SIZE',
  Status: 'STATUS',
};

const FILTERS = ['dangling', 'driver', 'label', 'name'];

export const volumeLs: Command = {
  usage: '[OPTIONS]',
  summary: 'List volumes',
  aliases: ['docker volume ls', 'docker volume list'],
  flags: [
    fieldFlag('filter', 'f', 'Provide filter values (e.g. "dangling=true")'),
    LIST_FORMAT_FLAG,
    { long: 'quiet', short: 'q', type: 'bool', help: 'Only display volume names' },
  ],
  later: ['cluster'],
  wordCount: { min: 0, max: 0 },
  run: async ({ flags, host, print }) => {
    const filters = parseFilters(flags.list('filter'), FILTERS);
    const shown = host.volumes
      .list()
      .filter((record) => fits(host, record, filters))
      .sort((a, b) => compareNatural(a.id, b.id));
    await printListing(print, {
      rows: shown.map((record) => volumeRow(record)),
      headers: HEADERS,
      columns: ['Driver', 'Name'],
      format: flags.string('format'),
      type: '*formatter.volumeContext',
      labels: shown.map(({ labels }) => labels),
      ...(flags.bool('quiet') && { only: 'Name' }),
    });
    return 0;
  },
};

/** Values of one name are alternatives, different names must all fit. */
function fits({ volumes }: DockerHost, { id, labels }: VolumeRecord, filters: Filters): boolean {
  const any = (name: string, matches: (value: string) => boolean) => filters.get(name)?.some(matches) ?? true;
  const dangling = booleanFilter(filters, 'dangling');
  return (
    any('driver', (value) => value === 'local') &&
    any('name', (value) => matchesText(value, id)) &&
    fitsLabels(filters, labels) &&
    (dangling === undefined || dangling === (volumes.usedBy(id).length === 0))
  );
}

import { LayerboxError } from '../../errors.ts';
import { isPredefined } from '../../network/networks.ts';
import type { NetworkRecord } from '../../store/network-record.ts';
import type { Command } from '../command.ts';
import type { DockerHost } from '../docker-host.ts';
import {
  booleanFilter,
  type Filters,
  fitsLabels,
  invalidFilter,
  matchesText,
  parseFilters,
} from '../filter.ts';
import { fieldFlag } from '../filter-flag.ts';
import { formatExactTime, truncateID } from '../format.ts';
import { LIST_FORMAT_FLAG, printListing } from '../format-flag.ts';
import { compareNatural } from '../natural-order.ts';

const HEADERS = {
  ID: 'NETWORK ID',
  Name: 'NAME',
  Driver: 'DRIVER',
  Scope: 'SCOPE',
  IPv4: 'IPV4',
  IPv6: 'IPV6',
  Internal: 'INTERNAL',
  Labels: 'LABELS',
  CreatedAt: 'CREATED AT',
};

const FILTERS = ['dangling', 'driver', 'id', 'label', 'name', 'scope', 'type'];

export const networkLs: Command = {
  usage: '[OPTIONS]',
  summary: 'List networks',
  aliases: ['docker network ls', 'docker network list'],
  flags: [
    fieldFlag('filter', 'f', 'Provide filter values (e.g. "driver=bridge")'),
    LIST_FORMAT_FLAG,
    { long: 'no-trunc', type: 'bool', help: 'Do not truncate the output' },
    { long: 'quiet', short: 'q', type: 'bool', help: 'Only display network IDs' },
  ],
  wordCount: { min: 0, max: 0 },
  run: async ({ flags, host, print }) => {
    const filters = parseFilters(flags.list('filter'), FILTERS);
    const shown = host.containers.networks.networks
      .list()
      .filter((record) => fits(host, record, filters))
      .sort((a, b) => compareNatural(a.name, b.name));
    await printListing(print, {
      rows: shown.map((record) => ({
        ID: flags.bool('no-trunc') ? record.id : truncateID(record.id),
        Name: record.name,
        Driver: record.driver,
        Scope: 'local',
        IPv4: 'true',
        IPv6: 'false',
        Internal: String(record.internal),
        Labels: Object.entries(record.labels)
          .map(([name, value]) => `${name}=${value}`)
          .join(','),
        CreatedAt: formatExactTime(record.createdAt),
      })),
      headers: HEADERS,
      columns: ['ID', 'Name', 'Driver', 'Scope'],
      format: flags.string('format'),
      type: '*network.networkContext',
      labels: shown.map(({ labels }) => labels),
      ...(flags.bool('quiet') && { only: 'ID' }),
    });
    return 0;
  },
};

/** Values of one name are alternatives, different names must all fit. LayerboxError in Docker's words. */
function fits(host: DockerHost, record: NetworkRecord, filters: Filters): boolean {
  const any = (name: string, matches: (value: string) => boolean) => filters.get(name)?.some(matches) ?? true;
  const dangling = booleanFilter(filters, 'dangling');
  return (
    any('driver', (value) => record.driver === value) &&
    any('id', (value) => matchesText(value, record.id)) &&
    any('name', (value) => matchesText(value, record.name)) &&
    any('scope', (value) => scopeOf(value) === 'local') &&
    any('type', (value) => isOfType(record, value)) &&
    fitsLabels(filters, record.labels) &&
    (dangling === undefined || dangling === isDangling(host, record))
  );
}

function scopeOf(value: string): string {
  if (['local', 'swarm', 'global'].includes(value)) return value;
  throw invalidFilter('scope', value);
}

function isOfType(record: NetworkRecord, type: string): boolean {
  if (type !== 'custom' && type !== 'builtin') {
    throw new LayerboxError(`invalid filter: 'type'='${type}'`, { filter: 'type', value: type });
  }
  return isPredefined(record.name) === (type === 'builtin');
}

/** Somebody made it, and no container that runs is on it. */
export function isDangling(host: DockerHost, record: NetworkRecord): boolean {
  return !isPredefined(record.name) && host.containers.networks.on(record).length === 0;
}

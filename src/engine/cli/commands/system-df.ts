import { UsageError } from '../../errors.ts';
import type { Command, Invocation } from '../command.ts';
import { type DiskUsage, type DiskUsageGroup, diskUsage } from '../disk-usage.ts';
import { formatSize } from '../format.ts';
import { type Columns, LIST_FORMAT_FLAG, printListing, type Row } from '../format-flag.ts';
import { LIST_WORDING, parseTemplate } from '../template.ts';

const HEADERS = {
  Type: 'TYPE',
  TotalCount: 'TOTAL',
  Active: 'ACTIVE',
  Size: 'SIZE',
  Reclaimable: 'RECLAIMABLE',
};

export const systemDf: Command = {
  usage: '[OPTIONS]',
  summary: 'Show docker disk usage',
  aliases: [],
  flags: [
    LIST_FORMAT_FLAG,
    { long: 'verbose', short: 'v', type: 'bool', help: 'Show detailed information on space usage' },
  ],
  wordCount: { min: 0, max: 0 },
  run: async (invocation) => {
    const { flags, host, print } = invocation;
    const format = flags.string('format');
    const usage = await diskUsage(host);
    if (flags.bool('verbose')) {
      await printDetails(invocation, usage, format);
      return 0;
    }
    await printListing(print, {
      rows: [
        summary('Images', usage.images),
        summary('Containers', usage.containers),
        summary('Local Volumes', usage.volumes),
        summary('Build Cache', { total: 0, active: 0, size: 0, reclaimable: 0, rows: [], columns: {} }),
      ],
      headers: HEADERS,
      columns: ['Type', 'TotalCount', 'Active', 'Size', 'Reclaimable'],
      format,
      type: '*formatter.diskUsageImagesContext',
    });
    return 0;
  },
};

function summary(type: string, { total, active, size, reclaimable }: DiskUsageGroup): Row {
  const part = size > 0 ? ` (${Math.trunc((reclaimable * 100) / size)}%)` : '';
  return {
    Type: type,
    TotalCount: String(total),
    Active: String(active),
    Size: formatSize(size),
    // Docker has no share of what is in the build cache
    Reclaimable: `${formatSize(reclaimable)}${type === 'Build Cache' ? '' : part}`,
  };
}

/** `docker system df -v`: a table per kind, or all as one document for a template. */
async function printDetails({ print }: Invocation, usage: DiskUsage, format: string): Promise<void> {
  if (format === 'json' || (format !== '' && format !== 'table')) {
    if (format.startsWith('table')) {
      throw new UsageError('the table format is not supported with --verbose: write a template without it', {
        exitCode: 1,
        plain: true,
      });
    }
    const document = {
      Images: usage.images.rows,
      Containers: usage.containers.rows,
      Volumes: usage.volumes.rows,
      BuildCache: [],
    };
    const text = format === 'json' ? '{{json .}}' : format;
    await print.line(parseTemplate(text, LIST_WORDING).render(document));
    return;
  }
  await print.text('Images space usage:\n\n');
  await details(usage.images);
  await print.text('\nContainers space usage:\n\n');
  await details(usage.containers);
  await print.text('\nLocal Volumes space usage:\n\n');
  await details(usage.volumes);
  await print.text('\nBuild cache usage: 0B\n\n');
  await details({ ...usage.images, rows: [], columns: BUILD_CACHE });

  function details({ rows, columns }: DiskUsageGroup): Promise<void> {
    return printListing(print, { rows, headers: columns, columns: Object.keys(columns), format: '' });
  }
}

const BUILD_CACHE: Columns = {
  ID: 'CACHE ID',
  CacheType: 'CACHE TYPE',
  Size: 'SIZE',
  CreatedSince: 'CREATED',
  LastUsedSince: 'LAST USED',
  UsageCount: 'USAGE',
  Shared: 'SHARED',
};

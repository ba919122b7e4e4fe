import type { Command, Invocation } from '../command.ts';
import { type DiskUsage, type DiskUsageGroup, diskUsage } from '../disk-usage.ts';
import { formatSize } from '../format.ts';
import { type Columns, LIST_FORMAT_FLAG, printListing, type Row, unescaped } from '../format-flag.ts';
import { refusal } from '../refusal.ts';
import { LIST_WORDING, parseTemplate } from '../template.ts';
import { rowText } from '../template-functions.ts';
import { GoStruct } from '../template-values.ts';

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
    const verbose = flags.bool('verbose');
    const usage = await diskUsage(host, !verbose || format === '' || format === 'table');
    if (verbose) {
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
    Size: formatSize(size, 4),
    // Docker has no share of what is in the build cache
    Reclaimable: `${formatSize(reclaimable, 4)}${type === 'Build Cache' ? '' : part}`,
  };
}

/** `docker system df -v`: a table per kind, or all as one document for a template. */
async function printDetails({ print }: Invocation, usage: DiskUsage, format: string): Promise<void> {
  if (format !== '' && format !== 'table') {
    if (format.startsWith('table')) {
      throw refusal('the table format is not supported with --verbose: write a template without it');
    }
    // as with Docker's client there is no line feed behind it
    if (format === 'json') await print.text(rowsText(usage));
    else await print.text(parseTemplate(unescaped(format), LIST_WORDING).render(rowsOf(usage)));
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

/** The kinds as a template sees them. */
function rowsOf({ images, containers, volumes }: DiskUsage): GoStruct {
  const contexts = ({ rows }: DiskUsageGroup, type: string) =>
    rows.map((row) => new GoStruct(type, Object.entries(row), { document: row, fallsBack: false }));
  const fields: readonly (readonly [string, unknown])[] = [
    ['Images', contexts(images, '*formatter.imageContext')],
    ['Containers', contexts(containers, '*formatter.ContainerContext')],
    ['Volumes', contexts(volumes, '*formatter.volumeContext')],
    ['BuildCache', []],
  ];
  return new GoStruct('*formatter.diskUsageContext', fields, {
    document: Object.fromEntries(fields),
    fallsBack: false,
  });
}

function rowsText({ images, containers, volumes }: DiskUsage): string {
  const list = ({ rows }: DiskUsageGroup) => `[${rows.map((row) => rowText(row)).join(',')}]`;
  return `{"Images":${list(images)},"Containers":${list(containers)},"Volumes":${list(volumes)},"BuildCache":[]}`;
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

import { parseIndex } from '../../oci/index.ts';
import { formatPlatform, isAttestation } from '../../oci/platform.ts';
import type { ImageRecord } from '../../store/records.ts';
import type { Command, Invocation } from '../command.ts';
import type { DockerHost } from '../docker-host.ts';
import { FILTER_FLAG } from '../filter.ts';
import { formatSize, truncateID } from '../format.ts';
import { LIST_FORMAT_FLAG, printListing, type Row } from '../format-flag.ts';
import { type ShownImage, selectImages } from '../image-filters.ts';
import { NONE } from '../image-name.ts';
import { IMAGE_HEADERS, imageRow } from '../image-row.ts';
import { type ImageCells, renderImages, type TableImage } from '../image-table.ts';
import { refusal } from '../refusal.ts';

export const images: Command = {
  usage: '[OPTIONS] [REPOSITORY[:TAG]]',
  summary: 'List images',
  aliases: ['docker image ls', 'docker image list', 'docker images'],
  flags: [
    { long: 'all', short: 'a', type: 'bool', help: 'Show all images (default hides intermediate images)' },
    { long: 'digests', type: 'bool', help: 'Show digests' },
    FILTER_FLAG,
    LIST_FORMAT_FLAG,
    { long: 'no-trunc', type: 'bool', help: "Don't truncate output" },
    { long: 'quiet', short: 'q', type: 'bool', help: 'Only show image IDs' },
    { long: 'tree', type: 'bool', help: 'List multi-platform images as a tree (EXPERIMENTAL)' },
  ],
  wordCount: { min: 0, max: 1 },
  run: async (invocation) => {
    const { words, flags, host } = invocation;
    const isTree = flags.bool('tree');
    if (isTree) refuseBesideTree(invocation);
    const { images: selected, dangling } = await selectImages(host, words[0], flags.list('filter'));
    // since Docker 29 what has no name is hidden, unless it is asked for
    const showsAll = flags.bool('all') || dangling !== undefined;
    const shown = selected.filter(({ name }) => name.full !== '' || showsAll);
    const isClassic =
      flags.string('format') !== '' || ['quiet', 'digests', 'no-trunc'].some((name) => flags.bool(name));
    if (isClassic && !isTree) await printClassic(invocation, shown);
    else await printTable(invocation, shown, isTree);
    return 0;
  },
};

function refuseBesideTree({ flags }: Invocation): void {
  const refused = [
    ['quiet', flags.bool('quiet')],
    ['no-trunc', flags.bool('no-trunc')],
    ['show-digest', flags.bool('digests')],
    ['format', flags.string('format') !== ''],
  ] as const;
  const [name] = refused.find(([, given]) => given) ?? [];
  if (name === undefined) return;
  throw refusal(`--${name} is not yet supported with --tree`);
}

async function printClassic({ flags, host, print }: Invocation, shown: readonly ShownImage[]): Promise<void> {
  const truncate = !flags.bool('no-trunc');
  const withDigest = flags.bool('digests') || flags.string('format').includes('{{.Digest}}');
  const rows: Row[] = [];
  for (const image of shown) rows.push(await imageRow(host, image, { truncate, withDigest }));
  const only = flags.bool('quiet');
  await printListing(print, {
    rows,
    headers: IMAGE_HEADERS,
    columns: [
      'Repository',
      'Tag',
      ...(flags.bool('digests') ? ['Digest'] : []),
      'ID',
      'CreatedSince',
      'Size',
    ],
    format: flags.string('format'),
    type: '*formatter.imageContext',
    raw: only
      ? 'image_id: {{.ID}}'
      : `repository: {{.Repository}}\ntag: {{.Tag}}\n${flags.bool('digests') ? 'digest: {{.Digest}}\n' : ''}image_id: {{.ID}}\ncreated_at: {{.CreatedAt}}\nvirtual_size: {{.Size}}\n`,
    ...(only && { only: 'ID' }),
  });
}

async function printTable(
  { host, stdio, print }: Invocation,
  shown: readonly ShownImage[],
  isTree: boolean,
): Promise<void> {
  const table: TableImage[] = [];
  for (const { record, name } of shown) {
    const cells = await cellsOf(host, record);
    const text =
      name.tag === NONE ? `${name.repository}@${record.target.digest}` : `${name.repository}:${name.tag}`;
    table.push({
      name: name.full === '' ? undefined : text,
      cells,
      platforms: isTree ? await platformsOf(host, record, cells) : [],
    });
  }
  await print.text(renderImages(table, stdio.terminal.stdout ? stdio.size().columns : undefined));
}

/** DISK USAGE is what is stored of the image, compressed and unpacked; CONTENT SIZE what would travel. */
async function cellsOf(host: DockerHost, record: ImageRecord): Promise<ImageCells> {
  const content = record.manifest.size + record.layers.reduce((sum, { blob }) => sum + blob.size, 0);
  const unpacked = await host.images.size(record);
  return {
    id: truncateID(record.imageID),
    diskUsage: formatSize(content + unpacked),
    contentSize: formatSize(content),
    isUsed: host.containers.list().some(({ imageID }) => imageID === record.imageID),
  };
}

/** The platforms of the index that was pulled: of the others nothing is here. */
async function platformsOf(host: DockerHost, record: ImageRecord, own: ImageCells) {
  const here = { platform: formatPlatform(record.platform), cells: own };
  if (record.target.digest === record.manifest.digest) return [here];
  const index = parseIndex(await host.images.targetBytes(record), `index of ${record.id}`);
  return index.manifests
    .filter((entry) => entry.platform !== undefined && !isAttestation(entry))
    .map((entry) => {
      if (entry.digest === record.manifest.digest) return here;
      const cells = { id: truncateID(entry.digest), diskUsage: '0B', contentSize: '0B', isUsed: false };
      return { platform: entry.platform === undefined ? '' : formatPlatform(entry.platform), cells };
    });
}

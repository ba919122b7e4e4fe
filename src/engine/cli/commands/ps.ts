import { LayerboxError } from '../../errors.ts';
import type { ContainerRecord } from '../../store/container-record.ts';
import type { Command } from '../command.ts';
import { containerDocument, mountsOf, networksOf, portsOf, portsText } from '../container-document.ts';
import { containerFilter } from '../container-filters.ts';
import { commandText, statusText } from '../container-status.ts';
import type { DockerHost } from '../docker-host.ts';
import { FILTER_FLAG } from '../filter.ts';
import { ellipsis, formatDuration, formatSize, formatTime, truncateID } from '../format.ts';
import { LIST_FORMAT_FLAG, printListing, type Row } from '../format-flag.ts';

const HEADERS = {
  ID: 'CONTAINER ID',
  Names: 'NAMES',
  Image: 'IMAGE',
  Command: 'COMMAND',
  CreatedAt: 'CREATED AT',
  RunningFor: 'CREATED',
  Ports: 'PORTS',
  State: 'STATE',
  Status: 'STATUS',
  Size: 'SIZE',
  Labels: 'LABELS',
  Mounts: 'MOUNTS',
  LocalVolumes: 'LOCAL VOLUMES',
  Networks: 'NETWORKS',
  Platform: 'PLATFORM',
};

const RAW = `container_id: {{.ID}}
image: {{.Image}}
command: {{.Command}}
created_at: {{.CreatedAt}}
state: {{- pad .State 1 0}}
status: {{- pad .Status 1 0}}
names: {{.Names}}
labels: {{- pad .Labels 1 0}}
ports: {{- pad .Ports 1 0}}
`;

export const ps: Command = {
  usage: '[OPTIONS]',
  summary: 'List containers',
  aliases: ['docker container ls', 'docker container list', 'docker container ps', 'docker ps'],
  flags: [
    { long: 'all', short: 'a', type: 'bool', help: 'Show all containers (default shows just running)' },
    FILTER_FLAG,
    LIST_FORMAT_FLAG,
    {
      long: 'last',
      short: 'n',
      type: 'int',
      default: -1,
      help: 'Show n last created containers (includes all states)',
    },
    {
      long: 'latest',
      short: 'l',
      type: 'bool',
      help: 'Show the latest created container (includes all states)',
    },
    { long: 'no-trunc', type: 'bool', help: "Don't truncate output" },
    { long: 'quiet', short: 'q', type: 'bool', help: 'Only display container IDs' },
    { long: 'size', short: 's', type: 'bool', help: 'Display total file sizes' },
  ],
  wordCount: { min: 0, max: 0 },
  run: async ({ flags, host, print }) => {
    const quiet = flags.bool('quiet');
    const format = flags.string('format');
    if (quiet && format !== '') {
      await print.error('WARNING: Ignoring custom format, because both --format and --quiet are set.');
    }
    const filter = await containerFilter(host, flags.list('filter'));
    const last = flags.bool('latest') ? 1 : flags.int('last');
    const all = flags.bool('all') || last > 0 || filter.includesStopped;
    const truncate = !flags.bool('no-trunc');
    const sized = flags.bool('size') || /\{\{[^}]*\.Size\b/.test(format);
    const names = await imageNames(host);
    const shown: ContainerRecord[] = [];
    for (const record of host.containers.list()) {
      if (last > 0 && shown.length === last) break;
      if ((all || isUp(record)) && (await filter.fits(record))) shown.push(record);
    }
    const rows: Row[] = [];
    for (const record of shown) rows.push(await rowOf(host, record, { truncate, sized, names }));
    const basic = ['ID', 'Image', 'Command', 'RunningFor', 'Status', 'Ports', 'Names'];
    await printListing(print, {
      rows,
      headers: HEADERS,
      columns: flags.bool('size') ? [...basic, 'Size'] : basic,
      format: quiet ? '' : format,
      type: '*formatter.ContainerContext',
      labels: shown.map(({ config }) => config.labels),
      members: shown.map(({ platform: { os, architecture, variant } }) => ({
        Platform: { architecture, os, ...(variant !== undefined && { variant }) },
      })),
      raw: flags.bool('size') ? `${RAW}size: {{.Size}}\n` : RAW,
      ...(quiet && { only: 'ID' }),
    });
    return 0;
  },
};

function isUp({ state }: ContainerRecord): boolean {
  return ['running', 'paused', 'restarting'].includes(state.status);
}

async function rowOf(
  host: DockerHost,
  record: ContainerRecord,
  how: { readonly truncate: boolean; readonly sized: boolean; readonly names: ReadonlyMap<string, string> },
): Promise<Row> {
  const { truncate, sized, names } = how;
  const now = host.now();
  const command = commandText(record);
  const document = await containerDocument(host, record, false);
  const mounts = mountsOf(document);
  return {
    ID: truncate ? truncateID(record.id) : record.id,
    Names: record.name,
    Image: imageText(record, names, truncate),
    Command: JSON.stringify(truncate ? ellipsis(command, 20) : command),
    CreatedAt: formatTime(record.createdAt),
    RunningFor: `${formatDuration(now - record.createdAt)} ago`,
    Ports: portsText(portsOf(document)),
    State: record.state.status,
    Status: statusText(record, now),
    Size: sized ? await sizeText(host, record) : '0B',
    Labels: Object.entries(record.config.labels)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, value]) => `${name}=${value}`)
      .join(','),
    Mounts: mounts.map(({ name }) => (truncate ? ellipsis(name, 15) : name)).join(','),
    LocalVolumes: String(mounts.filter(({ isLocalVolume }) => isLocalVolume).length),
    Networks: [...networksOf(document).keys()].sort().join(','),
    Platform: `${record.platform.os}/${record.platform.architecture}`,
  };
}

/** The image as it was typed, unless that name has moved to another image since. */
function imageText(record: ContainerRecord, names: ReadonlyMap<string, string>, truncate: boolean): string {
  const now = names.get(record.image);
  if (now !== undefined && now !== record.imageID)
    return truncate ? truncateID(record.imageID) : record.imageID;
  return truncate && record.image.startsWith('sha256:') ? truncateID(record.image) : record.image;
}

/** The image ID that each name in use by a container means now. */
async function imageNames(host: DockerHost): Promise<ReadonlyMap<string, string>> {
  const names = new Map<string, string>();
  for (const text of new Set(host.containers.list().map((record) => record.image))) {
    try {
      names.set(text, (await host.images.resolve(text)).imageID);
    } catch (error) {
      // its name is gone: the container keeps the name that it was made under
      if (!(error instanceof LayerboxError)) throw error;
    }
  }
  return names;
}

/** `12.3kB (virtual 4.27MB)`: its own layer, and that with the image's. */
async function sizeText(host: DockerHost, record: ContainerRecord): Promise<string> {
  const { own, image } = await host.containers.sizes(record.id);
  return `${formatSize(own)} (virtual ${formatSize(own + image)})`;
}

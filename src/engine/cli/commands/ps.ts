import { LayerboxError } from '../../errors.ts';
import type { ContainerRecord } from '../../store/container-record.ts';
import type { Command } from '../command.ts';
import { commandText, statusText } from '../container-status.ts';
import type { DockerHost } from '../docker-host.ts';
import { FILTER_FLAG, parseFilters } from '../filter.ts';
import { ellipsis, formatDuration, formatSize, formatTime, truncateID } from '../format.ts';
import { LIST_FORMAT_FLAG, printListing, type Row } from '../format-flag.ts';

const HEADERS = {
  ID: 'CONTAINER ID',
  Image: 'IMAGE',
  Command: 'COMMAND',
  CreatedAt: 'CREATED AT',
  RunningFor: 'CREATED',
  Status: 'STATUS',
  Ports: 'PORTS',
  Names: 'NAMES',
  Size: 'SIZE',
  State: 'STATE',
  Labels: 'LABELS',
  Mounts: 'MOUNTS',
  Networks: 'NETWORKS',
  LocalVolumes: 'LOCAL VOLUMES',
  Platform: 'PLATFORM',
};

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
    const matches = filterOf(flags.list('filter'));
    const last = flags.bool('latest') ? 1 : flags.int('last');
    const all =
      flags.bool('all') || last > 0 || flags.list('filter').some((filter) => filter.startsWith('status='));
    const shown = host.containers.list().filter((record) => (all || isUp(record)) && matches(record));
    const records = last > 0 ? shown.slice(0, last) : shown;
    const truncate = !flags.bool('no-trunc');
    const sized = flags.bool('size') || flags.string('format').includes('.Size');
    const names = await imageNames(host);
    const rows: Row[] = [];
    for (const record of records) {
      rows.push(rowOf(record, host.now(), truncate, names, sized ? await sizeText(host, record) : '0B'));
    }
    await printListing(print, {
      rows,
      headers: HEADERS,
      columns: [
        'ID',
        'Image',
        'Command',
        'RunningFor',
        'Status',
        'Ports',
        'Names',
        ...(sized ? ['Size'] : []),
      ],
      format: flags.string('format'),
      ...(flags.bool('quiet') && { only: 'ID' }),
    });
    return 0;
  },
};

function isUp({ state }: ContainerRecord): boolean {
  return state.status === 'running' || state.status === 'paused';
}

function rowOf(
  record: ContainerRecord,
  now: number,
  truncate: boolean,
  names: ReadonlyMap<string, string>,
  size: string,
): Row {
  const command = commandText(record);
  return {
    ID: truncate ? truncateID(record.id) : record.id,
    Image: imageText(record, names, truncate),
    Command: JSON.stringify(truncate ? ellipsis(command, 20) : command),
    CreatedAt: formatTime(record.createdAt),
    RunningFor: `${formatDuration(now - record.createdAt)} ago`,
    Status: statusText(record, now),
    Ports: '',
    Names: record.name,
    Size: size,
    State: record.state.status,
    Labels: Object.entries(record.config.labels)
      .map(([name, value]) => `${name}=${value}`)
      .join(','),
    Mounts: '',
    Networks: '',
    LocalVolumes: '0',
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

const FILTERS = ['id', 'name', 'status', 'ancestor', 'label', 'exited'];

/** Values of one name are alternatives, different names must all fit. */
function filterOf(texts: readonly string[]): (record: ContainerRecord) => boolean {
  const filters = parseFilters(texts, FILTERS);
  return (record) =>
    [...filters].every(([name, values]) => values.some((value) => fits(record, name, value)));
}

function fits(record: ContainerRecord, name: string, value: string): boolean {
  const { state, config } = record;
  if (name === 'id') return record.id.startsWith(value);
  if (name === 'name') return `/${record.name}`.includes(value);
  if (name === 'status') return state.status === value;
  if (name === 'exited') return state.status === 'exited' && state.exitCode === Number(value);
  if (name === 'ancestor') {
    return (
      [record.image, record.image.split(':')[0], record.imageID].includes(value) ||
      record.imageID.startsWith(`sha256:${value}`)
    );
  }
  const equals = value.indexOf('=');
  if (equals < 0) return Object.hasOwn(config.labels, value);
  return config.labels[value.slice(0, equals)] === value.slice(equals + 1);
}

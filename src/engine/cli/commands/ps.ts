import type { ContainerRecord } from '../../store/container-record.ts';
import type { Command } from '../command.ts';
import { containerFilter } from '../container-filters.ts';
import { containerRow, imageNames } from '../container-row.ts';
import { FILTER_FLAG } from '../filter.ts';
import { LIST_FORMAT_FLAG, printListing, type Row } from '../format-flag.ts';
import { PS_WORDING } from '../template.ts';

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
    const sized = flags.bool('size') || /\{\{(?:[^}]*\.Size\b|\s*json \.\s*\}\})/.test(format);
    const names = await imageNames(host);
    const shown: ContainerRecord[] = [];
    for (const record of host.containers.list()) {
      if (last > 0 && shown.length === last) break;
      if ((all || isUp(record)) && (await filter.fits(record))) shown.push(record);
    }
    const rows: Row[] = [];
    for (const record of shown) rows.push(await containerRow(host, record, { truncate, sized, names }));
    const basic = ['ID', 'Image', 'Command', 'RunningFor', 'Status', 'Ports', 'Names'];
    await printListing(print, {
      rows,
      headers: HEADERS,
      columns: flags.bool('size') ? [...basic, 'Size'] : basic,
      format: quiet ? '' : format,
      type: '*formatter.ContainerContext',
      wording: PS_WORDING,
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

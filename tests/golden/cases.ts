/** Command lines whose output the docker client at hand was asked for, and what of it is otherwise here. */

import { type Case, words } from './case.ts';
import { CHANGES } from './cases-changes.ts';
import { ERRORS } from './cases-errors.ts';
import { OBJECTS } from './cases-objects.ts';

/** As of version 29 the table of images is another one; 28.2 prints the one that is `--format table` now. */
const classic = (line: string): Case => ({
  argv: words(line),
  ours: { argv: [...words(line), '--format', 'table'], because: 'the default is the table of Docker 29' },
});

const PIPED: readonly Case[] = [
  ...[
    'images',
    'images -a',
    'images busybox',
    'images nosuch',
    'images UPPER',
    'images --filter dangling=true',
  ].map(classic),
  ...['images --digests', 'images --no-trunc', 'images -q', 'images -q --no-trunc'].map((line) => ({
    argv: words(line),
  })),
  ...['images --format json', 'images --format raw', 'images -q --format raw'].map((line) => ({
    argv: words(line),
  })),
  { argv: ['images', '--format', 'table {{.Repository}}\\t{{.ID}}\\t{{.Size}}'] },
  { argv: ['images', '--format', '{{.Repository}}:{{.Tag}} {{.CreatedSince}} {{.CreatedAt}} {{.Digest}}'] },
  { argv: ['images', '--digests', '--format', '{{.Digest}}'] },
  { argv: ['images', '--format', '{{.Nope}}'] },
  { argv: ['images', '--format', '{{.ID'] },
  { argv: ['images', '-f', 'x'] },
  ...[
    'ps',
    'ps -a',
    'ps -aq',
    'ps -q --no-trunc',
    'ps -a --no-trunc',
    'ps -as',
    'ps -l',
    'ps -n 2',
    'ps -n 2 -q',
  ].map((line) => ({ argv: words(line) })),
  ...['ps -a --format json', 'ps -a --format raw', 'ps -as --format raw', 'ps -q --format {{.Names}}'].map(
    (line) => ({
      argv: words(line),
    }),
  ),
  {
    argv: [
      'ps',
      '-a',
      '--format',
      'table {{.Names}}\\t{{.Image}}\\t{{.Label "com.example.tier"}}\\t{{.State}}',
    ],
  },
  {
    argv: [
      'ps',
      '-a',
      '--format',
      '{{.Label "tier"}}|{{.Labels}}|{{.Networks}}|{{.LocalVolumes}}|{{.Mounts}}|{{.Size}}',
    ],
  },
  {
    argv: [
      'ps',
      '-a',
      '--format',
      'table {{upper .Names}}\\t{{join (split .Image ":") "/"}}\\t{{truncate .Status 6}}',
    ],
  },
  { argv: ['ps', '-a', '--format', 'table'] },
  { argv: ['ps', '--format', '{{.ID}}\\t{{json .}}'] },
  { argv: ['ps', '-a', '--format', '{{.Nope}}'] },
  { argv: ['ps', '--filter', 'status=exited', '--filter', 'exited=3', '--format', '{{.Names}}'] },
  { argv: ['ps', '-a', '--filter', 'name=^/(web|done)$', '--format', '{{.Names}}'] },
  ...[
    'history busybox',
    'history -q busybox',
    'history --no-trunc layerbox/site',
    'history -H=false layerbox/site',
  ].map((line) => ({ argv: words(line) })),
  ...['history committed:v1', 'history --format json layerbox/site', 'history nosuch'].map((line) => ({
    argv: words(line),
  })),
  { argv: ['history', '--format', 'table {{.ID}}\\t{{.Size}}\\t{{.CreatedAt}}', 'layerbox/site'] },
  ...['system df', 'system df --format json'].map((line) => ({ argv: words(line) })),
  { argv: ['system', 'df', '--format', 'table {{.Type}}\\t{{.TotalCount}}\\t{{.Reclaimable}}'] },
  { argv: words('system df -v') },
  { argv: words('inspect --type image busybox') },
  { argv: words('image inspect busybox nosuch') },
  { argv: words('container inspect nosuch') },
  {
    argv: [
      'container',
      'inspect',
      '-f',
      '{{.State.Status}} {{.State.Running}} {{.Config.Env}} {{.Mounts}} {{.HostConfig.Memory}}',
      'web',
    ],
  },
  { argv: ['container', 'inspect', '-f', '{{json .Config.Env}} {{json .Args}}', 'done'] },
  {
    argv: [
      'container',
      'inspect',
      '-f',
      '{{.Name}} {{.State.Status}} {{.State.ExitCode}}',
      'web',
      'failed',
      'done',
    ],
  },
  { argv: ['container', 'inspect', '-s', '-f', '{{.SizeRw}} {{.SizeRootFs}}', 'web'] },
  { argv: ['container', 'inspect', '-f', '{{.SizeRw}}', 'web'] },
  {
    argv: words('system df -v --format json'),
    differs: [
      {
        pattern: /"Platform":\{[^}]*\}/g,
        by: '"Platform":"linux/386"',
        because: 'rows are text there, also where the client has documents',
      },
    ],
  },
  { argv: ['system', 'df', '-v', '--format', '{{range .Images}}{{.Repository}} {{.UniqueSize}}{{end}}'] },
  { argv: ['image', 'inspect', '-f', 'json', 'busybox'] },
  {
    argv: [
      'image',
      'inspect',
      '-f',
      '{{.RepoTags}} {{.Architecture}} {{.Config.Cmd}} {{len .RootFS.Layers}}',
      'busybox',
    ],
  },
  { argv: ['image', 'inspect', '-f', '{{json .Config}}', 'busybox'] },
];

/** In a terminal there is more: here it must be the same. */
const ON_TERMINAL: readonly Case[] = [
  ...['ps -a', 'history layerbox/site', 'system df', 'images --digests'].map((line) => ({
    argv: words(line),
    columns: 80,
  })),
  ...['volume ls', 'network ls', 'ps -a --no-trunc', 'port db', 'top db', 'stats --no-stream', 'system df -v']
    .concat('diff writer', 'logs talker', 'search layerbox', 'volume inspect kept')
    .map((line) => ({ argv: words(line), columns: 100 })),
  ...['ps', 'volume ls', 'network ls', 'history busybox'].map((line) => ({ argv: words(line), columns: 40 })),
  { ...classic('images'), columns: 80 },
  { argv: ['ps', '--format', '{{.Names}} {{json .Command}}'], columns: 40 },
  { argv: words('container inspect -f {{.Name}} web'), columns: 80 },
];

export const CASES: readonly Case[] = [...PIPED, ...OBJECTS, ...ERRORS, ...ON_TERMINAL, ...CHANGES];

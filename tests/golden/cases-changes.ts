/** What changes things, each in a state of its own: removals, prunes, pulls, and the questions before them. */

import { type Case, fresh, words } from './case.ts';

export const CHANGES: readonly Case[] = [
  ...fresh(
    'container prune -f',
    'container prune -f --filter label=tier',
    'container prune --force --filter until=1000h',
    'image prune -f',
    'image prune -af',
    'volume prune -f',
    'volume prune -af',
    'volume prune -f --filter label=nosuch',
    'network prune -f',
    'system prune -f',
    'system prune -af --volumes',
    'rm done failed nosuch',
    'rm -f web nosuch',
    'rmi layerbox/site nosuch',
    'volume rm kept nosuch',
    'network rm nosuch bridge',
    'volume create made',
    'stop web',
    'kill -s INT web',
    'restart web',
    'pause web',
    'rename done finished',
    'tag busybox busybox:other',
    'pull busybox',
    'pull busybox:1.35',
    'pull -q busybox:1.35',
    'pull busybox:nosuch',
    'pull nosuchimage',
  ),
  ...['container prune', 'image prune', 'image prune -a', 'volume prune', 'volume prune -a', 'network prune']
    .concat('system prune', 'system prune -a --volumes', 'system prune --filter label=a --filter label!=b')
    .map((line): Case => ({ argv: words(line), columns: 80, typed: 'n\n', fresh: true })),
  { argv: words('container prune'), columns: 80, typed: 'y\n', fresh: true },
  { argv: words('system prune'), columns: 80, typed: 'Y\n', fresh: true },
  { argv: words('image prune'), columns: 80, typed: 'yes\n', fresh: true },
  { argv: words('network prune'), columns: 80, typed: '\n', fresh: true },
  ...['pull busybox', 'pull busybox:1.35', 'pull nosuchimage'].map(
    (line): Case => ({ argv: words(line), columns: 120, screen: true, fresh: true }),
  ),
];

/** The Engine API of docker 28.2 over a sandbox, as far as the recorded commands ask. */

import type { TestSandbox } from '../unit/container/sandbox.ts';
import { Daemon, fields } from './daemon.ts';
import * as changes from './daemon-changes.ts';
import * as lists from './daemon-lists.ts';
import * as streams from './daemon-streams.ts';
import type { Answer, Asked } from './engine-api.ts';

type Handler = (daemon: Daemon, asked: Asked, name: string) => Promise<unknown>;

/** By method and path: `*` is a name, which may have slashes. */
const ROUTES: Readonly<Record<string, Handler>> = {
  'GET /containers/json': (daemon, { query }) => lists.containers(daemon, query),
  'GET /images/json': (daemon, { query }) => lists.images(daemon, query),
  'GET /volumes': async (daemon, { query }) => ({
    Volumes: await lists.volumes(daemon, query),
    Warnings: null,
  }),
  'GET /networks': (daemon, { query }) => lists.networks(daemon, query),
  'GET /system/df': (daemon) => lists.usage(daemon),
  'GET /info': async (daemon) => JSON.parse(await daemon.docker('info', '-f', 'json')),
  'GET /version': async (daemon) => JSON.parse(await daemon.docker('version', '-f', 'json')).Server,
  'GET /events': (daemon, { query }) => streams.events(daemon, query),
  'GET /images/search': search,
  'POST /images/create': (daemon, { query }) =>
    streams.pull(daemon, `${query.get('fromImage')}:${query.get('tag') || 'latest'}`),
  'POST /containers/create': (daemon, { query, body }) =>
    changes.createContainer(daemon, query.get('name') ?? '', body),
  'POST /volumes/create': (daemon, { body }) => changes.create(daemon, 'volume', body),
  'POST /networks/create': (daemon, { body }) => changes.create(daemon, 'network', body),
  'POST /*/prune': (daemon, { query }, kind) => changes.prune(daemon, kind, query),
  'GET /containers/*/json': (daemon, { query }, name) =>
    daemon.inspect('container', name, query.get('size') === '1'),
  'GET /images/*/json': (daemon, _, name) => daemon.inspect('image', name),
  'GET /images/*/history': (daemon, _, name) => lists.history(daemon, name),
  'GET /containers/*/logs': (daemon, { query }, name) => streams.logs(daemon, name, query),
  'GET /containers/*/top': (daemon, { query }, name) => streams.top(daemon, name, query.get('ps_args') ?? ''),
  'GET /containers/*/stats': (daemon, _, name) => streams.stats(daemon, name),
  'GET /containers/*/changes': differences,
  'POST /containers/*/exec': (daemon, _, name) =>
    changes.changeContainer(daemon, name, ['exec', name, 'true']),
  'POST /containers/*/rename': (daemon, { query }, name) =>
    changes.renameContainer(daemon, name, query.get('name') ?? ''),
  'POST /containers/*/wait': async (daemon, _, name) => ({
    StatusCode: fields((await daemon.inspect('container', name)).State).ExitCode,
  }),
  'POST /containers/*/start': (daemon, _, name) => changes.changeContainer(daemon, name, ['start', name]),
  'POST /containers/*/stop': (daemon, _, name) => changes.changeContainer(daemon, name, ['stop', name]),
  'POST /containers/*/restart': (daemon, _, name) => changes.changeContainer(daemon, name, ['restart', name]),
  'POST /containers/*/pause': (daemon, _, name) => changes.changeContainer(daemon, name, ['pause', name]),
  'POST /containers/*/unpause': (daemon, _, name) => changes.changeContainer(daemon, name, ['unpause', name]),
  'POST /containers/*/kill': (daemon, { query }, name) =>
    changes.changeContainer(daemon, name, ['kill', '-s', query.get('signal') || 'KILL', name]),
  'POST /images/*/tag': (daemon, { query }, name) => changes.tag(daemon, name, query),
  'HEAD /containers/*/archive': (daemon, _, name) => daemon.inspect('container', name),
  'GET /containers/*/archive': (daemon, _, name) => daemon.inspect('container', name),
  'GET /containers/*/export': (daemon, _, name) => daemon.inspect('container', name),
  'POST /commit': (daemon, { query }) => daemon.inspect('container', query.get('container') ?? ''),
  'GET /images/get': (daemon, { query }) => daemon.inspect('image', query.get('names') ?? ''),
  'GET /volumes/*': (daemon, _, name) => daemon.inspect('volume', name),
  'GET /networks/*': (daemon, _, name) => daemon.inspect('network', name),
  'DELETE /containers/*': (daemon, { query }, name) => changes.removeContainer(daemon, name, query),
  'DELETE /images/*': (daemon, { query }, name) => changes.removeImage(daemon, name, query),
  'DELETE /volumes/*': (daemon, _, name) => changes.removeVolume(daemon, name),
  'DELETE /networks/*': (daemon, _, name) => changes.removeNetwork(daemon, name),
};

const PATTERNS = Object.entries(ROUTES).map(([route, handler]) => {
  const source = route.replaceAll(/[.*/]/g, (character) => (character === '*' ? '(.+)' : `\\${character}`));
  return { pattern: new RegExp(`^${source}$`), handler };
});

/** The answers of one sandbox. */
export function answersOf(sandbox: TestSandbox): Answer {
  const daemon = new Daemon(sandbox);
  return async (asked) => {
    for (const { pattern, handler } of PATTERNS) {
      const match = pattern.exec(`${asked.method} ${asked.path}`);
      if (match !== null) return handler(daemon, asked, match[1] ?? '');
    }
    return undefined;
  };
}

async function search(daemon: Daemon, { query }: Asked): Promise<unknown> {
  const rows = await daemon.rows(
    'search',
    '--no-trunc',
    '--limit',
    query.get('limit') || '25',
    query.get('term') ?? '',
  );
  return rows.map(({ Name, Description, StarCount, IsOfficial }) => ({
    name: Name,
    description: Description,
    star_count: Number(StarCount),
    is_official: IsOfficial === '[OK]',
    is_automated: false,
  }));
}

async function differences(daemon: Daemon, _: Asked, name: string): Promise<unknown> {
  await daemon.inspect('container', name);
  return (await daemon.lines('diff', name)).map((line) => ({
    Kind: ['C', 'A', 'D'].indexOf(line.slice(0, 1)),
    Path: line.slice(2),
  }));
}

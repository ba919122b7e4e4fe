/** What the daemon does when it is told to: our own commands do it. */

import { bytesOf, type Daemon, type Document, fields, filterFlags } from './daemon.ts';
import { usersOf } from './daemon-lists.ts';
import {
  type Kind,
  nameInUse,
  nameOfUsedImage,
  notRunning,
  runningContainer,
  usedImage,
  volumeInUse,
} from './daemon-words.ts';
import { ApiError } from './engine-api.ts';

/** Makes a container; the client has read its flags. */
export async function createContainer(daemon: Daemon, name: string, body: unknown): Promise<Document> {
  const { Image, Cmd } = fields(body);
  await daemon.inspect('image', String(Image));
  const holder =
    name === ''
      ? ''
      : (await daemon.sandbox.docker(['ps', '-aq', '--no-trunc', '--filter', `name=^${name}$`])).out.trim();
  if (holder !== '') throw nameInUse(name, holder);
  const command = Array.isArray(Cmd) ? Cmd.map(String) : [];
  const out = await daemon.docker(...['create', '--name', name, String(Image)], ...command);
  return { Id: out.trim(), Warnings: [] };
}

/** `start`, `stop`, `kill` and the like; `argv`: our words for it. */
export async function changeContainer(daemon: Daemon, name: string, argv: readonly string[]): Promise<null> {
  const [action = ''] = argv;
  const document = await daemon.inspect('container', name);
  const { Running } = fields(document.State);
  const id = String(document.Id);
  if (Running !== true && action === 'kill') throw notRunning(id, `cannot kill container: ${name}: `);
  if (Running !== true && (action === 'pause' || action === 'exec' || action === 'top')) throw notRunning(id);
  await daemon.docker(...argv);
  return null;
}

export async function removeContainer(daemon: Daemon, name: string, query: URLSearchParams): Promise<null> {
  const document = await daemon.inspect('container', name);
  const force = query.get('force') === '1';
  const { Running, Status } = fields(document.State);
  if (Running === true && !force) throw runningContainer(String(document.Name).slice(1), String(Status));
  await daemon.docker('rm', ...(force ? ['-f'] : []), ...(query.get('v') === '1' ? ['-v'] : []), name);
  return null;
}

export async function renameContainer(daemon: Daemon, name: string, to: string): Promise<null> {
  await daemon.inspect('container', name);
  const holder = (await daemon.lines('ps', '-aq', '--no-trunc', '--filter', `name=^${to}$`))[0];
  if (holder !== undefined) {
    const { message } = nameInUse(to, holder);
    throw new ApiError(409, `Error when allocating new name: ${message}`);
  }
  await daemon.docker('rename', name, to);
  return null;
}

export async function removeImage(
  daemon: Daemon,
  name: string,
  query: URLSearchParams,
): Promise<readonly Document[]> {
  const { Id, RepoTags } = await daemon.inspect('image', name);
  const id = String(Id);
  const force = query.get('force') === '1';
  const users = await usersOf(daemon, id, { all: true });
  const running = await usersOf(daemon, id, { all: false });
  const isByID = id.replace('sha256:', '').startsWith(name);
  const [user] = users;
  const [runner] = running;
  if (isByID && runner !== undefined) throw usedImage(id, runner);
  const isLast = Array.isArray(RepoTags) && RepoTags.length === 1;
  if (!isByID && !force && isLast && user !== undefined) throw nameOfUsedImage(name, user, id);
  const lines = await daemon.lines('rmi', ...(force ? ['-f'] : []), name);
  return lines.map((line) => {
    const [what = '', text = ''] = line.split(': ');
    return { [what]: text };
  });
}

/** `users`: the containers that have it. */
export async function removeVolume(daemon: Daemon, name: string): Promise<null> {
  await daemon.inspect('volume', name);
  const users = await daemon.lines('ps', '-aq', '--no-trunc', '--filter', `volume=${name}`);
  if (users.length > 0) throw volumeInUse(name, users);
  await daemon.docker('volume', 'rm', name);
  return null;
}

export async function removeNetwork(daemon: Daemon, name: string): Promise<null> {
  const { Name } = await daemon.inspect('network', name);
  if (['bridge', 'host', 'none'].includes(String(Name)))
    throw new ApiError(403, `${String(Name)} is a pre-defined network and cannot be removed`);
  await daemon.docker('network', 'rm', name);
  return null;
}

export async function create(daemon: Daemon, kind: Kind, body: unknown): Promise<Document> {
  const { Name = '' } = fields(body);
  const out = await daemon.docker(kind, 'create', ...(Name === '' ? [] : [String(Name)]));
  return kind === 'network' ? { Id: out.trim(), Warning: '' } : daemon.inspect(kind, out.trim());
}

export async function tag(daemon: Daemon, name: string, query: URLSearchParams): Promise<null> {
  await daemon.inspect('image', name);
  await daemon.docker('tag', name, `${query.get('repo')}:${query.get('tag')}`);
  return null;
}

const PRUNED = {
  containers: 'ContainersDeleted',
  images: 'ImagesDeleted',
  volumes: 'VolumesDeleted',
  networks: 'NetworksDeleted',
};

/** What went is what our command says. */
export async function prune(
  daemon: Daemon,
  kind: string,
  query: URLSearchParams,
): Promise<Document | undefined> {
  if (kind === 'build') return { CachesDeleted: null, SpaceReclaimed: 0 };
  if (!(kind in PRUNED)) return undefined;
  const out = await daemon.docker(kind.slice(0, -1), 'prune', '-f', ...filterFlags(query));
  const lines = out.split('\n').filter((line) => line !== '' && !line.startsWith('Deleted '));
  const removed = lines.filter((line) => !line.startsWith('Total'));
  const SpaceReclaimed = bytesOf(/Total reclaimed space: (\S+)/.exec(out)?.[1] ?? '');
  const deleted = removed.map((line) => {
    const [what = '', ...rest] = line.split(': ');
    return kind !== 'images' ? line : { [what === 'untagged' ? 'Untagged' : 'Deleted']: rest.join(': ') };
  });
  const member = Object.entries(PRUNED).find(([name]) => name === kind)?.[1] ?? '';
  return { [member]: deleted.length === 0 ? null : deleted, SpaceReclaimed };
}

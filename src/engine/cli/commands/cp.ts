import { counted } from '../../container/long-name-tar.ts';
import { cleanPath } from '../../container/mount-spec.ts';
import { startedMachine } from '../../container/started-machine.ts';
import { encodeName, printableName } from '../../names.ts';
import { type Pieces, renamed } from '../../unionfs/pieces.ts';
import { piecesOfTar } from '../../unionfs/pieces-of-tar.ts';
import { tarOfPieces } from '../../unionfs/tar-of-pieces.ts';
import { standardInput } from '../archive-input.ts';
import type { Command, Invocation } from '../command.ts';
import { copyPlan, type Kind, placeOf, splitContainerPath } from '../copy-plan.ts';
import { CopyProgress } from '../copy-progress.ts';
import { formatSize } from '../format.ts';
import { absolutePath } from '../host-path.ts';
import { localPieces, localTarget, localType, writeLocal } from '../local-files.ts';
import { refusal } from '../refusal.ts';

export const cp: Command = {
  usage: '[OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-\n\tdocker cp [OPTIONS] SRC_PATH|- CONTAINER:DEST_PATH',
  summary: `Copy files/folders between a container and the local filesystem

Use '-' as the source to read a tar archive from stdin
and extract it to a directory destination in a container.
Use '-' as the destination to stream a tar archive of a
container source to stdout.`,
  aliases: ['docker container cp', 'docker cp'],
  flags: [
    { long: 'archive', short: 'a', type: 'bool', help: 'Archive mode (copy all uid/gid information)' },
    { long: 'follow-link', short: 'L', type: 'bool', help: 'Always follow symbol link in SRC_PATH' },
    {
      long: 'quiet',
      short: 'q',
      type: 'bool',
      help: 'Suppress progress output during copy. Progress output is automatically suppressed if no terminal is attached',
    },
  ],
  wordCount: { min: 2, max: 2 },
  run: async (invocation) => {
    const [sourceWord = '', destinationWord = ''] = invocation.words;
    if (sourceWord === '') throw refusal('source can not be empty');
    if (destinationWord === '') throw refusal('destination can not be empty');
    const source = splitContainerPath(sourceWord);
    const destination = splitContainerPath(destinationWord);
    if (source.container !== '' && destination.container !== '') {
      throw refusal('copying between containers is not supported');
    }
    if (source.container !== '') await copyFrom(invocation, source, destination.path);
    else if (destination.container !== '') await copyTo(invocation, source.path, destination);
    else throw refusal('must specify at least one container source');
    return 0;
  },
};

interface End {
  readonly container: string;
  readonly path: string;
}

async function copyFrom(invocation: Invocation, { container, path }: End, local: string): Promise<void> {
  const { host, stdio, flags } = invocation;
  const { copying } = host.containers;
  const target = local === '-' ? '-' : absolutePath(local, stdio);
  if (target !== '-') await checkOutput(invocation, target);
  const { id } = host.containers.resolve(container);
  const asked = `/${path.replace(/^\/+/, '')}`;
  const follow = flags.bool('follow-link') || /\/\.?$/.test(asked);
  const stat = await copying.stat(id, asked);
  const resolved = follow && stat?.type === 'symlink' ? await copying.stat(id, stat.target ?? asked) : stat;
  const { name } = placeOf(asked);
  const options = { follow, shown: container };
  if (target === '-') {
    const pieces = copying.read(id, asked, { ...options, name });
    for await (const chunk of tarOfPieces(pieces)) await stdio.write('out', chunk);
    return;
  }
  const machine = await startedMachine(host.machine);
  // what is not there is for the container to tell of, not for its destination
  const isDirectory = resolved?.type === 'dir';
  const plan =
    resolved === undefined
      ? placeOf(target)
      : copyPlan({ name, isDirectory }, { path: target, kind: await localKind(invocation, target) });
  const pieces = copying.read(id, asked, { ...options, name: plan.name });
  const words = { direction: 'from', destination: target } as const;
  await told(invocation, pieces, words, (passed) => writeLocal(machine, plan.directory, passed));
}

async function copyTo(invocation: Invocation, local: string, { container, path }: End): Promise<void> {
  const { host, stdio, flags } = invocation;
  const { copying } = host.containers;
  const { id } = host.containers.resolve(container);
  const destination = await destinationOf(invocation, id, { container, path });
  const write = (directory: string, pieces: Pieces) =>
    copying.write(id, directory, pieces, { ofUser: flags.bool('archive'), shown: container });
  if (local === '-') {
    if (destination.kind !== 'directory')
      throw refusal(`destination "${container}:${path}" must be a directory`);
    await write(destination.path, piecesOfTar(standardInput(stdio)));
    return;
  }
  const machine = await startedMachine(host.machine);
  const named = absolutePath(local, stdio);
  const follow = flags.bool('follow-link') || /\/\.?$/.test(named);
  const type = await localType(machine, named, { follow });
  if (type === undefined) {
    throw refusal(`lstat ${printableName(cleanPath(named))}: no such file or directory`);
  }
  const { name } = placeOf(named);
  const plan = copyPlan({ name, isDirectory: type === 'dir' }, destination);
  const source = placeOf(follow ? await withEnd(named, localTarget(machine, named)) : named);
  const pieces = under(localPieces(machine, source), source.name, plan.name);
  const words = { direction: 'to', destination: `${container}:${destination.path}` } as const;
  await told(invocation, pieces, words, (passed) => write(plan.directory, passed));
}

/** The path that a link stands for, with what says that the content of a directory is meant. */
async function withEnd(path: string, target: Promise<string>): Promise<string> {
  return path.endsWith('/.') ? `${await target}/.` : target;
}

/** What is at the path in the container; a link there is followed. UsageError in Docker's words for a device. */
async function destinationOf({ host }: Invocation, id: string, { container, path }: End) {
  const { copying } = host.containers;
  const asked = `/${path.replace(/^\/+/, '')}`;
  const first = await copying.stat(id, asked);
  const target = first?.type === 'symlink' ? (first.target ?? asked) : asked;
  const found = target === asked ? first : await copying.stat(id, target);
  if (found !== undefined && !['dir', 'file', 'symlink'].includes(found.type)) {
    const what = ['char', 'block'].includes(found.type) ? 'got a device' : 'got an irregular file';
    throw refusal(`destination "${container}:${path}" must be a directory or a regular file: ${what}`);
  }
  const kind: Kind = found === undefined ? undefined : found.type === 'dir' ? 'directory' : 'other';
  return { path: target, kind };
}

async function localKind({ host }: Invocation, path: string): Promise<Kind> {
  const type = await localType(await startedMachine(host.machine), path, { follow: true });
  return type === undefined ? undefined : type === 'dir' ? 'directory' : 'other';
}

/** As Docker's client checks before it asks the daemon. */
async function checkOutput(invocation: Invocation, path: string): Promise<void> {
  const folder = cleanPath(`${cleanPath(path)}/..`);
  if ((await localKind(invocation, folder)) === undefined) {
    throw refusal(`invalid output path: directory ${JSON.stringify(printableName(folder))} does not exist`);
  }
  const machine = await startedMachine(invocation.host.machine);
  if ((await localType(machine, path, { follow: true })) === 'other') {
    throw refusal(
      `invalid output path: ${JSON.stringify(printableName(path))} must be a directory or a regular file`,
    );
  }
}

/** The pieces of `from` and what is below it, under the name `to`. */
function under(pieces: Pieces, from: string, to: string): Pieces {
  const rename = (path: string): string => {
    const clean = path.split('/').filter((name) => name !== '' && name !== '.');
    const rest = from === '' ? clean : clean.slice(1);
    return [...(to === '' ? [] : [to]), ...rest].join('/');
  };
  return renamed(pieces, (entry) => ({
    ...entry,
    path: rename(entry.path),
    ...(entry.type === 'hardlink' && { link: rename(entry.link ?? '') }),
  }));
}

/** Copies, and on a terminal, or when asked not to be quiet, says how much: there also while it does. */
async function told(
  { flags, stdio, print, host }: Invocation,
  pieces: Pieces,
  { direction, destination }: { readonly direction: 'to' | 'from'; readonly destination: string },
  copy: (pieces: Pieces) => Promise<void>,
): Promise<void> {
  const isQuiet = flags.given('quiet') ? flags.bool('quiet') : !stdio.terminal.stdout;
  const progress =
    isQuiet || !stdio.terminal.stderr
      ? undefined
      : new CopyProgress(direction, {
          write: (text) => stdio.write('err', encodeName(text)),
          now: host.now,
        });
  let bytes = 0;
  await progress?.begin();
  try {
    await copy(
      counted(pieces, async (more) => {
        stdio.signal.throwIfAborted();
        bytes += more;
        await progress?.update(bytes);
      }),
    );
  } finally {
    await progress?.end();
  }
  if (!isQuiet)
    await print.error(`Successfully copied ${formatSize(bytes)} to ${printableName(destination)}`);
}

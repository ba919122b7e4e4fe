/** The host's end of `docker cp`: what is there, read and written by programs of the guest. */

import { runInGuest, tarFromGuest, writeInGuest } from '../container/guest-tar.ts';
import type { Machine } from '../container/machine.ts';
import { printableName } from '../names.ts';
import type { Pieces } from '../unionfs/pieces.ts';
import { piecesOfTar } from '../unionfs/pieces-of-tar.ts';
import { refusal } from './refusal.ts';

const HOST = { host: true } as const;
/** st_mode (inode(7)). */
const S_IFMT = 0o170000;

export type LocalType = 'file' | 'dir' | 'symlink' | 'other';

const TYPES: ReadonlyMap<number, LocalType> = new Map([
  [0o100000, 'file'],
  [0o040000, 'dir'],
  [0o120000, 'symlink'],
]);

/** Undefined when there is nothing. */
export async function localType(
  machine: Machine,
  path: string,
  { follow }: { readonly follow: boolean },
): Promise<LocalType | undefined> {
  const { code, out } = await runInGuest(machine, HOST, [
    'stat',
    ...(follow ? ['-L'] : []),
    '-c',
    '%f',
    '--',
    path,
  ]);
  if (code !== 0) return undefined;
  return TYPES.get(Number.parseInt(out, 16) & S_IFMT) ?? 'other';
}

/** Where the links lead. UsageError in Docker's words for nowhere. */
export async function localTarget(machine: Machine, path: string): Promise<string> {
  const { code, out } = await runInGuest(machine, HOST, ['readlink', '-f', '--', path]);
  if (code === 0) return out.replace(/\n$/, '');
  throw refusal(`lstat ${printableName(path)}: no such file or directory`);
}

export function localPieces(
  machine: Machine,
  place: { readonly directory: string; readonly name: string },
): Pieces {
  const { directory, name } = place;
  return piecesOfTar(tarFromGuest(machine, HOST, { directory, name: name === '' ? '.' : `./${name}` }));
}

/** All that is written is the user's who calls, as with Docker's client. */
export function writeLocal(machine: Machine, directory: string, pieces: Pieces): Promise<void> {
  return writeInGuest(machine, HOST, directory, pieces, { keepOwner: false });
}

/** What is there on the machine's host side: whether a bind mount has a source. */

import { FsError } from '../unionfs/errno.ts';
import type { FileSystem } from '../unionfs/filesystem.ts';
import { resolvePath } from '../unionfs/resolve.ts';
import type { Machine } from './machine.ts';
import { startedMachine } from './started-machine.ts';

/** Where the machine's host side has the learner's home. */
const HOME = '/root';

/** True when there is a file or directory at this absolute path of the host; rejects as `startedMachine` for what only the machine knows. */
export async function hostHas(
  path: string,
  home: FileSystem,
  machine: Machine | undefined,
): Promise<boolean> {
  if (path === HOME || path.startsWith(`${HOME}/`)) {
    if (machine?.state.status === 'running') await machine.sync();
    return isThere(home, path.slice(HOME.length) || '/');
  }
  const started = await startedMachine(machine);
  const process = await started.spawn({
    argv: ['/bin/bash', '-c', '[ -e "$1" ]', 'docker', path],
    env: ['PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin'],
    cwd: '/',
    uid: 0,
    gid: 0,
  });
  process.closeInput();
  return (await process.exit).code === 0;
}

function isThere(home: FileSystem, path: string): boolean {
  try {
    resolvePath(home, path);
    return true;
  } catch (error) {
    if (error instanceof FsError && error.errno !== 'EIO') return false;
    throw error;
  }
}

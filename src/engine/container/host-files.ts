/**
 * Files of the docker host: what `docker load -i`, `docker import`, `docker save -o` and `docker export -o` read and
 * write, and whether a bind mount has a source. While the machine runs its guest alone changes the host's files, so that
 * it is a program of the guest that reads and writes them, wherever they are; without a machine the learner's home is all
 * there is.
 */

import { NoSuchFileError, StorageFailedError } from '../errors.ts';
import { decodeName, printableName } from '../names.ts';
import { FsError } from '../unionfs/errno.ts';
import type { FileSystem } from '../unionfs/filesystem.ts';
import { resolvePath } from '../unionfs/resolve.ts';
import { pathAtHome } from './host-home.ts';
import type { Machine, Process, SpawnSpec } from './machine.ts';
import { printedBy } from './printed-by.ts';
import { startedMachine } from './started-machine.ts';

const PIECE = 1 << 20;
const SIGTERM = 15;

/** Exit codes of the scripts below. */
const MISSING = 44;
const DIRECTORY = 45;
const CHARACTER_DEVICE = 46;
const BLOCK_DEVICE = 47;

const READ = `[ -e "$1" ] || exit ${MISSING}; [ -d "$1" ] && exit ${DIRECTORY}; exec cat -- "$1"`;
/** Nothing of that name is there before all of it is, as with Docker's client. */
const WRITE = [
  `folder=$(dirname -- "$1"); [ -d "$folder" ] || exit ${MISSING}; [ -d "$1" ] && exit ${DIRECTORY}`,
  `[ -c "$1" ] && exit ${CHARACTER_DEVICE}; [ -b "$1" ] && exit ${BLOCK_DEVICE}`,
  `part=$(mktemp -- "$folder/.docker_temp_XXXXXX") || exit 1; failed=; trap failed=1 TERM`,
  `echo ready; cat > "$part" || failed=1`,
  `if [ -n "$failed" ]; then rm -f -- "$part"; exit 1; fi; chmod 600 -- "$part" && mv -f -- "$part" "$1"`,
].join('\n');

export interface HostFiles {
  /** The content of a file, by its absolute path. NoSuchFileError in the words of open(2), before the first piece. */
  read(path: string): AsyncGenerator<Uint8Array<ArrayBuffer>, void>;
  /** Makes these bytes the content of a file. When they fail to come there is no file, or the one that was. NoSuchFileError in Docker's words. */
  write(path: string, pieces: AsyncIterable<Uint8Array<ArrayBuffer>>): Promise<void>;
}

/** The host's files, by the machine's guest when there is one that runs. */
export function hostFiles(machine: Machine | undefined, home: FileSystem): HostFiles {
  const guest = () =>
    machine === undefined || machine.state.status === 'failed' || machine.state.status === 'closed'
      ? undefined
      : machine;
  return {
    read: (path) => {
      const running = guest();
      return running === undefined ? readAtHome(home, path) : readByGuest(running, path);
    },
    write: (path, pieces) => {
      const running = guest();
      return running === undefined ? writeAtHome(home, path, pieces) : writeByGuest(running, path, pieces);
    },
  };
}

/** True when there is a file or directory at this absolute path of the host; rejects as `startedMachine` for what only the machine knows. */
export async function hostHas(
  path: string,
  home: FileSystem,
  machine: Machine | undefined,
): Promise<boolean> {
  const within = pathAtHome(path);
  if (within !== undefined) {
    if (machine?.state.status === 'running') await machine.sync();
    return isThere(home, within);
  }
  const started = await startedMachine(machine);
  const process = await started.spawn(script('[ -e "$1" ]', path));
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

function script(text: string, path: string): SpawnSpec {
  return {
    argv: ['/bin/bash', '-c', text, 'docker', path],
    env: ['PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin', 'LANG=C.UTF-8'],
    cwd: '/',
    uid: 0,
    gid: 0,
  };
}

async function* readByGuest(machine: Machine, path: string): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
  const started = await startedMachine(machine);
  const process = await started.spawn(script(READ, path));
  const { code, err } = yield* printedBy(process, () => {
    process.signal(SIGTERM);
    drain(process);
  });
  if (code !== 0) throw readFault(path, code, err);
}

function readFault(path: string, code: number, said: string): Error {
  const shown = printableName(path);
  if (code === MISSING) return missing(`open ${shown}: no such file or directory`, path);
  if (code === DIRECTORY) return missing(`read ${shown}: is a directory`, path);
  return new StorageFailedError(`read ${shown}: ${printableName(said.trim() || `cat ended with ${code}`)}`, {
    path,
  });
}

async function writeByGuest(
  machine: Machine,
  path: string,
  pieces: AsyncIterable<Uint8Array<ArrayBuffer>>,
): Promise<void> {
  const started = await startedMachine(machine);
  const process = await started.spawn(script(WRITE, path));
  const { ready, said } = outputOf(process);
  try {
    if (await ready) {
      for await (const piece of pieces) await process.write(piece);
    }
  } catch (error) {
    process.signal(SIGTERM);
    process.closeInput();
    await process.exit;
    throw error;
  }
  process.closeInput();
  const { code } = await process.exit;
  await started.sync();
  if (code !== 0) throw writeFault(path, code, await said);
}

/** `ready`: the script waits for input; false when it ended before that. */
function outputOf(process: Process): { readonly ready: Promise<boolean>; readonly said: Promise<string> } {
  let tell: (isReady: boolean) => void = () => undefined;
  const ready = new Promise<boolean>((resolve) => {
    tell = resolve;
  });
  const read = async () => {
    let text = '';
    for await (const { stream, bytes } of process.output) {
      if (stream === 'out') tell(true);
      else text += decodeName(bytes);
    }
    return text;
  };
  const said = read().finally(() => tell(false));
  said.catch(() => undefined); // of a machine that has failed the exit tells
  return { ready, said };
}

function writeFault(path: string, code: number, said: string): Error {
  if (code === MISSING) {
    const folder = path.slice(0, path.lastIndexOf('/')) || '/';
    return missing(`invalid output path: stat ${printableName(folder)}: no such file or directory`, path);
  }
  if (code === DIRECTORY) return missing('cannot write to a directory', path);
  if (code === CHARACTER_DEVICE) return missing('cannot write to a character device file', path);
  if (code === BLOCK_DEVICE) return missing('cannot write to a block device file', path);
  return new StorageFailedError(
    `write ${printableName(path)}: ${printableName(said.trim() || `cat ended with ${code}`)}`,
    { path },
  );
}

function drain(process: Process): void {
  const read = async () => {
    for await (const _ of process.output);
  };
  read().catch(() => undefined); // nobody wants it any more
}

async function* readAtHome(home: FileSystem, path: string): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
  const ino = atHome(path, () => resolvePath(home, inHome(path)));
  if (home.stat(ino).type === 'dir') throw readFault(path, DIRECTORY, '');
  home.hold(ino);
  try {
    const { size } = home.stat(ino);
    for (let at = 0; at < size; at += PIECE) {
      yield Uint8Array.from(await home.read(ino, at, Math.min(PIECE, size - at)));
    }
  } finally {
    home.release(ino);
  }
}

async function writeAtHome(
  home: FileSystem,
  path: string,
  pieces: AsyncIterable<Uint8Array<ArrayBuffer>>,
): Promise<void> {
  const slash = path.lastIndexOf('/');
  const name = path.slice(slash + 1);
  let folder: number;
  try {
    folder = resolvePath(home, `${inHome(path.slice(0, slash) || '/')}/`);
  } catch (error) {
    if (error instanceof FsError || error instanceof NoSuchFileError) throw writeFault(path, MISSING, '');
    throw error;
  }
  if (name === '' || home.readdir(folder).some((entry) => entry.name === name && entry.type === 'dir')) {
    throw writeFault(path, DIRECTORY, '');
  }
  const part = `.docker_temp_${name}`;
  const remove = () => {
    if (home.readdir(folder).some((entry) => entry.name === part)) home.unlink(folder, part);
  };
  try {
    remove();
    let at = 0;
    const ino = home.create(folder, part, 0o600, { uid: 0, gid: 0 });
    for await (const piece of pieces) {
      at += home.write(ino, at, piece);
      await home.ready();
    }
    home.rename(folder, part, folder, name);
  } catch (error) {
    remove();
    throw error;
  }
  await home.flush();
}

/** The path as the home has it. NoSuchFileError for what lies elsewhere. */
function inHome(path: string): string {
  const within = pathAtHome(path);
  if (within !== undefined) return within;
  throw readFault(path, MISSING, '');
}

function atHome<T>(path: string, look: () => T): T {
  try {
    return look();
  } catch (error) {
    if (error instanceof FsError) throw readFault(path, MISSING, '');
    throw error;
  }
}

function missing(message: string, path: string): Error {
  return new NoSuchFileError(message, { path });
}

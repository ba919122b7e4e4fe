/**
 * Files written and read by the guest itself, with the tar of its own busybox: where a tree is mounted there, only the
 * guest may change it, as it would not see what changes behind its back.
 */

import { LayerboxError } from '../errors.ts';
import { decodeName, printableName } from '../names.ts';
import type { Pieces } from '../unionfs/pieces.ts';
import { longNameTarOf } from './long-name-tar.ts';
import type { ContainerSpec, Machine, Process, SpawnSpec } from './machine.ts';
import { OutputFan } from './output-fan.ts';
import { printedBy } from './printed-by.ts';
import { exitAndOutput } from './running.ts';

/** A static program with a tar in it. */
const BUSYBOX = '/bin/busybox';
const SIGKILL = 9;

/** Whose files: those of a container that runs, of one that does not, or the host's. */
export type GuestPlace =
  | { readonly inside: Process }
  | { readonly container: ContainerSpec }
  | { readonly host: true };

function specOf(place: GuestPlace, argv: readonly string[], cwd: string): SpawnSpec {
  const base = { argv, env: ['PATH=/bin', 'LANG=C.UTF-8'], cwd, uid: 0, gid: 0 };
  if ('inside' in place) return { ...base, program: BUSYBOX, inside: place.inside };
  if ('container' in place) return { ...base, program: BUSYBOX, container: place.container };
  return { ...base, argv: [BUSYBOX, ...argv] };
}

/** Writes the pieces below a directory. LayerboxError with what tar said; rejects as `Machine.spawn` and the pieces do. */
export async function writeInGuest(
  machine: Machine,
  place: GuestPlace,
  directory: string,
  pieces: Pieces,
  options: { readonly keepOwner?: boolean } = {},
): Promise<void> {
  const owner = options.keepOwner === false ? ['-o'] : [];
  const argv = ['tar', '-x', '-p', ...owner, '-f', '-', '-C', directory];
  const process = await machine.spawn(specOf(place, argv, '/'));
  const said = listen(process);
  try {
    for await (const chunk of longNameTarOf(pieces)) await process.write(chunk);
  } catch (error) {
    process.signal(SIGKILL);
    await process.exit;
    throw error;
  }
  process.closeInput();
  const { code, err } = await said;
  if (code !== 0) throw refused(err, code);
}

/** Runs a program of busybox and gives what it printed. */
export async function runInGuest(
  machine: Machine,
  place: GuestPlace,
  argv: readonly string[],
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const process = await machine.spawn(specOf(place, argv, '/'));
  process.closeInput();
  return listen(process);
}

/** What is at a path as the chunks of a tar, named as `name` in `directory`. LayerboxError with what tar said. */
export async function* tarFromGuest(
  machine: Machine,
  place: GuestPlace,
  { directory, name }: { readonly directory: string; readonly name: string },
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const argv = ['tar', '-c', '-f', '-', '-C', directory, '--', name];
  const process = await machine.spawn(specOf(place, argv, '/'));
  const { code, err } = yield* printedBy(process, () => process.signal(SIGKILL));
  if (code !== 0) throw refused(err, code);
}

async function listen(process: Process): Promise<{ code: number; out: string; err: string }> {
  const said = { out: '', err: '' };
  const fan = new OutputFan();
  fan.add({
    write: async (stream, bytes) => {
      said[stream] += decodeName(bytes);
    },
  });
  const { code } = await exitAndOutput(
    process,
    fan.pump(process, () => undefined),
  );
  return { code, ...said };
}

/** The last line says what went wrong; tar puts its own name before it. */
function refused(err: string, code: number): LayerboxError {
  const line = err.trim().split('\n').at(-1) ?? '';
  const why = line.replace(/^tar: /, '');
  return new LayerboxError(printableName(why === '' ? `tar ended with exit code ${code}` : why), {
    exitCode: code,
  });
}

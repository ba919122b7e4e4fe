/** Files of the host's side that a command line names: --label-file, --cidfile. */

import { startedMachine } from '../container/started-machine.ts';
import { UsageError } from '../errors.ts';
import { encodeName, printableName } from '../names.ts';
import type { DockerHost } from './docker-host.ts';
import type { Stdio } from './stdio.ts';

/** The path from the root, as the shell that called would have it. */
export function absolutePath(path: string, { cwd }: Stdio): string {
  return path.startsWith('/') ? path : `${cwd.replace(/\/$/, '')}/${path}`;
}

/** The text of a file. UsageError in Docker's words when it cannot be read. */
export async function readFileOf(path: string, host: DockerHost, stdio: Stdio): Promise<string> {
  const text = await host.readHostFile(absolutePath(path, stdio));
  if (text !== undefined) return text;
  throw new UsageError(`open ${printableName(path)}: no such file or directory`, { plain: true });
}

/** What a program of the host's side exits with; `input` is what it reads. MachineUnavailableError. */
async function hostProgram({ machine }: DockerHost, argv: readonly string[], input: string): Promise<number> {
  const process = await (await startedMachine(machine)).spawn({
    argv,
    env: ['PATH=/usr/sbin:/usr/bin:/sbin:/bin'],
    cwd: '/',
    uid: 0,
    gid: 0,
  });
  await process.write(encodeName(input));
  process.closeInput();
  for await (const _ of process.output); // it says nothing that anybody wants
  return (await process.exit).code;
}

export async function hostFileExists(path: string, host: DockerHost, stdio: Stdio): Promise<boolean> {
  return (await hostProgram(host, ['test', '-e', absolutePath(path, stdio)], '')) === 0;
}

/** Writes a new file. UsageError in Docker's words when it cannot be made. */
export async function writeHostFile(
  path: string,
  text: string,
  host: DockerHost,
  stdio: Stdio,
): Promise<void> {
  const line = 'set -C; cat > "$1"';
  const code = await hostProgram(host, ['sh', '-c', line, 'sh', absolutePath(path, stdio)], text);
  if (code === 0) return;
  throw new UsageError(
    `failed to create the container ID file: open ${printableName(path)}: no such file or directory`,
    { plain: true },
  );
}

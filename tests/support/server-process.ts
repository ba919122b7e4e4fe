/**
 * A server of the system that lives no longer than the process that started it, however that one ends: a test that
 * fails before it can close what it started, and a worker of the test runner that is killed, leave nothing behind.
 */

import { spawn } from 'node:child_process';

export interface ServerProcess {
  /** Ends it and removes its folder. */
  close(): Promise<void>;
}

export interface ServerCommand {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** Its own folder, which goes with it. */
  readonly folder: string;
  /** Where it is to answer, and with what. */
  readonly url: string;
  readonly statuses: readonly number[];
}

/** Waits for the end of standard input, which comes with the end of whoever holds the other end of the pipe. */
const SHELL = `folder=$1; shift
exec 3<&0
"$@" 3<&- &
server=$!
(cat <&3 >/dev/null; kill $server 2>/dev/null) &
exec 3<&-
wait $server
code=$?
rm -rf "$folder"
exit $code`;

/** Resolves when the server answers at `url` with one of the statuses; rejects with what it complained of when it ends before. */
export async function startServer(command: ServerCommand): Promise<ServerProcess> {
  const { program, args, env, folder, url, statuses } = command;
  const child = spawn('sh', ['-c', SHELL, 'sh', folder, program, ...args], {
    stdio: ['pipe', 'ignore', 'pipe'],
    ...(env !== undefined && { env }),
  });
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  let complaints = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints = (complaints + text).slice(-4000);
  });
  const close = async () => {
    child.stdin.end();
    await gone;
  };
  const until = Date.now() + 20_000;
  for (;;) {
    const response = await fetch(url).catch(() => undefined);
    await response?.body?.cancel();
    if (response !== undefined && statuses.includes(response.status)) return { close };
    if (child.exitCode !== null || Date.now() > until) {
      await close();
      throw new Error(`no answer from ${program} at ${url}: ${complaints}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** A server of the system as a child of the tests: ended with them, also where a test failed before it could. */

import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';

export interface ServerProcess {
  /** Ends it and removes its folder. */
  close(): Promise<void>;
}

interface Running {
  readonly child: ChildProcess;
  readonly folder: string;
}

const running = new Set<Running>();
process.once('exit', () => {
  for (const { child, folder } of running) {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
});

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

/** Resolves when the server answers at `url` with one of the statuses; rejects with what it complained of when it ends before. */
export async function startServer(command: ServerCommand): Promise<ServerProcess> {
  const { program, args, env, folder, url, statuses } = command;
  const child = spawn(program, [...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    ...(env !== undefined && { env }),
  });
  const one: Running = { child, folder };
  running.add(one);
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  let complaints = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints = (complaints + text).slice(-4000);
  });
  const close = async () => {
    child.kill();
    await gone;
    running.delete(one);
    await rm(folder, { recursive: true, force: true });
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

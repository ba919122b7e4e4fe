/** `docker exec`: another program in the namespaces of a container that runs. */

import { ContainerStateError } from '../errors.ts';
import { isRunnable } from '../oci/platform.ts';
import { type ContainerRecord, hostConfigOf } from '../store/container-record.ts';
import { ALL_CAPABILITIES, capabilityMask } from './capabilities.ts';
import { processEnv } from './container-config.ts';
import { generateID } from './container-name.ts';
import type { LiveContainers } from './live-containers.ts';
import type { Process, SpawnSpec, TerminalSize } from './machine.ts';
import { notRunning, type RunningContainer, restarting } from './running.ts';
import { execFailure } from './start-failure.ts';
import { startedMachine } from './started-machine.ts';
import { rlimitsOf } from './ulimits.ts';
import { userOf } from './user-files.ts';
import { isWalkShell, walkArgv, walkEnv } from './walk-shell.ts';

export interface ExecOptions {
  readonly argv: readonly string[];
  readonly env: readonly string[];
  readonly workingDir?: string;
  readonly user?: string;
  /** Give it a terminal of this size. */
  readonly tty?: TerminalSize;
  /** How the client that stays with it let go. */
  readonly left?: Promise<'detached' | 'gone'>;
  /** With all capabilities, whatever the container has. */
  readonly privileged?: boolean;
}

/** What to spawn. LayerboxError when the user is not known in the container. */
export async function execSpec(
  record: ContainerRecord,
  running: RunningContainer,
  options: ExecOptions,
): Promise<SpawnSpec> {
  const { config } = record;
  const host = hostConfigOf(record);
  const user = await userOf(running.union, options.user ?? config.user, host.groupAdd);
  const argv = isRunnable(record.platform) ? options.argv : walkArgv(options.argv);
  const env = processEnv(config, user, { tty: options.tty !== undefined, more: options.env });
  return {
    argv,
    env: isWalkShell(argv) ? walkEnv(env) : env,
    cwd: options.workingDir ?? (config.workingDir === '' ? '/' : config.workingDir),
    uid: user.uid,
    gid: user.gid,
    groups: user.groups,
    ...(options.tty !== undefined && { tty: options.tty }),
    capabilities: options.privileged === true ? ALL_CAPABILITIES : capabilityMask(host),
    ...(host.ulimits.length > 0 && { rlimits: rlimitsOf(host.ulimits) }),
    inside: running.process,
  };
}

/** Starts another program in a running container. CannotStartError, LayerboxError when it does not run. */
export async function execProgram(live: LiveContainers, id: string, options: ExecOptions): Promise<Process> {
  const record = live.get(id);
  const { status } = record.state;
  if (status === 'restarting') throw restarting(id);
  if (status === 'paused') {
    throw new ContainerStateError(`Container ${id} is paused, unpause the container before exec`, {
      container: id,
    });
  }
  const running = live.running(id);
  if (running === undefined) throw notRunning(id);
  const machine = await startedMachine(live.ports.machine);
  const spec = await execSpec(record, running, options);
  const attributes = { execID: generateID(live.ports.random) };
  const [entrypoint = '', ...args] = options.argv;
  // Docker's daemon has the space also where there are no arguments
  const detail = `${entrypoint} ${args.join(' ')}`;
  live.emit('exec_create', record, { detail, attributes });
  live.emit('exec_start', record, { detail, attributes });
  try {
    const process = await machine.spawn(spec);
    let hasExited = false;
    process.exit.then(
      ({ code }) => {
        hasExited = true;
        live.emit('exec_die', record, { exitCode: code, attributes });
      },
      () => undefined, // a machine that failed: who runs it has the error
    );
    void options.left?.then((how) => {
      if (how === 'detached' && !hasExited) live.emit('exec_detach', record, { attributes });
    });
    return process;
  } catch (error) {
    throw execFailure(error, spec.cwd);
  }
}

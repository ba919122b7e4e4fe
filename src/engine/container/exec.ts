/** `docker exec`: another program in the namespaces of a container that runs. */

import { isRunnable } from '../oci/platform.ts';
import { type ContainerRecord, hostConfigOf } from '../store/container-record.ts';
import { ALL_CAPABILITIES, capabilityMask } from './capabilities.ts';
import { processEnv } from './container-config.ts';
import type { SpawnSpec, TerminalSize } from './machine.ts';
import type { RunningContainer } from './running.ts';
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

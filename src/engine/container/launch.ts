/** From a container's record to its program on the machine. */

import type { OpenSandbox } from '../network/sandbox-spec.ts';
import { isRunnable } from '../oci/platform.ts';
import { type ContainerRecord, hostConfigOf } from '../store/container-record.ts';
import type { Union } from '../unionfs/union.ts';
import type { Attachment } from './attach.ts';
import { capabilityMask } from './capabilities.ts';
import { argvOf, processEnv } from './container-config.ts';
import { INIT_BIND, INIT_WORDS } from './init-program.ts';
import type { Bind, Machine, Process, SpawnSpec, TerminalSize, TmpfsMount } from './machine.ts';
import { treePath } from './running.ts';
import { rlimitsOf } from './ulimits.ts';
import { userOf } from './user-files.ts';
import { isWalkShell, WALK_BIND, walkEnv } from './walk-shell.ts';

/** Of a terminal that nobody looks at yet. */
const DEFAULT_SIZE: TerminalSize = { rows: 24, columns: 80 };

/** The program, started over its exported tree. Rejects as `Machine.spawn` and `userOf` do; the tree is withdrawn then. */
export async function launch(
  machine: Machine,
  record: ContainerRecord,
  root: Union,
  attachments: readonly Attachment[],
  network: OpenSandbox,
  mounts: readonly (Bind | TmpfsMount)[] = [],
): Promise<Process> {
  const size = attachments.find((attachment) => attachment.size !== undefined)?.size;
  const spec = await spawnSpec(record, root, size ?? DEFAULT_SIZE, network, mounts);
  machine.exportTree(treePath(record.id), root);
  try {
    return await machine.spawn(spec);
  } catch (error) {
    await machine.withdrawTree(treePath(record.id));
    throw error;
  }
}

async function spawnSpec(
  record: ContainerRecord,
  root: Union,
  size: TerminalSize,
  { namespace, files }: OpenSandbox,
  mounts: readonly (Bind | TmpfsMount)[],
): Promise<SpawnSpec> {
  const { config, id } = record;
  const host = hostConfigOf(record);
  const argv = argvOf(config);
  const user = await userOf(root, config.user, host.groupAdd);
  const env = processEnv(config, user, { tty: config.tty });
  return {
    argv: host.init ? [...INIT_WORDS, ...argv] : argv,
    env: isWalkShell(argv) ? walkEnv(env) : env,
    cwd: config.workingDir === '' ? '/' : config.workingDir,
    uid: user.uid,
    gid: user.gid,
    groups: user.groups,
    ...(host.ulimits.length > 0 && { rlimits: rlimitsOf(host.ulimits) }),
    ...(config.tty && { tty: size }),
    ...(namespace !== undefined && { network: namespace }),
    container: {
      tree: treePath(id),
      hostname: config.hostname,
      cgroup: id,
      capabilities: capabilityMask(host),
      ...(host.readOnly && { readOnly: true }),
      ...(host.privileged && { privileged: true }),
      binds: [
        ...(isRunnable(record.platform) ? [] : [WALK_BIND]),
        ...(host.init ? [INIT_BIND] : []),
        ...files.map((file) => ({ ...file, readOnly: host.readOnly })),
        ...mounts,
      ],
    },
  };
}

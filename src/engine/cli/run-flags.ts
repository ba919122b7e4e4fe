/** The flags that `docker create` and `docker run` share, and what they say of the container to be made. */

import type { CreateOptions } from '../container/creation.ts';
import { UsageError } from '../errors.ts';
import type { Flag, Invocation } from './command.ts';
import { ENVIRONMENT_FLAGS, environmentOf } from './environment.ts';
import type { ParsedFlags } from './parse.ts';

/** `pullHelp`: the one word in which the two commands differ. */
export function creationFlags(pullHelp: string): readonly Flag[] {
  return [
    { long: 'entrypoint', type: 'string', help: 'Overwrite the default ENTRYPOINT of the image' },
    ...ENVIRONMENT_FLAGS,
    { long: 'help', type: 'bool', help: 'Print usage' },
    { long: 'hostname', short: 'h', type: 'string', help: 'Container host name' },
    { long: 'interactive', short: 'i', type: 'bool', help: 'Keep STDIN open even if not attached' },
    { long: 'label', short: 'l', type: 'list', help: 'Set meta data on a container' },
    { long: 'name', type: 'string', help: 'Assign a name to the container' },
    { long: 'platform', type: 'string', help: 'Set platform if server is multi-platform capable' },
    { long: 'pull', type: 'string', default: 'missing', help: pullHelp },
    { long: 'quiet', short: 'q', type: 'bool', help: 'Suppress the pull output' },
    {
      long: 'rm',
      type: 'bool',
      help: 'Automatically remove the container and its associated anonymous volumes when it exits',
    },
    { long: 'stop-signal', type: 'string', help: 'Signal to stop the container' },
    { long: 'tty', short: 't', type: 'bool', help: 'Allocate a pseudo-TTY' },
    { long: 'user', short: 'u', type: 'string', help: 'Username or UID (format: <name|uid>[:<group|gid>])' },
    { long: 'workdir', short: 'w', type: 'string', help: 'Working directory inside the container' },
  ];
}

/** What Docker has besides, in the notation of `Command.later`. */
export const LATER_CREATION_FLAGS: readonly string[] = (
  'add-host= annotation= attach/a= blkio-weight= blkio-weight-device= cap-add= cap-drop= cgroup-parent= cgroupns= ' +
  'cidfile= cpu-period= cpu-quota= cpu-rt-period= cpu-rt-runtime= cpu-shares/c= cpus= cpuset-cpus= cpuset-mems= ' +
  'device= device-cgroup-rule= device-read-bps= device-read-iops= device-write-bps= device-write-iops= ' +
  'disable-content-trust dns= dns-option= dns-search= domainname= expose= gpus= group-add= health-cmd= ' +
  'health-interval= health-retries= health-start-interval= health-start-period= health-timeout= init ip= ip6= ipc= ' +
  'isolation= kernel-memory= label-file= link= link-local-ip= log-driver= log-opt= mac-address= memory/m= ' +
  'memory-reservation= memory-swap= memory-swappiness= mount= network= net= network-alias= net-alias= no-healthcheck ' +
  'oom-kill-disable oom-score-adj= pid= pids-limit= privileged publish/p= publish-all/P read-only restart= runtime= ' +
  'security-opt= shm-size= stop-timeout= storage-opt= sysctl= tmpfs= ulimit= use-api-socket userns= uts= volume/v= ' +
  'volume-driver= volumes-from='
).split(' ');

const PULL_POLICIES = ['always', 'missing', 'never'];

/** The policy of `--pull`. UsageError. */
export function pullPolicyOf(flags: ParsedFlags): string {
  const policy = flags.string('pull');
  if (PULL_POLICIES.includes(policy)) return policy;
  throw new UsageError(`invalid pull option: '${policy}': must be one of "always", "missing" or "never"`, {
    plain: true,
  });
}

export interface Attached {
  /** A client is there from the start, with its input. */
  readonly stdin: boolean;
}

/** What the words and flags ask for. UsageError where Docker's client refuses by itself. */
export async function creationOptions(
  { words, flags, host, stdio }: Invocation,
  attached: Attached,
): Promise<CreateOptions> {
  const [image = '', ...command] = words;
  return {
    image,
    command,
    ...(flags.given('name') && flags.string('name') !== '' && { name: flags.string('name') }),
    ...(flags.given('entrypoint') && { entrypoint: flags.string('entrypoint') }),
    env: await environmentOf(flags, host, stdio),
    ...(flags.given('hostname') && { hostname: flags.string('hostname') }),
    ...(flags.given('user') && { user: flags.string('user') }),
    ...(flags.given('workdir') && { workingDir: flags.string('workdir') }),
    ...(flags.given('stop-signal') && { stopSignal: flags.string('stop-signal') }),
    labels: labelsOf(flags),
    tty: flags.bool('tty'),
    openStdin: flags.bool('interactive'),
    attachStdin: attached.stdin,
    autoRemove: flags.bool('rm'),
  };
}

function labelsOf(flags: ParsedFlags): Readonly<Record<string, string>> {
  return Object.fromEntries(
    flags.list('label').map((label) => {
      const equals = label.indexOf('=');
      return equals < 0 ? [label, ''] : [label.slice(0, equals), label.slice(equals + 1)];
    }),
  );
}

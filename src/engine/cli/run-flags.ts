/** The flags that `docker create` and `docker run` share, and what they say of the container to be made. */

import type { CreateOptions } from '../container/creation.ts';
import type { Flag, Invocation } from './command.ts';
import type { DockerHost } from './docker-host.ts';
import { ENVIRONMENT_FLAGS, environmentOf, parseEnvFile } from './environment.ts';
import { HEALTH_FLAGS, healthcheckOf } from './health-flags.ts';
import { HOST_CONFIG_FLAGS, hostConfigOfFlags } from './host-config-flags.ts';
import { readFileOf } from './host-files.ts';
import { NETWORK_FLAGS, networkOptions } from './network-flags.ts';
import type { ParsedFlags } from './parse.ts';
import { refusal } from './refusal.ts';
import type { Stdio } from './stdio.ts';
import { mountRequests, VOLUME_FLAGS } from './volume-flags.ts';

/** `pullHelp`: the one word in which the two commands differ. */
export function creationFlags(pullHelp: string): readonly Flag[] {
  return [
    ATTACH_FLAG,
    { long: 'cidfile', type: 'string', help: 'Write the container ID to the file' },
    { long: 'entrypoint', type: 'string', help: 'Overwrite the default ENTRYPOINT of the image' },
    ...ENVIRONMENT_FLAGS,
    ...HEALTH_FLAGS,
    { long: 'help', type: 'bool', help: 'Print usage' },
    ...HOST_CONFIG_FLAGS,
    { long: 'hostname', short: 'h', type: 'string', help: 'Container host name' },
    { long: 'interactive', short: 'i', type: 'bool', help: 'Keep STDIN open even if not attached' },
    { long: 'label', short: 'l', type: 'list', help: 'Set meta data on a container' },
    { long: 'label-file', type: 'list', help: 'Read in a line delimited file of labels' },
    { long: 'name', type: 'string', help: 'Assign a name to the container' },
    ...NETWORK_FLAGS,
    { long: 'platform', type: 'string', help: 'Set platform if server is multi-platform capable' },
    { long: 'pull', type: 'string', default: 'missing', help: pullHelp },
    { long: 'quiet', short: 'q', type: 'bool', help: 'Suppress the pull output' },
    {
      long: 'rm',
      type: 'bool',
      help: 'Automatically remove the container and its associated anonymous volumes when it exits',
    },
    { long: 'stop-signal', type: 'string', help: 'Signal to stop the container' },
    { long: 'stop-timeout', type: 'int', help: 'Timeout (in seconds) to stop a container' },
    { long: 'tty', short: 't', type: 'bool', help: 'Allocate a pseudo-TTY' },
    { long: 'user', short: 'u', type: 'string', help: 'Username or UID (format: <name|uid>[:<group|gid>])' },
    ...VOLUME_FLAGS,
    { long: 'workdir', short: 'w', type: 'string', help: 'Working directory inside the container' },
  ];
}

/** What Docker has besides, in the notation of `Command.later`. */
export const LATER_CREATION_FLAGS: readonly string[] = (
  'annotation= blkio-weight= blkio-weight-device= cgroup-parent= cgroupns= cpu-rt-period= ' +
  'cpu-rt-runtime= cpuset-cpus= cpuset-mems= device= device-cgroup-rule= device-read-bps= device-read-iops= ' +
  'device-write-bps= device-write-iops= disable-content-trust gpus= ip6= ipc= isolation= kernel-memory= ' +
  'link= link-local-ip= log-driver= log-opt= memory-swappiness= oom-kill-disable oom-score-adj= pid= ' +
  'runtime= security-opt= shm-size= storage-opt= sysctl= use-api-socket userns= uts='
).split(' ');

const PULL_POLICIES = ['always', 'missing', 'never'];

/** The policy of `--pull`. UsageError. */
export function pullPolicyOf(flags: ParsedFlags): string {
  const policy = flags.string('pull');
  if (PULL_POLICIES.includes(policy)) return policy;
  throw refusal(`invalid pull option: '${policy}': must be one of "always", "missing" or "never"`);
}

/** To which of its streams a client is attached from the start. */
export interface Attached {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
}

const ATTACH_FLAG: Flag = {
  long: 'attach',
  short: 'a',
  type: 'list',
  help: 'Attach to STDIN, STDOUT or STDERR',
  check: (value) =>
    /^std(?:in|out|err)$/i.test(value) ? undefined : 'valid streams are STDIN, STDOUT and STDERR',
};

/** The streams of `--attach`; without it, unless `detached`, both outputs, and the input of `-i`. */
export function attachedStreams(flags: ParsedFlags, detached: boolean): Attached {
  const named = flags.list('attach').map((stream) => stream.toLowerCase());
  const isOn = (stream: string, otherwise: boolean) =>
    named.length > 0 ? named.includes(stream) : otherwise && !detached;
  return {
    stdin: isOn('stdin', flags.bool('interactive')),
    stdout: isOn('stdout', true),
    stderr: isOn('stderr', true),
  };
}

/** What the words and flags ask for. UsageError where Docker's client refuses by itself. */
export async function creationOptions(
  { words, flags, host, stdio }: Invocation,
  attached: Attached,
): Promise<CreateOptions> {
  const [image = '', ...command] = words;
  const healthcheck = healthcheckOf(flags);
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
    ...(flags.given('stop-timeout') && { stopTimeout: flags.int('stop-timeout') }),
    ...(healthcheck !== undefined && { healthcheck }),
    hostConfig: hostConfigOfFlags(flags),
    labels: await labelsOf(flags, host, stdio),
    network: networkOptions(flags),
    mounts: mountRequests(flags, stdio.cwd),
    tty: flags.bool('tty'),
    openStdin: flags.bool('interactive'),
    attachStdin: attached.stdin,
    attachStdout: attached.stdout,
    attachStderr: attached.stderr,
    autoRemove: flags.bool('rm'),
  };
}

/** Files first. UsageError. */
async function labelsOf(
  flags: ParsedFlags,
  host: DockerHost,
  stdio: Stdio,
): Promise<Readonly<Record<string, string>>> {
  const labels: string[] = [];
  for (const file of flags.list('label-file')) {
    const text = await readFileOf(file, host, stdio);
    labels.push(...parseEnvFile(file, text, {}, 'label'));
  }
  return Object.fromEntries([...labels, ...flags.list('label')].map(labelOf));
}

function labelOf(label: string): [string, string] {
  const equals = label.indexOf('=');
  return equals < 0 ? [label, ''] : [label.slice(0, equals), label.slice(equals + 1)];
}

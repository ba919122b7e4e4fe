import { Attachment } from '../../container/attach.ts';
import type { CreateOptions } from '../../container/creation.ts';
import { platformNotice } from '../../container/walk-shell.ts';
import { NoSuchImageError, UsageError } from '../../errors.ts';
import type { EarlyImage } from '../../image/early-pulls.ts';
import { satisfies } from '../../oci/platform.ts';
import { familiarReference, parseReference, type Reference } from '../../oci/reference.ts';
import type { ContainerRecord } from '../../store/container-record.ts';
import type { ImageRecord } from '../../store/records.ts';
import { runAttached } from '../attached-run.ts';
import type { Command, Invocation } from '../command.ts';
import { DETACH_KEYS_FLAG, detachKeysOf } from '../detach-flag.ts';
import { ENVIRONMENT_FLAGS, environmentOf } from '../environment.ts';
import { errorText } from '../error-text.ts';
import { platformOption, pullImage, pullToRun } from '../image-pull.ts';
import type { ParsedFlags } from '../parse.ts';

export const run: Command = {
  usage: '[OPTIONS] IMAGE [COMMAND] [ARG...]',
  summary: 'Create and run a new container from an image',
  aliases: ['docker container run', 'docker run'],
  flags: [
    { long: 'detach', short: 'd', type: 'bool', help: 'Run container in background and print container ID' },
    DETACH_KEYS_FLAG,
    { long: 'entrypoint', type: 'string', help: 'Overwrite the default ENTRYPOINT of the image' },
    ...ENVIRONMENT_FLAGS,
    { long: 'help', type: 'bool', help: 'Print usage' },
    { long: 'hostname', short: 'h', type: 'string', help: 'Container host name' },
    { long: 'interactive', short: 'i', type: 'bool', help: 'Keep STDIN open even if not attached' },
    { long: 'label', short: 'l', type: 'list', help: 'Set meta data on a container' },
    { long: 'name', type: 'string', help: 'Assign a name to the container' },
    { long: 'platform', type: 'string', help: 'Set platform if server is multi-platform capable' },
    {
      long: 'pull',
      type: 'string',
      default: 'missing',
      help: 'Pull image before running ("always", "missing", "never")',
    },
    { long: 'quiet', short: 'q', type: 'bool', help: 'Suppress the pull output' },
    {
      long: 'rm',
      type: 'bool',
      help: 'Automatically remove the container and its associated anonymous volumes when it exits',
    },
    { long: 'sig-proxy', type: 'bool', default: true, help: 'Proxy received signals to the process' },
    { long: 'stop-signal', type: 'string', help: 'Signal to stop the container' },
    { long: 'tty', short: 't', type: 'bool', help: 'Allocate a pseudo-TTY' },
    { long: 'user', short: 'u', type: 'string', help: 'Username or UID (format: <name|uid>[:<group|gid>])' },
    { long: 'workdir', short: 'w', type: 'string', help: 'Working directory inside the container' },
  ],
  later: (
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
  ).split(' '),
  interspersed: false,
  wordCount: { min: 1 },
  failureCode: 125,
  run: async (invocation) => {
    const { flags, host, stdio, print } = invocation;
    const detached = flags.bool('detach');
    const tty = flags.bool('tty');
    const stdin = flags.bool('interactive');
    if (!detached && tty && stdin && !stdio.terminal.stdin) {
      await print.error('the input device is not a TTY');
      return 1;
    }
    const detachKeys = detachKeysOf(flags);
    const { record, early } = await create(invocation);
    const notice = platformNotice(record.platform);
    if (notice !== undefined) await print.error(notice);
    try {
      if (detached) {
        await host.containers.start(record.id);
        await print.line(record.id);
        return 0;
      }
      const attachment = new Attachment(stdio, {
        tty,
        stdin,
        proxySignals: flags.bool('sig-proxy'),
        detachKeys,
      });
      const code = await runAttached(host.containers, record.id, attachment, print);
      const failure = early?.failure();
      if (failure !== undefined) await print.error(`docker: ${errorText(failure)}`);
      return code;
    } catch (error) {
      // what never ran has no end at which --rm would remove it
      if (flags.bool('rm') && isThere(invocation, record)) await host.containers.remove(record.id);
      throw error;
    }
  },
};

function isThere({ host }: Invocation, record: ContainerRecord): boolean {
  return host.containers.list().some(({ id }) => id === record.id);
}

const PULL_POLICIES = ['always', 'missing', 'never'];

interface Created {
  readonly record: ContainerRecord;
  /** Set when its image was not here. */
  readonly early: EarlyImage | undefined;
}

async function create(invocation: Invocation): Promise<Created> {
  const { words, flags, host, stdio } = invocation;
  const [image = '', ...command] = words;
  const policy = flags.string('pull');
  if (!PULL_POLICIES.includes(policy)) {
    throw new UsageError(`invalid pull option: '${policy}': must be one of "always", "missing" or "never"`, {
      plain: true,
    });
  }
  const detached = flags.bool('detach');
  const openStdin = flags.bool('interactive');
  const options: CreateOptions = {
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
    openStdin,
    attachStdin: openStdin && !detached,
    autoRemove: flags.bool('rm'),
  };
  const early = await ensureImage(invocation, image, policy);
  return { record: await host.containers.create(options), early };
}

/**
 * Pulls the image when it is not here, or not of the platform that was asked for, or the policy says so. Of one that
 * was not here nothing but what is needed to run it.
 */
async function ensureImage(
  invocation: Invocation,
  image: string,
  policy: string,
): Promise<EarlyImage | undefined> {
  const { flags, host, stdio, print } = invocation;
  const platform = flags.string('platform');
  const wanted = platformOption(platform).platform;
  const here = await resolveHere(invocation, image);
  const isRight = here !== undefined && (wanted === undefined || satisfies(here.platform, wanted));
  if (policy !== 'always' && isRight) return undefined;
  const reference: Reference = parseReference(image);
  const shown = familiarReference(reference);
  if (policy === 'never') throw new NoSuchImageError(`No such image: ${shown}`, { image });
  const quiet = flags.bool('quiet');
  if (policy === 'missing' && !quiet) await print.error(`Unable to find image '${shown}' locally`);
  const request = { reference, platform, quiet, stream: 'err' } as const;
  // under a name that has an image already that one is what runs, until all of the other is here
  if (here === undefined) return pullToRun(host, stdio, request);
  await pullImage(host, stdio, request);
  return undefined;
}

async function resolveHere({ host }: Invocation, image: string): Promise<ImageRecord | undefined> {
  try {
    return await host.images.resolve(image);
  } catch (error) {
    if (error instanceof NoSuchImageError) return undefined;
    throw error;
  }
}

function labelsOf(flags: ParsedFlags): Readonly<Record<string, string>> {
  return Object.fromEntries(
    flags.list('label').map((label) => {
      const equals = label.indexOf('=');
      return equals < 0 ? [label, ''] : [label.slice(0, equals), label.slice(equals + 1)];
    }),
  );
}

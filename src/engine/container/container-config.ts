/** What a container will run: the image's config with what the command line changed, as Docker merges them. */

import { LayerboxError } from '../errors.ts';
import type { Healthcheck, RuntimeConfig } from '../oci/config.ts';
import type { ContainerConfig } from '../store/container-record.ts';
import type { ExecUser } from './user.ts';

export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** What `docker run` says; what is undefined comes from the image. */
export interface RunOptions {
  readonly command: readonly string[];
  /** `''` takes the image's away. */
  readonly entrypoint?: string;
  /** `NAME=value` sets, `NAME` removes. */
  readonly env: readonly string[];
  readonly hostname?: string;
  readonly user?: string;
  readonly workingDir?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly stopSignal?: string;
  readonly stopTimeout?: number;
  /** What the flags say of its health; the rest comes from the image. */
  readonly healthcheck?: Healthcheck;
  readonly tty: boolean;
  readonly openStdin: boolean;
  readonly attachStdin: boolean;
  readonly attachStdout?: boolean;
  readonly attachStderr?: boolean;
  readonly autoRemove: boolean;
}

/** LayerboxError in Docker's words for a working directory or host name that cannot be. */
export function containerConfig(id: string, image: RuntimeConfig, run: RunOptions): ContainerConfig {
  const workingDir = run.workingDir ?? image.workingDir;
  if (run.workingDir !== undefined && !run.workingDir.startsWith('/')) {
    throw new LayerboxError(
      `the working directory '${run.workingDir}' is invalid, it needs to be an absolute path`,
      { workingDir: run.workingDir },
    );
  }
  const hostname = run.hostname ?? id.slice(0, 12);
  if (!/^[A-Za-z0-9._-]{1,63}$/.test(hostname)) {
    throw new LayerboxError(`invalid hostname format: ${hostname}`, { hostname });
  }
  // an entrypoint of the command line drops the image's command with the image's entrypoint
  const keepsImageCommand = run.command.length === 0 && run.entrypoint === undefined;
  return {
    hostname,
    user: run.user ?? image.user,
    env: mergeEnv(image.env, run.env),
    entrypoint:
      run.entrypoint === undefined ? image.entrypoint : run.entrypoint === '' ? [] : [run.entrypoint],
    cmd: keepsImageCommand ? image.cmd : run.command,
    workingDir: absolute(workingDir),
    labels: { ...image.labels, ...run.labels },
    stopSignal: run.stopSignal ?? image.stopSignal,
    ...(run.stopTimeout !== undefined && { stopTimeout: run.stopTimeout }),
    ...healthOf(image, run),
    tty: run.tty,
    openStdin: run.openStdin,
    attachStdin: run.attachStdin,
    attachStdout: run.attachStdout ?? true,
    attachStderr: run.attachStderr ?? true,
    autoRemove: run.autoRemove,
  };
}

/** Field by field: what the command line leaves open is the image's (moby, daemon/commit.go, merge). */
function healthOf(image: RuntimeConfig, run: RunOptions): Pick<ContainerConfig, 'healthcheck' | 'shell'> {
  const own = run.healthcheck;
  const base = image.healthcheck;
  if (own === undefined && base === undefined) return {};
  const healthcheck: Healthcheck = {
    test: own === undefined || own.test.length === 0 ? (base?.test ?? []) : own.test,
    interval: own?.interval || base?.interval || 0,
    timeout: own?.timeout || base?.timeout || 0,
    startPeriod: own?.startPeriod || base?.startPeriod || 0,
    startInterval: own?.startInterval || base?.startInterval || 0,
    retries: own?.retries || base?.retries || 0,
  };
  return { healthcheck, ...(image.shell.length > 0 && { shell: image.shell }) };
}

/** A WORKDIR of an image may be relative: it then starts at the root. */
function absolute(path: string): string {
  if (path === '') return '';
  return path.startsWith('/') ? path : `/${path}`;
}

/** `changes` over `base`: in place where the name is there, appended where it is not, removed by a bare name. */
export function mergeEnv(base: readonly string[], changes: readonly string[]): readonly string[] {
  const merged = new Map<string, string>();
  for (const entry of base) merged.set(nameOf(entry), entry);
  for (const entry of changes) {
    if (entry.includes('=')) merged.set(nameOf(entry), entry);
    else merged.delete(entry);
  }
  return [...merged.values()];
}

function nameOf(entry: string): string {
  const equals = entry.indexOf('=');
  return equals < 0 ? entry : entry.slice(0, equals);
}

/** The environment of a process: Docker's own defaults under what the container says. */
export function processEnv(
  config: ContainerConfig,
  user: ExecUser,
  options: { readonly tty: boolean; readonly more?: readonly string[] },
): readonly string[] {
  const defaults = [`PATH=${DEFAULT_PATH}`, `HOSTNAME=${config.hostname}`];
  if (options.tty) defaults.push('TERM=xterm');
  const env = mergeEnv(mergeEnv(defaults, config.env), options.more ?? []);
  return env.some((entry) => entry.startsWith('HOME=')) ? env : [...env, `HOME=${user.home}`];
}

/** The words of the program. LayerboxError when there are none. */
export function argvOf(config: ContainerConfig): readonly string[] {
  const argv = [...config.entrypoint, ...config.cmd];
  if (argv.length === 0) throw new LayerboxError('no command specified');
  return argv;
}

/**
 * Images of a platform that the machine does not run can still be walked: with a shell of Layerbox's own, a static
 * busybox of the machine, bound in beside the image's files.
 */

import type { Platform } from '../oci/descriptor.ts';
import { formatPlatform, isRunnable, MACHINE_PLATFORM } from '../oci/platform.ts';
import type { ContainerConfig } from '../store/container-record.ts';
import { WALK_TARGET } from './init-layer.ts';
import type { Bind } from './machine.ts';

const WALK_SHELL = `${WALK_TARGET}/bin/sh`;
const SHELLS = new Set(['sh', 'ash', 'bash', 'dash', 'zsh', 'ksh', 'fish']);

/** The folder of the guest's host side that holds the shell and its tools. */
export const WALK_BIND: Bind = { source: '/usr/lib/layerbox/walk', target: WALK_TARGET, readOnly: true };

/**
 * The words to run in place of `argv` on an image that cannot run: the walk shell for a shell, or for a shell of
 * busybox (`busybox sh -c ...`), with the same words after it; else `argv` itself.
 */
export function walkArgv(argv: readonly string[]): readonly string[] {
  const isBusybox = basename(argv[0] ?? '') === 'busybox';
  const [program = '', ...rest] = isBusybox ? argv.slice(1) : argv;
  return SHELLS.has(basename(program)) ? [WALK_SHELL, ...rest] : argv;
}

/** True when the words run the walk shell and not a program of the image. */
export function isWalkShell(argv: readonly string[]): boolean {
  return argv[0] === WALK_SHELL;
}

/** The environment with the tools of the walk shell first in its PATH. */
export function walkEnv(env: readonly string[]): readonly string[] {
  return env.map((entry) =>
    entry.startsWith('PATH=') ? `PATH=${WALK_TARGET}/bin:${entry.slice(5)}` : entry,
  );
}

/**
 * The config of a container that is to run what `argv` says on an image of `platform`: its shell replaced when the
 * machine cannot run it. `isDefault`: the command line named no program, so what the image would run is replaced too.
 */
export function walkConfig(config: ContainerConfig, platform: Platform, isDefault: boolean): ContainerConfig {
  if (isRunnable(platform)) return config;
  const argv = [...config.entrypoint, ...config.cmd];
  const walked = isDefault ? [WALK_SHELL] : walkArgv(argv);
  return isWalkShell(walked) ? { ...config, entrypoint: [], cmd: walked } : config;
}

/** The notice for standard error, or undefined when the programs run. */
export function platformNotice(platform: Platform): string | undefined {
  if (isRunnable(platform)) return undefined;
  const image = formatPlatform(platform);
  const machine = formatPlatform(MACHINE_PLATFORM);
  return `WARNING: The requested image's platform (${image}) does not match the machine's (${machine}): its programs cannot run here. A shell of Layerbox's own walks its files.`;
}

function basename(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

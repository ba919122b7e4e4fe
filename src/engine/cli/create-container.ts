/** From the command line of `docker create` and `docker run` to a container, its image brought when it is not here. */

import type { CreateOptions } from '../container/creation.ts';
import { platformNotice } from '../container/walk-shell.ts';
import { NoSuchImageError } from '../errors.ts';
import type { EarlyImage } from '../image/early-pulls.ts';
import { satisfies } from '../oci/platform.ts';
import { familiarReference, parseReference, type Reference } from '../oci/reference.ts';
import { networkOf } from '../store/container-network.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import type { ImageRecord } from '../store/records.ts';
import { cidFileOf, writeCidFile } from './cidfile.ts';
import type { Invocation } from './command.ts';
import { platformOption, pullImage, pullToRun } from './image-pull.ts';
import { pullPolicyOf } from './run-flags.ts';

export interface Created {
  readonly record: ContainerRecord;
  /** Set when its image was not here, and only what is needed to run it is. */
  readonly early: EarlyImage | undefined;
}

/**
 * Makes the container. `runs`: it is started at once, so that its image need not be here whole. As `Containers.create`,
 * and what a pull throws.
 */
export async function createFromCommandLine(
  invocation: Invocation,
  options: CreateOptions,
  { runs }: { readonly runs: boolean },
): Promise<Created> {
  const file = await cidFileOf(invocation, runs ? {} : { exitCode: 1 });
  const early = await ensureImage(invocation, options.image, runs);
  const record = await invocation.host.containers.create(options);
  if (file !== undefined) await writeCidFile(invocation, file, record.id);
  const notice = platformNotice(record.platform);
  if (notice !== undefined) await invocation.print.error(notice);
  const { mode, ports, publishAll } = networkOf(record);
  if (mode === 'host' && (ports.length > 0 || publishAll)) {
    await invocation.print.error('WARNING: Published ports are discarded when using host network mode');
  }
  return { record, early };
}

/**
 * Pulls the image when it is not here, or not of the platform that was asked for, or the policy says so. Of one that
 * was not here nothing but what is needed to run it.
 */
async function ensureImage(
  invocation: Invocation,
  image: string,
  runs: boolean,
): Promise<EarlyImage | undefined> {
  const { flags, host, stdio, print } = invocation;
  const policy = pullPolicyOf(flags);
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
  if (here === undefined && runs) return pullToRun(host, stdio, request);
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

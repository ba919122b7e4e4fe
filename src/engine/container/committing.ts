/** `docker commit` of a container: its own layer, and what it runs, as an image. */

import type { CommitOptions } from '../image/commit.ts';
import type { RuntimeConfig } from '../oci/config.ts';
import { familiarReference, type Reference } from '../oci/reference.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import type { ImageRecord } from '../store/records.ts';
import { layerTarOf } from '../unionfs/layer-tar.ts';
import type { Union } from '../unionfs/union.ts';
import type { Containers } from './containers.ts';
import type { Machine } from './machine.ts';
import { isNetworkFile, ownChanges } from './own-changes.ts';
import { isWalkShell } from './walk-shell.ts';

export interface CommitRequest {
  readonly reference?: Reference;
  readonly author: string;
  readonly message: string;
  readonly changes: readonly string[];
  /** Its programs stand still while its files are read. */
  readonly pause: boolean;
  readonly signal: AbortSignal;
}

export interface CommitHost {
  readonly containers: Pick<Containers, 'openRootfs' | 'running' | 'tell'>;
  readonly images: { commit(options: CommitOptions): Promise<ImageRecord> };
  readonly machine: Machine | undefined;
}

/** The image. Errors: those of `commitImage`, and of the machine that is to stop the programs. */
export async function commitContainer(
  { containers, images, machine }: CommitHost,
  record: ContainerRecord,
  request: CommitRequest,
): Promise<ImageRecord> {
  const { config, imageID } = record;
  const isLive = containers.running(record.id)?.hasExited === false;
  const frozen = request.pause && isLive && record.state.status === 'running' ? machine : undefined;
  await frozen?.freeze(record.id, true);
  try {
    const rootfs = await containers.openRootfs(record.id);
    try {
      const { pause: _, ...rest } = request;
      const image = await images.commit({
        ...rest,
        imageID,
        tar: layerTarOf(rootfs.union, leftOut(rootfs.union)),
        runtime: (image) => runtimeOf(record, image),
        createdBy: config.cmd.join(' '),
      });
      const { reference, message } = request;
      containers.tell('commit', record.id, {
        comment: message,
        imageID: image.imageID,
        imageRef: reference === undefined ? '' : familiarReference(reference),
      });
      return image;
    } finally {
      await rootfs.release();
    }
  } finally {
    await frozen?.freeze(record.id, false);
  }
}

/** What no layer has: the files that tell a container of its network, and `/etc` where nothing else changed in it. */
function leftOut(union: Union): (path: string) => boolean {
  const own = new Set(ownChanges(union).map(({ path }) => path));
  return (path) => isNetworkFile(`/${path}`) || (path === 'etc' && !own.has('/etc'));
}

/**
 * The image's config as this container changed it: its ports and volumes are those of the image and of the command line
 * (moby, daemon/commit.go, merge). The walk shell is no program of the image.
 */
function runtimeOf(record: ContainerRecord, image: RuntimeConfig): RuntimeConfig {
  const { config, network, mounts } = record;
  const { user, env, entrypoint, cmd, workingDir, labels, stopSignal, healthcheck } = config;
  const isWalked = isWalkShell([...entrypoint, ...cmd]);
  return {
    ...image,
    user,
    exposedPorts: network?.exposed ?? image.exposedPorts,
    env,
    ...(!isWalked && { entrypoint, cmd }),
    volumes: mounts?.volumes ?? image.volumes,
    workingDir,
    labels,
    stopSignal,
    ...(healthcheck !== undefined && { healthcheck }),
  };
}

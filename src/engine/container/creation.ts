/** `docker create`: from an image and a command line to a container's record. */

import type { RunnableImage } from '../image/images.ts';
import type { ImageConfig } from '../oci/config.ts';
import { type ContainerNetwork, DEFAULT_CONTAINER_NETWORK } from '../store/container-network.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import type { Leases } from '../store/leases.ts';
import { argvOf, containerConfig, type RunOptions } from './container-config.ts';
import { checkName, generateID, generateName, type Random } from './container-name.ts';
import type { ContainerRegistry } from './container-registry.ts';
import { parseSignal } from './signals.ts';
import { walkConfig } from './walk-shell.ts';

/** What containers need of images. */
export interface ImageSource {
  /** NoSuchImageError. */
  resolveRunnable(reference: string): Promise<RunnableImage>;
  config(image: RunnableImage): Promise<ImageConfig>;
}

export interface CreateOptions extends RunOptions {
  readonly image: string;
  readonly name?: string;
  /** Undefined: Docker's bridge. */
  readonly network?: ContainerNetwork;
}

export interface CreationPorts {
  readonly images: ImageSource;
  readonly leases: Leases;
  readonly now: () => number;
  readonly random: Random;
}

/** As `Containers.create` has it. The layers are held by a lease until the record holds them. */
export async function createContainer(
  { images, leases, now, random }: CreationPorts,
  registry: ContainerRegistry,
  options: CreateOptions,
): Promise<ContainerRecord> {
  const named = options.name === undefined ? undefined : checkName(options.name);
  const found = await images.resolveRunnable(options.image);
  const lease = await leases.take({
    owner: `create ${options.image}`,
    layers: found.layers.map((layer) => layer.diffID),
    content: [found.imageID],
    ephemeral: true,
  });
  try {
    // looked up again under the lease: it may have been removed before that
    const image = await images.resolveRunnable(options.image);
    const { config } = await images.config(image);
    const id = generateID(random);
    const isDefault = options.command.length === 0 && options.entrypoint === undefined;
    const merged = walkConfig(containerConfig(id, config, options), image.platform, isDefault);
    argvOf(merged);
    if (merged.stopSignal !== '') parseSignal(merged.stopSignal);
    const record: ContainerRecord = {
      id,
      name: named ?? generateName(random, (name) => registry.isNameTaken(name)),
      image: options.image,
      imageID: image.imageID,
      layers: image.layers.map((layer) => layer.diffID),
      platform: image.platform,
      ...(image.isComing === true && { isComing: true as const }),
      config: merged,
      network: withExposed(options.network ?? DEFAULT_CONTAINER_NETWORK, config.exposedPorts),
      state: {
        status: 'created',
        pid: 0,
        exitCode: 0,
        error: '',
        oomKilled: false,
        startedAt: 0,
        finishedAt: 0,
      },
      createdAt: now(),
    };
    await registry.add(record, [lease.releaseChange()]);
    return record;
  } catch (error) {
    await lease.release();
    throw error;
  }
}

/** With the ports that the image exposes, and those that are published: these are exposed by it. */
function withExposed(network: ContainerNetwork, ofImage: readonly string[]): ContainerNetwork {
  const named = ofImage.map((port) => (port.includes('/') ? port : `${port}/tcp`));
  const published = network.ports.map(({ containerPort, protocol }) => `${containerPort}/${protocol}`);
  return { ...network, exposed: [...new Set([...named, ...network.exposed, ...published])] };
}

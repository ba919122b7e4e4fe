/** `docker create`: from an image and a command line to a container's record. */

import type { RunnableImage } from '../image/images.ts';
import type { ImageConfig } from '../oci/config.ts';
import type { MountRequests } from '../store/container-mount.ts';
import { type ContainerNetwork, DEFAULT_CONTAINER_NETWORK } from '../store/container-network.ts';
import { type ContainerRecord, DEFAULT_HOST_CONFIG, type HostConfig } from '../store/container-record.ts';
import type { Lease, Leases } from '../store/leases.ts';
import { capabilityMask } from './capabilities.ts';
import { argvOf, containerConfig, type RunOptions } from './container-config.ts';
import { checkName, generateID, generateName, type Random } from './container-name.ts';
import type { ContainerRegistry } from './container-registry.ts';
import type { ContainerVolumes, NewMounts } from './container-volumes.ts';
import { checkLimits } from './limits.ts';
import { settleNetwork } from './network-mode.ts';
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
  /** Undefined: Docker's defaults. */
  readonly hostConfig?: HostConfig;
  /** Undefined: no mounts but those that the image asks for. */
  readonly mounts?: MountRequests;
  /** Undefined: Docker's bridge. */
  readonly network?: ContainerNetwork;
}

export interface CreationPorts {
  readonly mounts: ContainerVolumes;
  readonly images: ImageSource;
  readonly leases: Leases;
  readonly now: () => number;
  readonly random: Random;
}

/** As `Containers.create` has it. The layers are held by a lease until the record holds them. */
export async function createContainer(
  { images, leases, mounts: volumes, now, random }: CreationPorts,
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
    const asked = options.network ?? DEFAULT_CONTAINER_NETWORK;
    const { network, ...shared } = settleNetwork(asked, options.hostname, (text) => registry.resolve(text));
    const merged = walkConfig(
      containerConfig(id, config, { ...options, ...shared }),
      image.platform,
      isDefault,
    );
    argvOf(merged);
    if (merged.stopSignal !== '') parseSignal(merged.stopSignal);
    const layers = image.layers.map((layer) => layer.diffID);
    const mounted = await volumes.prepare(options.mounts, config.volumes, layers);
    const record: ContainerRecord = {
      id,
      name: named ?? generateName(random, (name) => registry.isNameTaken(name)),
      image: options.image,
      imageID: image.imageID,
      layers,
      platform: image.platform,
      ...(image.isComing === true && { isComing: true as const }),
      config: merged,
      hostConfig: checkedHostConfig(options.hostConfig ?? DEFAULT_HOST_CONFIG),
      network: withExposed(network, config.exposedPorts),
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
      mounts: mounted.mounts,
    };
    await addTo(registry, record, lease, mounted);
    volumes.claim(record);
    mounted.keep();
    return record;
  } catch (error) {
    await lease.release();
    throw error;
  }
}

/** Stores the record; what was made for it goes when that fails. */
async function addTo(
  registry: ContainerRegistry,
  record: ContainerRecord,
  lease: Lease,
  mounted: NewMounts,
): Promise<void> {
  try {
    await registry.add(record, [lease.releaseChange()]);
  } catch (error) {
    await mounted.undo();
    throw error;
  }
}

/** With the ports that the image exposes, and those that are published: these are exposed by it. */
function withExposed(network: ContainerNetwork, ofImage: readonly string[]): ContainerNetwork {
  const named = ofImage.map((port) => (port.includes('/') ? port : `${port}/tcp`));
  const published = network.ports.map(({ containerPort, protocol }) => `${containerPort}/${protocol}`);
  return { ...network, exposed: [...new Set([...named, ...network.exposed, ...published])] };
}

/** LayerboxError in Docker's words for limits and capabilities that cannot be. Swap is twice the memory, as moby has it. */
function checkedHostConfig(hostConfig: HostConfig): HostConfig {
  const { limits } = hostConfig;
  checkLimits(limits);
  capabilityMask(hostConfig);
  const memorySwap = limits.memory > 0 && limits.memorySwap === 0 ? limits.memory * 2 : limits.memorySwap;
  return { ...hostConfig, limits: { ...limits, memorySwap } };
}

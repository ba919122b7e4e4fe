/** Images and containers as a page lists them: plain data, in the words of `docker images` and `docker ps`. */

import { layerSteps } from '../image/history.ts';
import type { PublishedPort } from '../network/published-ports.ts';
import { formatPlatform, isRunnable } from '../oci/platform.ts';
import type { ContainerRecord, ContainerStatus } from '../store/container-record.ts';
import type { ImageRecord } from '../store/records.ts';
import { commandText, statusText } from './container-status.ts';
import type { DockerHost } from './docker-host.ts';
import { imageName } from './image-name.ts';

export interface ImageSummary {
  readonly reference: string;
  /** As `docker images` writes it; `<none>` when untagged. */
  readonly repository: string;
  readonly tag: string;
  readonly id: string;
  readonly platform: string;
  /** False when its programs cannot run on the machine. */
  readonly runnable: boolean;
  /** Milliseconds since 1970; 0 when the image does not say. */
  readonly createdAt: number;
  /** Bytes unpacked. */
  readonly size: number;
  readonly layers: readonly LayerSummary[];
  readonly command: readonly string[];
}

export interface LayerSummary {
  readonly diffID: string;
  readonly digest: string;
  /** Bytes as they travel. */
  readonly compressed: number;
  /** Bytes unpacked. */
  readonly size: number;
  readonly entries: number;
  /** The history line that made it. */
  readonly createdBy: string;
}

export interface ContainerSummary {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  readonly imageID: string;
  readonly command: string;
  readonly status: ContainerStatus;
  /** As `docker ps` has it: `Up 2 minutes`, `Exited (0) 3 seconds ago`. */
  readonly statusText: string;
  readonly createdAt: number;
  /** Bytes of its own layer, whole files as overlay2 counts them. */
  readonly size: number;
  /** What it publishes now. */
  readonly ports: readonly PublishedPort[];
}

export async function imageSummary(
  { images }: Pick<DockerHost, 'images'>,
  record: ImageRecord,
): Promise<ImageSummary> {
  const { repository, tag } = imageName(record);
  const config = await images.config(record);
  const indexes = await images.layerIndexes(record);
  const sizes = await images.layerSizes(record);
  const steps = layerSteps(record, config);
  return {
    reference: record.id,
    repository,
    tag,
    id: record.imageID,
    platform: formatPlatform(record.platform),
    runnable: isRunnable(record.platform),
    createdAt: config.created === undefined ? 0 : Date.parse(config.created),
    size: sizes.reduce((sum, size) => sum + size, 0),
    layers: record.layers.map(({ diffID, blob }, index) => ({
      diffID,
      digest: blob.digest,
      compressed: blob.size,
      size: sizes[index] ?? 0,
      entries: indexes[index]?.count ?? 0,
      createdBy: steps[index] ?? '',
    })),
    command: [...config.config.entrypoint, ...config.config.cmd],
  };
}

export async function containerSummary(
  { containers, now }: Pick<DockerHost, 'containers' | 'now'>,
  record: ContainerRecord,
): Promise<ContainerSummary> {
  return {
    id: record.id,
    name: record.name,
    image: record.image,
    imageID: record.imageID,
    command: commandText(record),
    status: record.state.status,
    statusText: statusText(record, now()),
    createdAt: record.createdAt,
    size: (await containers.sizes(record.id)).own,
    ports: containers.networks.state(record.id)?.ports ?? [],
  };
}

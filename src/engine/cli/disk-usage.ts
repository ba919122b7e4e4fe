/** What images, containers and volumes take: `docker system df`. */

import { creationTime } from '../image/creation-time.ts';
import type { ImageRecord } from '../store/records.ts';
import { containerDocument, mountsOf } from './container-document.ts';
import { commandText, statusText } from './container-status.ts';
import type { DockerHost } from './docker-host.ts';
import { ellipsis, formatDuration, formatSize, truncateID } from './format.ts';
import type { Columns, Row } from './format-flag.ts';
import { imageName } from './image-name.ts';

export interface DiskUsageGroup {
  readonly total: number;
  /** How many are in use. */
  readonly active: number;
  /** Bytes. */
  readonly size: number;
  /** Bytes that nobody uses. */
  readonly reclaimable: number;
  readonly rows: readonly Row[];
  readonly columns: Columns;
}

export interface DiskUsage {
  readonly images: DiskUsageGroup;
  readonly containers: DiskUsageGroup;
  readonly volumes: DiskUsageGroup;
}

export async function diskUsage(host: DockerHost): Promise<DiskUsage> {
  return {
    images: await ofImages(host),
    containers: await ofContainers(host),
    volumes: await ofVolumes(host),
  };
}

/** A layer that several images have is counted once. */
async function ofImages(host: DockerHost): Promise<DiskUsageGroup> {
  const records = await host.images.list();
  const byID = new Map<string, ImageRecord>();
  for (const record of records) if (!byID.has(record.imageID)) byID.set(record.imageID, record);
  const used = new Set(host.containers.list().map(({ imageID }) => imageID as string));
  const layers = new Map<string, { readonly size: number; readonly images: Set<string> }>();
  for (const record of byID.values()) {
    const sizes = await host.images.layerSizes(record);
    for (const [index, { diffID }] of record.layers.entries()) {
      const known = layers.get(diffID) ?? { size: sizes[index] ?? 0, images: new Set() };
      layers.set(diffID, known);
      known.images.add(record.imageID);
    }
  }
  const sum = (fits: (images: ReadonlySet<string>) => boolean) =>
    [...layers.values()].filter(({ images }) => fits(images)).reduce((bytes, { size }) => bytes + size, 0);
  const size = sum(() => true);
  const rows: Row[] = [];
  for (const record of records) {
    const own = record.layers.map(({ diffID }) => layers.get(diffID));
    const shared = own.reduce(
      (bytes, layer) => bytes + ((layer?.images.size ?? 0) > 1 ? (layer?.size ?? 0) : 0),
      0,
    );
    const whole = own.reduce((bytes, layer) => bytes + (layer?.size ?? 0), 0);
    const { repository, tag } = imageName(record);
    const createdAt = creationTime(await host.images.config(record));
    const users = host.containers.list().filter(({ imageID }) => imageID === record.imageID);
    rows.push({
      Repository: repository,
      Tag: tag,
      ID: truncateID(record.imageID),
      CreatedSince: createdAt === 0 ? 'N/A' : `${formatDuration(host.now() - createdAt)} ago`,
      Size: formatSize(whole),
      SharedSize: formatSize(shared),
      UniqueSize: formatSize(whole - shared),
      Containers: String(users.length),
    });
  }
  return {
    total: byID.size,
    active: [...byID.keys()].filter((id) => used.has(id)).length,
    size,
    reclaimable: sum((images) => ![...images].some((id) => used.has(id))),
    rows,
    columns: {
      Repository: 'REPOSITORY',
      Tag: 'TAG',
      ID: 'IMAGE ID',
      CreatedSince: 'CREATED',
      Size: 'SIZE',
      SharedSize: 'SHARED SIZE',
      UniqueSize: 'UNIQUE SIZE',
      Containers: 'CONTAINERS',
    },
  };
}

async function ofContainers(host: DockerHost): Promise<DiskUsageGroup> {
  const records = host.containers.list();
  const rows: Row[] = [];
  let size = 0;
  let reclaimable = 0;
  let active = 0;
  for (const record of records) {
    const { own } = await host.containers.sizes(record.id);
    const isActive = ['running', 'paused', 'restarting'].includes(record.state.status);
    size += own;
    if (isActive) active += 1;
    else reclaimable += own;
    const mounts = mountsOf(await containerDocument(host, record, false));
    rows.push({
      ID: truncateID(record.id),
      Image: record.image,
      Command: JSON.stringify(ellipsis(commandText(record), 20)),
      LocalVolumes: String(mounts.filter(({ isLocalVolume }) => isLocalVolume).length),
      Size: formatSize(own),
      RunningFor: `${formatDuration(host.now() - record.createdAt)} ago`,
      Status: statusText(record, host.now()),
      Names: record.name,
    });
  }
  return {
    total: records.length,
    active,
    size,
    reclaimable,
    rows,
    columns: {
      ID: 'CONTAINER ID',
      Image: 'IMAGE',
      Command: 'COMMAND',
      LocalVolumes: 'LOCAL VOLUMES',
      Size: 'SIZE',
      RunningFor: 'CREATED',
      Status: 'STATUS',
      Names: 'NAMES',
    },
  };
}

async function ofVolumes(_host: DockerHost): Promise<DiskUsageGroup> {
  const columns = { Name: 'VOLUME NAME', Links: 'LINKS', Size: 'SIZE' };
  return { total: 0, active: 0, size: 0, reclaimable: 0, rows: [], columns };
}

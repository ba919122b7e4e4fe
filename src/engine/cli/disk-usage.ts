/** What images, containers and volumes take: `docker system df`. */

import { containerRow, imageNames } from './container-row.ts';
import type { DockerHost } from './docker-host.ts';
import { formatSize } from './format.ts';
import type { Columns, Row } from './format-flag.ts';
import { type ShownImage, selectImages } from './image-filters.ts';
import { imageRow } from './image-row.ts';
import { volumeRow } from './volume-row.ts';

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

/** `truncate`: IDs, commands and names are cut in the rows as a table has them. */
export async function diskUsage(host: DockerHost, truncate: boolean): Promise<DiskUsage> {
  return {
    images: await ofImages(host, truncate),
    containers: await ofContainers(host, truncate),
    volumes: await ofVolumes(host),
  };
}

const NO_LAYER = { size: 0, images: new Set<string>() };

/** A layer that several images have is counted once. */
async function ofImages(host: DockerHost, truncate: boolean): Promise<DiskUsageGroup> {
  const { images } = await selectImages(host, undefined, []);
  const byID = new Map<string, ShownImage>();
  for (const image of images) if (!byID.has(image.record.imageID)) byID.set(image.record.imageID, image);
  const used = new Set<string>(host.containers.list().map(({ imageID }) => imageID));
  const layers = new Map<string, { readonly size: number; readonly images: Set<string> }>();
  for (const { record } of byID.values()) {
    const sizes = await host.images.layerSizes(record);
    for (const [index, { diffID }] of record.layers.entries()) {
      const known = layers.get(diffID) ?? { size: sizes[index] ?? 0, images: new Set() };
      layers.set(diffID, known);
      known.images.add(record.imageID);
    }
  }
  const size = [...layers.values()].reduce((bytes, layer) => bytes + layer.size, 0);
  let unreclaimable = 0;
  const rows: Row[] = [];
  for (const [id, image] of byID) {
    const own = image.record.layers.map(({ diffID }) => layers.get(diffID) ?? NO_LAYER);
    const whole = own.reduce((bytes, layer) => bytes + layer.size, 0);
    const shared = own.reduce((bytes, layer) => bytes + (layer.images.size > 1 ? layer.size : 0), 0);
    // as Docker's client has it: of an image in use only what no other image has counts as used
    if (used.has(id)) unreclaimable += whole - shared;
    rows.push({
      ...(await imageRow(host, image, { truncate, withDigest: false })),
      Digest: '',
      SharedSize: formatSize(shared, 4),
      UniqueSize: formatSize(whole - shared, 4),
      Containers: String(host.containers.list().filter(({ imageID }) => imageID === id).length),
    });
  }
  return {
    total: byID.size,
    active: [...byID.keys()].filter((id) => used.has(id)).length,
    size,
    reclaimable: size - unreclaimable,
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

async function ofContainers(host: DockerHost, truncate: boolean): Promise<DiskUsageGroup> {
  const records = host.containers.list();
  const names = await imageNames(host);
  const rows: Row[] = [];
  let size = 0;
  let reclaimable = 0;
  let active = 0;
  for (const record of records) {
    const { own } = await host.containers.sizes(record.id);
    size += own;
    if (['running', 'paused', 'restarting'].includes(record.state.status)) active += 1;
    else reclaimable += own;
    const row = await containerRow(host, record, { truncate, sized: false, names });
    rows.push({ ...row, Size: formatSize(own) });
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

async function ofVolumes({ volumes }: DockerHost): Promise<DiskUsageGroup> {
  const columns = { Name: 'VOLUME NAME', Links: 'LINKS', Size: 'SIZE' };
  const rows: Row[] = [];
  let size = 0;
  let reclaimable = 0;
  let active = 0;
  for (const record of volumes.list()) {
    const { id } = record;
    const bytes = await volumes.bytes(id);
    const links = volumes.usedBy(id).length;
    size += bytes;
    if (links > 0) active += 1;
    else reclaimable += bytes;
    rows.push(volumeRow(record, { links: String(links), size: formatSize(bytes, 4) }));
  }
  return { total: rows.length, active, size, reclaimable, rows, columns };
}

/** A container as the lists of Docker have it: `docker ps`, `docker system df -v`. */

import { LayerboxError } from '../errors.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import { containerDocument, mountsOf, networksOf, portsOf, portsText } from './container-document.ts';
import { commandText, statusText } from './container-status.ts';
import type { DockerHost } from './docker-host.ts';
import { ellipsis, formatDuration, formatSize, formatTime, truncateID } from './format.ts';
import type { Row } from './format-flag.ts';
import { quoted } from './go-text.ts';

/** The fields of the columns; `names`: as `imageNames` has them. */
export async function containerRow(
  host: DockerHost,
  record: ContainerRecord,
  how: { readonly truncate: boolean; readonly sized: boolean; readonly names: ReadonlyMap<string, string> },
): Promise<Row> {
  const { truncate, sized, names } = how;
  const now = host.now();
  const command = commandText(record);
  const document = await containerDocument(host, record, false);
  const mounts = mountsOf(document);
  return {
    ID: truncate ? truncateID(record.id) : record.id,
    Names: record.name,
    Image: imageText(record, names, truncate),
    Command: quoted(truncate ? ellipsis(command, 20) : command),
    CreatedAt: formatTime(record.createdAt),
    RunningFor: `${formatDuration(now - record.createdAt)} ago`,
    Ports: portsText(portsOf(document)),
    State: record.state.status,
    Status: statusText(record, now),
    Size: sized ? await sizeText(host, record) : '0B',
    Labels: Object.entries(record.config.labels)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, value]) => `${name}=${value}`)
      .join(','),
    Mounts: mounts.map(({ name }) => (truncate ? ellipsis(name, 15) : name)).join(','),
    LocalVolumes: String(mounts.filter(({ isLocalVolume }) => isLocalVolume).length),
    Networks: [...networksOf(document).keys()].sort().join(','),
    Platform: `${record.platform.os}/${record.platform.architecture}`,
  };
}

/** The image as it was typed, unless that name has moved to another image since. */
function imageText(record: ContainerRecord, names: ReadonlyMap<string, string>, truncate: boolean): string {
  const now = names.get(record.image);
  if (now !== undefined && now !== record.imageID)
    return truncate ? truncateID(record.imageID) : record.imageID;
  return truncate && record.image.startsWith('sha256:') ? truncateID(record.image) : record.image;
}

/** The image ID that each name in use by a container means now. */
export async function imageNames(host: DockerHost): Promise<ReadonlyMap<string, string>> {
  const names = new Map<string, string>();
  for (const text of new Set(host.containers.list().map((record) => record.image))) {
    try {
      names.set(text, (await host.images.resolve(text)).imageID);
    } catch (error) {
      // its name is gone: the container keeps the name that it was made under
      if (!(error instanceof LayerboxError)) throw error;
    }
  }
  return names;
}

/** `12.3kB (virtual 4.27MB)`: its own layer, and that with the image's. */
async function sizeText(host: DockerHost, record: ContainerRecord): Promise<string> {
  const { own, image } = await host.containers.sizes(record.id);
  return `${formatSize(own)} (virtual ${formatSize(own + image)})`;
}

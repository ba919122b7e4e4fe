/** An image as the lists of Docker have it: `docker images`, `docker system df -v`. */

import type { DockerHost } from './docker-host.ts';
import { formatDuration, formatSize, formatTime, truncateID } from './format.ts';
import type { Row } from './format-flag.ts';
import type { ShownImage } from './image-filters.ts';
import { NONE } from './image-name.ts';

export const IMAGE_HEADERS = {
  Repository: 'REPOSITORY',
  Tag: 'TAG',
  Digest: 'DIGEST',
  ID: 'IMAGE ID',
  CreatedSince: 'CREATED',
  CreatedAt: 'CREATED AT',
  Size: 'SIZE',
  Containers: 'CONTAINERS',
  VirtualSize: 'SIZE',
  SharedSize: 'SHARED SIZE',
  UniqueSize: 'UNIQUE SIZE',
};

/** The fields of the columns. */
export async function imageRow(
  host: DockerHost,
  { record, name, createdAt }: ShownImage,
  { truncate, withDigest }: { readonly truncate: boolean; readonly withDigest: boolean },
): Promise<Row> {
  const { repository, tag } = name;
  const size = await host.images.size(record);
  return {
    Repository: repository,
    Tag: tag,
    // as in Docker it is told only when it is asked for, and of what came from a registry
    Digest: withDigest && repository !== NONE ? record.target.digest : NONE,
    ID: truncate ? truncateID(record.imageID) : record.imageID,
    CreatedSince: createdAt === 0 ? 'N/A' : `${formatDuration(host.now() - createdAt)} ago`,
    CreatedAt: createdAt === 0 ? 'N/A' : formatTime(createdAt),
    Size: formatSize(size),
    VirtualSize: formatSize(size, 4),
    Containers: 'N/A',
    SharedSize: 'N/A',
    UniqueSize: 'N/A',
  };
}

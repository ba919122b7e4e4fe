/** A volume as the lists of Docker have it: `docker volume ls`, `docker system df -v`. */

import { volumePath } from '../container/mounted.ts';
import type { VolumeRecord } from '../store/volume-record.ts';
import type { Row } from './format-flag.ts';

/** The fields of the columns; what takes a look at all containers and files is told where it was asked for. */
export function volumeRow(
  { id, labels }: VolumeRecord,
  { links, size }: { readonly links: string; readonly size: string } = { links: 'N/A', size: 'N/A' },
): Row {
  return {
    Availability: 'N/A',
    Driver: 'local',
    Group: 'N/A',
    Labels: Object.entries(labels)
      .map(([name, value]) => `${name}=${value}`)
      .join(','),
    Links: links,
    Mountpoint: volumePath(id),
    Name: id,
    Scope: 'local',
    Size: size,
    Status: 'N/A',
  };
}

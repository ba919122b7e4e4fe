/** A volume as `docker volume inspect` has it. */

import { volumePath } from '../container/mounted.ts';
import { NoSuchVolumeError } from '../errors.ts';
import type { VolumeRecord } from '../store/volume-record.ts';
import { VOLUME_TYPE } from './inspect-types.ts';
import type { InspectedKind } from './inspected-objects.ts';

export function volumeDocument(record: VolumeRecord): Readonly<Record<string, unknown>> {
  const { id, labels, createdAt, options } = record;
  return {
    CreatedAt: new Date(createdAt).toISOString().replace(/\.\d+Z$/, 'Z'),
    Driver: 'local',
    // Go writes maps in the order of their names
    Labels: Object.keys(labels).length === 0 ? null : sortedByName(labels),
    Mountpoint: volumePath(id),
    Name: id,
    Options: options === undefined ? null : sortedByName(options),
    Scope: 'local',
  };
}

function sortedByName(texts: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(texts).sort(([a], [b]) => (a < b ? -1 : 1)));
}

export const VOLUME: InspectedKind = {
  name: 'volume',
  type: VOLUME_TYPE,
  find: async (host, word) => volumeDocument(host.volumes.get(word)),
  isMissing: (error) => error instanceof NoSuchVolumeError,
};

/** What `docker inspect` says of a container's mounts. */

import { type ContainerMount, type MountSpec, NO_MOUNTS } from '../store/container-mount.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import { cleanPath } from './mount-spec.ts';
import { mountsOf, sourceOf } from './mounted.ts';

type Document = Readonly<Record<string, unknown>>;

/** `Mounts`: what is mounted; a `--tmpfs` is in the host config alone, as Docker has it. */
export function inspectMounts(record: ContainerRecord): readonly Document[] {
  const ofFlag = new Set(Object.keys(record.mounts?.requests.tmpfs ?? {}).map(cleanPath));
  return mountsOf(record)
    .filter(({ type, destination }) => type !== 'tmpfs' || !ofFlag.has(destination))
    .map(inspectMount);
}

function inspectMount(mount: ContainerMount): Document {
  const isVolume = mount.type === 'volume';
  return {
    Type: mount.type,
    ...(isVolume && { Name: mount.name }),
    Source: sourceOf(mount),
    Destination: mount.destination,
    ...(isVolume && { Driver: 'local' }),
    Mode: mount.mode,
    RW: !mount.readOnly,
    Propagation: mount.propagation,
  };
}

/** `Config.Volumes`: null when there are none. */
export function inspectVolumes(record: ContainerRecord): Document | null {
  const paths = record.mounts?.volumes ?? [];
  return paths.length === 0 ? null : Object.fromEntries(paths.map((path) => [path, {}]));
}

/** The part of `HostConfig` that is about mounts: what was asked for. */
export function hostConfigOfMounts(record: ContainerRecord): Document {
  const { binds, mounts, tmpfs, volumesFrom, volumeDriver } = record.mounts?.requests ?? NO_MOUNTS;
  return {
    Binds: binds.length === 0 ? null : binds,
    VolumeDriver: volumeDriver,
    VolumesFrom: volumesFrom.length === 0 ? null : volumesFrom,
    ...(mounts.length > 0 && { Mounts: mounts.map(inspectSpec) }),
    ...(Object.keys(tmpfs).length > 0 && { Tmpfs: tmpfs }),
  };
}

/** Fields that say nothing are left out, as Docker's API leaves them out. */
function inspectSpec({
  type,
  source,
  target,
  readOnly,
  consistency,
  bind,
  volume,
  tmpfs,
}: MountSpec): Document {
  const driver = {
    ...(volume !== undefined && volume.driver !== '' && { Name: volume.driver }),
    ...(volume !== undefined && Object.keys(volume.options).length > 0 && { Options: volume.options }),
  };
  return {
    Type: type,
    ...(source !== '' && { Source: source }),
    Target: target,
    ...(readOnly && { ReadOnly: true }),
    ...(consistency !== undefined && { Consistency: consistency }),
    ...(bind !== undefined && {
      BindOptions: {
        ...(bind.propagation !== '' && { Propagation: bind.propagation }),
        ...(bind.nonRecursive && { NonRecursive: true }),
        ...(bind.readOnlyNonRecursive && { ReadOnlyNonRecursive: true }),
        ...(bind.readOnlyForceRecursive && { ReadOnlyForceRecursive: true }),
      },
    }),
    ...(volume !== undefined && {
      VolumeOptions: {
        ...(volume.noCopy && { NoCopy: true }),
        ...(Object.keys(volume.labels).length > 0 && { Labels: volume.labels }),
        ...(volume.subpath !== '' && { Subpath: volume.subpath }),
        ...(Object.keys(driver).length > 0 && { DriverConfig: driver }),
      },
    }),
    ...(tmpfs !== undefined && {
      TmpfsOptions: {
        ...(tmpfs.sizeBytes !== 0 && { SizeBytes: tmpfs.sizeBytes }),
        ...(tmpfs.mode !== 0 && { Mode: tmpfs.mode }),
      },
    }),
  };
}

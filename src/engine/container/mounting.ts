/** From what a command line and an image say of mounts to the mounts of a container. */

import { LayerboxError, NoSuchContainerError } from '../errors.ts';
import { printableName } from '../names.ts';
import {
  type ContainerMount,
  type ContainerMounts,
  type MountRequests,
  NO_MOUNTS,
} from '../store/container-mount.ts';
import type { ContainerRecord } from '../store/container-record.ts';
import type { Volumes } from '../volume/volumes.ts';
import type { MountPoint } from './mount-point.ts';
import { bindMount, cleanPath, specMount, volumePath, volumesFrom } from './mount-spec.ts';
import { tmpfsMount } from './tmpfs-options.ts';

export interface MountingPorts {
  readonly volumes: Volumes;
  /** NoSuchContainerError. */
  readonly container: (text: string) => ContainerRecord;
  /** Of a path of the host, links followed. */
  readonly hostHas: (path: string) => Promise<boolean>;
}

/** What is to be mounted, with volumes that are there and held until `release`. */
export interface Prepared {
  readonly mounts: ContainerMounts;
  /** Volumes into which what the image has at their place is to be copied, by that place. */
  readonly copies: readonly { readonly volume: string; readonly path: string }[];
  /** The record names the volumes now, or the container will not be. */
  release(): void;
  /** Takes away the volumes that were made for it. Nobody has them yet. */
  undo(): Promise<void>;
}

/** Where a mount comes from: an earlier container's stays as it is. */
type Planned =
  | { readonly point: MountPoint; readonly inherited?: undefined }
  | { readonly inherited: ContainerMount };

/** Volumes that are not there are made. LayerboxError in Docker's words for what cannot be mounted. */
export async function prepareMounts(
  ports: MountingPorts,
  requests: MountRequests = NO_MOUNTS,
  ofImage: readonly string[] = [],
): Promise<Prepared> {
  const planned = await plan(ports, requests, ofImage);
  const { volumes } = ports;
  const list: ContainerMount[] = [];
  const copies: { readonly volume: string; readonly path: string }[] = [];
  const held: (() => void)[] = [];
  const made: string[] = [];
  const release = () => {
    for (const letGo of held) letGo();
  };
  const undo = async () => {
    release();
    for (const name of made) await volumes.remove(name);
  };
  try {
    for (const one of planned.values()) {
      if (one.inherited !== undefined) {
        if (one.inherited.name !== '') held.push(volumes.hold(volumes.get(one.inherited.name).id));
        list.push(one.inherited);
        continue;
      }
      const { copies: isCopied, labels, driverOptions: options, ...mount } = one.point;
      const isAnonymous = mount.type === 'volume' && mount.name === '';
      if (mount.type !== 'volume') {
        list.push({ ...mount, isAnonymous });
        continue;
      }
      const isNew = isAnonymous || volumes.find(mount.name) === undefined;
      const { id } = await volumes.create({
        ...(!isAnonymous && { name: mount.name }),
        labels,
        options,
      });
      held.push(volumes.hold(id));
      if (isNew) made.push(id);
      if (isCopied && mount.subpath === '') copies.push({ volume: id, path: mount.destination });
      list.push({ ...mount, name: id, isAnonymous });
    }
  } catch (error) {
    await undo();
    throw error;
  }
  const paths = [...new Set([...ofImage, ...requests.volumes].map(cleanPath))].sort();
  return { mounts: { requests, volumes: paths, list: list.sort(byDepth) }, copies, release, undo };
}

/** A mount may lie in another: that one comes first. */
function byDepth(a: ContainerMount, b: ContainerMount): number {
  return a.destination.split('/').length - b.destination.split('/').length;
}

/** By destination, in the order in which Docker's daemon takes them (moby, daemon/volumes.go, registerMountPoints). */
async function plan(
  ports: MountingPorts,
  requests: MountRequests,
  ofImage: readonly string[],
): Promise<ReadonlyMap<string, Planned>> {
  const planned = new Map<string, Planned>();
  for (const text of requests.volumesFrom) {
    const { container, readOnly } = volumesFrom(text);
    for (const mount of inheritedFrom(ports, container)) {
      const inherited = { ...mount, readOnly: mount.readOnly || readOnly };
      planned.set(mount.destination, { inherited });
    }
  }
  const own = new Set<string>();
  const take = (point: MountPoint) => {
    const { destination } = point;
    if (own.has(destination)) {
      throw new LayerboxError(`Duplicate mount point: ${printableName(destination)}`, { destination });
    }
    own.add(destination);
    planned.set(destination, { point });
  };
  for (const [path, options] of Object.entries(requests.tmpfs)) {
    const { destination } = volumePath(path);
    take(tmpfsMount(destination, options));
  }
  for (const raw of requests.binds) take(bindMount(raw, requests.volumeDriver));
  for (const spec of requests.mounts) {
    const point = specMount(spec);
    if (point.type === 'bind' && !(await ports.hostHas(point.source))) {
      throw new LayerboxError(
        `invalid mount config for type "bind": bind source path does not exist: ${printableName(point.source)}`,
        { source: point.source },
      );
    }
    take(point);
  }
  for (const path of [...ofImage, ...requests.volumes]) {
    const point = volumePath(path);
    if (!planned.has(point.destination)) planned.set(point.destination, { point });
  }
  return planned;
}

function inheritedFrom(ports: MountingPorts, container: string): readonly ContainerMount[] {
  try {
    // Docker's daemon hands on what is a volume or a bind
    return (ports.container(container).mounts?.list ?? []).filter(({ type }) => type !== 'tmpfs');
  } catch (error) {
    if (!(error instanceof NoSuchContainerError)) throw error;
    throw new NoSuchContainerError(`No such container: ${printableName(container)}`, error.data);
  }
}

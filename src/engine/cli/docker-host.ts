/** What the docker commands work on: the engine, as they see it. */

import type { Containers } from '../container/containers.ts';
import type { EventHistory } from '../container/event-history.ts';
import type { HostFiles } from '../container/host-files.ts';
import type { Machine } from '../container/machine.ts';
import type { Images } from '../image/images.ts';
import type { Registries } from '../registry/registries.ts';
import type { Volumes } from '../volume/volumes.ts';

export interface DockerHost {
  readonly images: Images;
  readonly containers: Containers;
  readonly registries: Registries;
  readonly volumes: Volumes;
  /** What has happened of late, and what happens. */
  readonly events: EventHistory;
  /** Undefined: nothing can run. */
  readonly machine: Machine | undefined;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** What `docker info` says of the whole. */
  describe(): Promise<HostDescription>;
  /** The content of a file of the host's own tree, for --env-file; undefined when it cannot be read. */
  readHostFile(path: string): Promise<string | undefined>;
  /** Files of the host by their absolute paths, of any size. */
  readonly files: HostFiles;
}

export interface HostDescription {
  readonly storage: string;
  /** Names of registries and namespaces, each with where its images come from. */
  readonly mirrors: Readonly<Record<string, readonly string[]>>;
  /** Bytes that all blobs and layers take. */
  readonly contentBytes: number;
  /** Of the machine, the guest and their parts, as the assets describe themselves. */
  readonly assets: string;
}

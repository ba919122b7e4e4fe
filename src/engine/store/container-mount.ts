/** Mounts of a container: what its command line asked for, and what came of it. Plain data of the container's record. */

export type MountType = 'bind' | 'volume' | 'tmpfs';

/** One `--mount`, in the fields of Docker's API. Strings are '' and numbers 0 where nothing was said. */
export interface MountSpec {
  readonly type: string;
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
  readonly consistency?: string;
  readonly bind?: {
    readonly propagation: string;
    readonly nonRecursive: boolean;
    readonly readOnlyNonRecursive: boolean;
    readonly readOnlyForceRecursive: boolean;
  };
  readonly volume?: {
    readonly noCopy: boolean;
    readonly labels: Readonly<Record<string, string>>;
    readonly subpath: string;
    readonly driver: string;
    readonly options: Readonly<Record<string, string>>;
  };
  readonly tmpfs?: { readonly sizeBytes: number; readonly mode: number };
}

/** What the command line says of mounts. */
export interface MountRequests {
  /** `-v` with a source, as typed but absolute where it is a path. */
  readonly binds: readonly string[];
  /** `-v` with a path of the container alone. */
  readonly volumes: readonly string[];
  readonly mounts: readonly MountSpec[];
  /** By path of the container: its options, '' for none. */
  readonly tmpfs: Readonly<Record<string, string>>;
  /** `NAME[:ro|rw]` */
  readonly volumesFrom: readonly string[];
  readonly volumeDriver: string;
}

export const NO_MOUNTS: MountRequests = {
  binds: [],
  volumes: [],
  mounts: [],
  tmpfs: {},
  volumesFrom: [],
  volumeDriver: '',
};

/** A mount of a container. */
export interface ContainerMount {
  readonly type: MountType;
  /** The volume; '' of what is none. */
  readonly name: string;
  /** A path of the host, of a bind; '' of what is none. */
  readonly source: string;
  /** Absolute and clean, in the container. */
  readonly destination: string;
  readonly readOnly: boolean;
  /** The third part of a `-v`: `ro,z`; '' where there was none. */
  readonly mode: string;
  readonly propagation: string;
  /** The folder in the volume that is mounted; '' is all of it. */
  readonly subpath: string;
  /** Of a tmpfs, as mount(8) takes them; of a bind `mustexist`, `nonrecursive`, `nonrecursivero`; separated by commas. */
  readonly options: string;
  /** A volume that nobody named: it goes with the container. */
  readonly isAnonymous: boolean;
}

/** `HostConfig` and `Config.Volumes` say what was asked for; `list` is what is mounted, parents first. */
export interface ContainerMounts {
  readonly requests: MountRequests;
  /** Paths that are volumes by the image or by `-v PATH`. */
  readonly volumes: readonly string[];
  readonly list: readonly ContainerMount[];
}

/** What is remembered of a container: plain data, kept by the record store. */

import type { Healthcheck } from '../oci/config.ts';
import type { Platform } from '../oci/descriptor.ts';
import type { DiffID, Digest } from '../oci/digest.ts';
import type { ContainerMounts } from './container-mount.ts';
import type { ContainerNetwork } from './container-network.ts';

/** What will run: the image's config with what the command line changed. */
export interface ContainerConfig {
  readonly hostname: string;
  readonly user: string;
  /** `NAME=value`, in order. */
  readonly env: readonly string[];
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  readonly workingDir: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly stopSignal: string;
  readonly tty: boolean;
  readonly openStdin: boolean;
  readonly attachStdin: boolean;
  /** Absent: attached, as all were once. */
  readonly attachStdout?: boolean;
  readonly attachStderr?: boolean;
  readonly autoRemove: boolean;
  /** Seconds between the stop signal and SIGKILL; absent: Docker's ten. Negative: for ever. */
  readonly stopTimeout?: number;
  /** Absent, or with the test NONE: its health is not asked. */
  readonly healthcheck?: Healthcheck;
  /** The program of a health check in shell form; absent: /bin/sh -c. */
  readonly shell?: readonly string[];
}

/** What the host grants the container and does for it. Records of older versions have none: `hostConfigOf` reads it. */
export interface HostConfig {
  readonly restart: RestartPolicy;
  /** An init of the host's runs the program, hands signals on and reaps what is left. */
  readonly init: boolean;
  readonly readOnly: boolean;
  readonly privileged: boolean;
  /** As they were given: `NET_ADMIN`, `cap_net_admin`, `ALL`. */
  readonly capAdd: readonly string[];
  readonly capDrop: readonly string[];
  /** Names or numbers of groups besides those of the user. */
  readonly groupAdd: readonly string[];
  readonly ulimits: readonly Ulimit[];
  readonly limits: ResourceLimits;
}

export interface RestartPolicy {
  readonly name: 'no' | 'always' | 'on-failure' | 'unless-stopped';
  /** Of on-failure; 0: no maximum. */
  readonly maximumRetryCount: number;
}

export interface Ulimit {
  /** As setrlimit(2) has it, in small letters: `nofile`. */
  readonly name: string;
  /** -1: no limit. */
  readonly soft: number;
  readonly hard: number;
}

/** 0 everywhere: not limited. */
export interface ResourceLimits {
  /** Bytes. */
  readonly memory: number;
  /** Bytes that are left to it while others want memory. */
  readonly memoryReservation: number;
  /** Bytes of memory and swap together; -1: unlimited. */
  readonly memorySwap: number;
  /** Billionths of a processor. */
  readonly nanoCPUs: number;
  /** Microseconds. */
  readonly cpuPeriod: number;
  readonly cpuQuota: number;
  /** Relative weight; 1024 is everybody's. */
  readonly cpuShares: number;
  /** Negative: not limited either. */
  readonly pidsLimit: number;
}

export type ContainerStatus =
  | 'created'
  | 'running'
  | 'paused'
  /** Between two runs, by its restart policy. */
  | 'restarting'
  | 'exited'
  | 'dead'
  | 'removing';

export interface ContainerHealth {
  readonly status: 'starting' | 'healthy' | 'unhealthy';
  readonly failingStreak: number;
  /** The last five, oldest first. */
  readonly log: readonly Probe[];
}

/** One run of a health check. */
export interface Probe {
  /** Milliseconds since 1970. */
  readonly start: number;
  readonly end: number;
  /** -1 when it did not end in time or could not be run. */
  readonly exitCode: number;
  readonly output: string;
}

export interface ContainerState {
  readonly status: ContainerStatus;
  /** As the guest's host side sees it; 0 when not running. */
  readonly pid: number;
  readonly exitCode: number;
  readonly error: string;
  readonly oomKilled: boolean;
  /** Milliseconds since 1970; 0 for never. */
  readonly startedAt: number;
  readonly finishedAt: number;
  /** Of a container with a health check, since its last start. */
  readonly health?: ContainerHealth;
}

export interface ContainerRecord {
  /** 64 hexadecimal digits. */
  readonly id: string;
  /** Without the leading slash of Docker's API. */
  readonly name: string;
  /** The image as it was typed. */
  readonly image: string;
  readonly imageID: Digest;
  /** Of the image, bottom first; the container's lease names them too. */
  readonly layers: readonly DiffID[];
  readonly platform: Platform;
  /** It was made while layers of its image were still coming, and goes with the pull if that fails. */
  readonly isComing?: true;
  readonly config: ContainerConfig;
  readonly hostConfig?: HostConfig;
  readonly state: ContainerState;
  /** How often its restart policy has started it again since somebody did. */
  readonly restartCount?: number;
  /** Somebody stopped or killed it since its last start: `unless-stopped` leaves it so. */
  readonly isManuallyStopped?: boolean;
  readonly createdAt: number;
  /** Undefined: none, as in records from before there were any. */
  readonly mounts?: ContainerMounts;
  /** `networkOf` reads it: records of older versions have none. */
  readonly network?: ContainerNetwork;
}

const NO_LIMITS: ResourceLimits = {
  memory: 0,
  memoryReservation: 0,
  memorySwap: 0,
  nanoCPUs: 0,
  cpuPeriod: 0,
  cpuQuota: 0,
  cpuShares: 0,
  pidsLimit: 0,
};

export const DEFAULT_HOST_CONFIG: HostConfig = {
  restart: { name: 'no', maximumRetryCount: 0 },
  init: false,
  readOnly: false,
  privileged: false,
  capAdd: [],
  capDrop: [],
  groupAdd: [],
  ulimits: [],
  limits: NO_LIMITS,
};

/** The record's host config; of a record that has none, or not all of it, the rest is the default. */
export function hostConfigOf({ hostConfig }: ContainerRecord): HostConfig {
  return { ...DEFAULT_HOST_CONFIG, ...hostConfig };
}

/** What is remembered of a container: plain data, kept by the record store. */

import type { Platform } from '../oci/descriptor.ts';
import type { DiffID, Digest } from '../oci/digest.ts';

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
  readonly autoRemove: boolean;
}

export type ContainerStatus = 'created' | 'running' | 'paused' | 'exited' | 'dead' | 'removing';

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
  readonly state: ContainerState;
  readonly createdAt: number;
}

/**
 * The record store port: the small facts (images, containers, layers, leases)
 * in kinds, each under an ID. `commit` is all or nothing and durable when it
 * resolves. Records are plain data (structured clone), never classes.
 */

import type { Descriptor, Platform } from '../oci/descriptor.ts';
import type { DiffID, Digest } from '../oci/digest.ts';
import type { ContainerRecord } from './container-record.ts';
import type { NetworkRecord } from './network-record.ts';
import type { VolumeRecord } from './volume-record.ts';

/** An unpacked layer that is whole: its tar is in the content store under `id`. */
export interface LayerRecord {
  readonly id: DiffID;
  /** Size of the uncompressed tar, bytes. */
  readonly size: number;
  /** A packed LayerIndex (layer/layer-index.ts). */
  readonly index: ArrayBuffer;
}

/**
 * A name that points to an image. `id` is the full reference
 * (`docker.io/library/busybox:latest`, or `...@sha256:...`), or
 * `<none>@<image ID>` once its tag has moved to another image.
 */
export interface ImageRecord {
  readonly id: string;
  /** What the reference named: an index or a manifest. Its blob is in the content store. */
  readonly target: Descriptor;
  /** The manifest of the platform that was chosen. */
  readonly manifest: Descriptor;
  /** The digest of the config: the image ID. */
  readonly imageID: Digest;
  readonly platform: Platform;
  readonly layers: readonly { readonly diffID: DiffID; readonly blob: Descriptor }[];
  /** What its index names besides, when all of that is here: it is saved and pushed with it. Absent: nothing. */
  readonly more?: readonly Digest[];
  /** When the name came to point here; milliseconds since 1970. */
  readonly taggedAt: number;
  /** The registry of the name has the target in the name's repository: it was pulled or pushed. Absent also in older records. */
  readonly hasRepoDigest?: true;
}

/** Keeps content and layers from garbage collection while somebody works with them. */
export interface LeaseRecord {
  readonly id: string;
  /** Who took it, in words: `pull busybox`. */
  readonly owner: string;
  readonly content: readonly Digest[];
  readonly layers: readonly DiffID[];
  readonly createdAt: number;
  /** True for leases that end with the page: dropped at the next start. */
  readonly ephemeral: boolean;
}

/** A piece of a container's log: `id` is `<container>/<12 decimal digits>`; entries are encoded by container/log.ts. */
export interface LogRecord {
  readonly id: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Small facts about the sandbox itself, such as the format version of its stores. */
export interface MetaRecord {
  readonly id: string;
  readonly value: string | number;
}

export interface Records {
  readonly layers: LayerRecord;
  readonly images: ImageRecord;
  readonly leases: LeaseRecord;
  readonly containers: ContainerRecord;
  readonly logs: LogRecord;
  readonly meta: MetaRecord;
  readonly volumes: VolumeRecord;
  readonly networks: NetworkRecord;
}
export type RecordKind = keyof Records;

export type Change = {
  [K in RecordKind]:
    | { readonly kind: K; readonly put: Records[K] }
    | { readonly kind: K; readonly delete: string };
}[RecordKind];

export interface RecordStore {
  get<K extends RecordKind>(kind: K, id: string): Promise<Records[K] | undefined>;
  /** All of a kind, or those whose ID starts with `prefix`; by ID, code units ascending. */
  list<K extends RecordKind>(kind: K, prefix?: string): Promise<readonly Records[K][]>;
  /** The IDs alone, as `list` orders them; reads no record. */
  ids(kind: RecordKind, prefix?: string): Promise<readonly string[]>;
  commit(changes: readonly Change[]): Promise<void>;
}

/** Configs and manifests of images that are made here, and how they get into the store. */

import type { Healthcheck, RuntimeConfig } from '../oci/config.ts';
import type { Descriptor, Platform } from '../oci/descriptor.ts';
import { type DiffID, type Digest, digestOf, splitDigest } from '../oci/digest.ts';
import {
  DOCKER_CONFIG,
  DOCKER_LAYER_GZIP,
  DOCKER_MANIFEST,
  OCI_CONFIG,
  OCI_LAYER_GZIP,
  OCI_MANIFEST,
} from '../oci/media-type.ts';
import type { ContentStore } from '../store/content.ts';
import type { Lease } from '../store/leases.ts';
import type { ImageRecord } from '../store/records.ts';

/** One step of a new image's history (image-spec, config.md, "history"). */
export interface NewStep {
  /** RFC 3339. */
  readonly created: string;
  readonly createdBy: string;
  readonly author?: string;
  readonly comment?: string;
  readonly isEmpty: boolean;
}

export interface NewConfig {
  /** The members of the config that it continues, as they stand there: what is not known of it is kept. */
  readonly base?: Readonly<Record<string, unknown>>;
  readonly platform: Platform;
  readonly runtime: RuntimeConfig;
  readonly author?: string;
  readonly diffIDs: readonly DiffID[];
  readonly step: NewStep;
}

/** Members of Docker's older configs that tell of the container which the image was made from. */
const OF_THE_PAST: ReadonlySet<string> = new Set([
  'container',
  'container_config',
  'docker_version',
  'id',
  'parent',
]);

/** The bytes of an image's config. */
export function configBytes(config: NewConfig): Uint8Array<ArrayBuffer> {
  const { base = {}, platform, runtime, author, diffIDs, step } = config;
  const kept = Object.fromEntries(Object.entries(base).filter(([name]) => !OF_THE_PAST.has(name)));
  const history: readonly unknown[] = Array.isArray(base.history) ? base.history : [];
  return jsonBytes({
    ...kept,
    architecture: platform.architecture,
    ...(platform.variant !== undefined && { variant: platform.variant }),
    os: platform.os,
    ...(author !== undefined && author !== '' && { author }),
    created: step.created,
    config: { ...membersOf(base.config), ...runtimeMembers(runtime) },
    rootfs: { type: 'layers', diff_ids: diffIDs },
    history: [...history, stepMembers(step)],
  });
}

function stepMembers({ created, createdBy, author = '', comment = '', isEmpty }: NewStep) {
  return {
    created,
    ...(author !== '' && { author }),
    created_by: createdBy,
    ...(comment !== '' && { comment }),
    ...(isEmpty && { empty_layer: true }),
  };
}

/** What is empty is left out, which for readers is the same. */
function runtimeMembers(runtime: RuntimeConfig): Readonly<Record<string, unknown>> {
  const { healthcheck } = runtime;
  const list = (values: readonly string[]) => (values.length === 0 ? undefined : values);
  const set = (names: readonly string[]) =>
    names.length === 0 ? undefined : Object.fromEntries(names.map((name) => [name, {}]));
  return {
    User: runtime.user || undefined,
    ExposedPorts: set(runtime.exposedPorts),
    Env: list(runtime.env),
    Entrypoint: list(runtime.entrypoint),
    Cmd: list(runtime.cmd),
    Healthcheck: healthcheck === undefined ? undefined : healthcheckMembers(healthcheck),
    Volumes: set(runtime.volumes),
    WorkingDir: runtime.workingDir || undefined,
    Labels: Object.keys(runtime.labels).length === 0 ? undefined : runtime.labels,
    StopSignal: runtime.stopSignal || undefined,
    Shell: list(runtime.shell),
    OnBuild: list(runtime.onBuild),
  };
}

function healthcheckMembers({ test, interval, timeout, startPeriod, startInterval, retries }: Healthcheck) {
  return {
    Test: test,
    Interval: interval || undefined,
    Timeout: timeout || undefined,
    StartPeriod: startPeriod || undefined,
    StartInterval: startInterval || undefined,
    Retries: retries || undefined,
  };
}

/** The media types of one family: an image goes on in that of the one it was made from. */
export function familyOf(manifest: Pick<Descriptor, 'mediaType'> | undefined) {
  return manifest?.mediaType === DOCKER_MANIFEST
    ? { manifest: DOCKER_MANIFEST, config: DOCKER_CONFIG, layer: DOCKER_LAYER_GZIP }
    : { manifest: OCI_MANIFEST, config: OCI_CONFIG, layer: OCI_LAYER_GZIP };
}

/** The bytes of a manifest. */
export function manifestBytes(
  mediaType: string,
  config: Descriptor,
  layers: ImageRecord['layers'],
): Uint8Array<ArrayBuffer> {
  const bare = ({ mediaType, digest, size, urls, annotations }: Descriptor) => ({
    mediaType,
    digest,
    size,
    ...(urls !== undefined && { urls }),
    ...(annotations !== undefined && { annotations }),
  });
  return jsonBytes({
    schemaVersion: 2,
    mediaType,
    config: bare(config),
    layers: layers.map(({ blob }) => bare(blob)),
  });
}

/** Stores a document under the lease; its descriptor. */
export async function storeDocument(
  content: ContentStore,
  lease: Lease,
  mediaType: string,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Descriptor> {
  const digest: Digest = await digestOf(bytes);
  await lease.extend({ content: [digest] });
  if ((await content.stat(digest)) === undefined) {
    const writer = await content.ingest(`${lease.id}-${splitDigest(digest).hex}`);
    try {
      await writer.write(bytes);
      await writer.commit(digest);
    } catch (error) {
      await writer.abort();
      throw error;
    }
  }
  return { mediaType, digest, size: bytes.length };
}

/** The members of what should be an object; none of what is not. */
export function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value))
    : {};
}

function jsonBytes(value: unknown): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(value));
}

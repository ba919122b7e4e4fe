/** `docker commit`, and what it shares with `docker import`: a layer and a config that become an image. */

import { CancelledError, NoSuchImageError } from '../errors.ts';
import { parseConfig, type RuntimeConfig } from '../oci/config.ts';
import type { Platform } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { formatReference, type Reference } from '../oci/reference.ts';
import type { Lease } from '../store/leases.ts';
import type { ImageRecord } from '../store/records.ts';
import { uncompressed } from './archive-files.ts';
import { applyChanges, EMPTY_RUNTIME } from './changes.ts';
import type { ImageNames } from './image-names.ts';
import type { ImageParts } from './image-parts.ts';
import { configBytes, familyOf, manifestBytes, membersOf, storeDocument } from './new-documents.ts';
import { type NewLayer, storeLayer } from './new-layer.ts';

export interface NewImage {
  /** The layer that is new, as a tar. */
  readonly tar: AsyncIterable<Uint8Array<ArrayBuffer>>;
  /** The name that it gets; without one it is `<none>`. */
  readonly reference?: Reference;
  readonly author?: string;
  readonly message?: string;
  /** Dockerfile instructions (changes.ts). */
  readonly changes: readonly string[];
  readonly signal: AbortSignal;
}

export interface CommitOptions extends NewImage {
  /** The image that the layer lies over. */
  readonly imageID: Digest;
  /** What the container runs: the image will, too. */
  readonly runtime: (image: RuntimeConfig) => RuntimeConfig;
  /** What history says made the layer. */
  readonly createdBy: string;
}

/**
 * An image of the layers of another one with one more on top; of a tar without entries none. Its record is there, and
 * it can be run. Errors: NoSuchImage, LayerboxError for changes that cannot be, those of `storeLayer`, Cancelled.
 */
export async function commitImage(
  parts: ImageParts,
  names: ImageNames,
  options: CommitOptions,
): Promise<ImageRecord> {
  return underLease(parts, 'commit', async (lease) => {
    const [base] = await names.of(options.imageID);
    if (base === undefined) {
      throw new NoSuchImageError(
        `No such image: ${options.imageID}: the container's image was removed; pull it again to commit what was changed on it`,
        { image: options.imageID },
      );
    }
    await lease.extend({
      content: [base.imageID, ...base.layers.map(({ blob }) => blob.digest)],
      layers: base.layers.map(({ diffID }) => diffID),
    });
    const bytes = await parts.content.read(base.imageID);
    const config = parseConfig(bytes, `config of ${base.id}`);
    const runtime = applyChanges(options.runtime(config.config), options.changes);
    const layer = await storeLayer(parts, stoppable(options), lease);
    return nameImage(parts, names, lease, {
      ...options,
      layer,
      base,
      members: membersOf(JSON.parse(new TextDecoder().decode(bytes))),
      runtime,
      platform: config.platform,
      createdBy: options.createdBy,
    });
  });
}

export interface ImportOptions extends NewImage {
  readonly platform: Platform;
}

/** An image of one layer, of a tar that may be compressed with gzip or zstd. Errors as `commitImage`. */
export async function importImage(
  parts: ImageParts,
  names: ImageNames,
  options: ImportOptions,
): Promise<ImageRecord> {
  return underLease(parts, 'import', async (lease) => {
    const runtime = applyChanges(EMPTY_RUNTIME, options.changes);
    const layer = await storeLayer(parts, uncompressed(parts, stoppable(options)), lease);
    return nameImage(parts, names, lease, {
      ...options,
      layer: { ...layer, isEmpty: false },
      runtime,
      createdBy: '',
    });
  });
}

interface Named extends NewImage {
  readonly layer: NewLayer;
  readonly base?: ImageRecord;
  readonly members?: Readonly<Record<string, unknown>>;
  readonly runtime: RuntimeConfig;
  readonly platform: Platform;
  readonly createdBy: string;
}

async function nameImage(
  parts: ImageParts,
  names: ImageNames,
  lease: Lease,
  image: Named,
): Promise<ImageRecord> {
  const { layer, base, members, runtime, platform, createdBy, author, message, reference } = image;
  const family = familyOf(base?.manifest);
  const blob = { mediaType: family.layer, digest: layer.digest, size: layer.size };
  const own = layer.isEmpty ? [] : [{ diffID: layer.diffID, blob }];
  const layers = [...(base?.layers ?? []), ...own];
  const created = new Date(parts.now()).toISOString();
  const config = await storeDocument(
    parts.content,
    lease,
    family.config,
    configBytes({
      ...(members !== undefined && { base: members }),
      platform,
      runtime,
      ...(author !== undefined && { author }),
      diffIDs: layers.map(({ diffID }) => diffID),
      step: {
        created,
        createdBy,
        ...(author !== undefined && { author }),
        ...(message !== undefined && { comment: message }),
        isEmpty: layer.isEmpty,
      },
    }),
  );
  const bytes = manifestBytes(family.manifest, config, layers);
  const manifest = await storeDocument(parts.content, lease, family.manifest, bytes);
  const record: ImageRecord = {
    id: reference === undefined ? `<none>@${config.digest}` : formatReference(reference),
    target: manifest,
    manifest,
    imageID: config.digest,
    platform: base?.platform ?? platform,
    layers,
    taggedAt: parts.now(),
  };
  const unpacked = layer.isEmpty ? [] : [{ kind: 'layers' as const, put: layer.record }];
  await names.give(record, [...unpacked, lease.releaseChange()]);
  return record;
}

async function underLease(
  parts: ImageParts,
  owner: string,
  work: (lease: Lease) => Promise<ImageRecord>,
): Promise<ImageRecord> {
  const lease = await parts.leases.take({ owner, ephemeral: true });
  try {
    return await work(lease);
  } catch (error) {
    await lease.release();
    await parts.collectGarbage();
    throw error;
  }
}

async function* stoppable({ tar, signal }: NewImage): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
  for await (const piece of tar) {
    if (signal.aborted) throw new CancelledError('the image was not made: it was cancelled');
    yield piece;
  }
}

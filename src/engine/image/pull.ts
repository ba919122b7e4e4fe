/**
 * A pull: name -> index -> platform -> manifest -> config -> layers -> name.
 * A lease keeps what has arrived; the image record and the end of the lease
 * are one transaction, so that an image is there whole or not at all. Layers
 * that were finished before a failure stay until the next collection: a second
 * try does not fetch them again.
 */

import { CancelledError, LayerboxError, NoMatchingPlatformError, StorageFailedError } from '../errors.ts';
import { type ImageConfig, pairLayers, parseConfig } from '../oci/config.ts';
import type { Descriptor, Platform } from '../oci/descriptor.ts';
import { splitDigest } from '../oci/digest.ts';
import { parseIndex } from '../oci/index.ts';
import { parseManifest, requireImage } from '../oci/manifest.ts';
import { layerCompression } from '../oci/media-type.ts';
import {
  chooseManifest,
  formatPlatform,
  MACHINE_PLATFORM,
  normalizePlatform,
  satisfies,
} from '../oci/platform.ts';
import { familiarReference, formatReference, type Reference } from '../oci/reference.ts';
import { type FetchedDocument, openDocument, verifyDescriptor } from '../registry/fetched-document.ts';
import type { ImageSource } from '../registry/source.ts';
import type { Lease } from '../store/leases.ts';
import type { ImageRecord } from '../store/records.ts';
import { bringLayers } from './bring-layers.ts';
import type { ImageNames } from './image-names.ts';
import type { ImageParts } from './image-parts.ts';
import type { PulledImage, PullOptions } from './images.ts';
import type { LayerFetches } from './layer-fetches.ts';
import { PullReport } from './pull-report.ts';

/** An index may point to an index; how deep it may go. */
const INDEX_DEPTH = 4;

type Layers = ImageRecord['layers'];

interface Pull {
  readonly parts: ImageParts;
  readonly name: string;
  readonly source: ImageSource;
  readonly lease: Lease;
  readonly signal: AbortSignal;
  /** Documents on their way into the store while the next ones are fetched. */
  readonly keeping: Promise<void>[];
}

/** See `Images.pull`. */
export async function pullImage(
  parts: ImageParts,
  names: ImageNames,
  fetches: LayerFetches,
  reference: Reference,
  options: PullOptions,
): Promise<PulledImage> {
  const report = new PullReport(parts.events, reference, options.onProgress);
  const name = familiarReference(reference);
  const { signal, platform: wanted } = options;
  parts.ingestor.prepare?.();
  const lease = await parts.leases.take({ owner: `pull ${name}`, ephemeral: true });
  const keeping: Promise<void>[] = [];
  try {
    const { source, document } = await parts.registries.resolve(reference, {
      signal,
      ...(wanted !== undefined && { wanted }),
    });
    const pull: Pull = { parts, name, source, lease, signal, keeping };
    keepMeanwhile(pull, document.descriptor, document.bytes);
    const chosen = await chooseImage(pull, document, wanted);
    const image = await readImage(pull, chosen);
    checkPlatform(name, image.platform, wanted);
    await lease.extend({
      layers: image.layers.map(({ diffID }) => diffID),
      content: image.layers.map(({ blob }) => blob.digest),
    });
    report.resolved(source.name, document.descriptor.digest, image.platform, image.layers);
    const record = (): ImageRecord => ({
      id: formatReference(reference),
      target: document.descriptor,
      manifest: chosen.document.descriptor,
      imageID: image.imageID,
      platform: image.platform,
      layers: image.layers,
      taggedAt: parts.now(),
      hasRepoDigest: true,
    });
    const onReadable = async () => {
      await Promise.all(keeping);
      report.runnable();
      options.onRunnable?.(record());
    };
    await bringLayers(pull, fetches, image.layers, report, options.onRunnable && onReadable);
    await Promise.all(keeping);
    throwIfCancelled(signal, name);
    const whole = record();
    const previous = await names.give(whole, [lease.releaseChange()]);
    report.complete(whole);
    return {
      record: whole,
      digest: whole.target.digest,
      changed: previous?.imageID !== whole.imageID || previous.target.digest !== whole.target.digest,
    };
  } catch (error) {
    await Promise.allSettled(keeping);
    await lease.release();
    if (error instanceof LayerboxError && error.code === 'StorageFull') {
      parts.events.emit({ type: 'storage', action: 'full' });
      await parts.collectGarbage();
    }
    const failure = signal.aborted ? cancelled(name, error) : error;
    report.failed(failure);
    throw failure;
  }
}

interface Chosen {
  readonly document: FetchedDocument;
  /** What the index said of it; undefined when the name stood for the manifest itself. */
  readonly platform: Platform | undefined;
}

/** From the document that the name stands for down to one manifest. */
async function chooseImage(
  pull: Pull,
  document: FetchedDocument,
  wanted: Platform | undefined,
): Promise<Chosen> {
  let current = document;
  let platform: Platform | undefined;
  for (let depth = 0; current.kind === 'index'; depth++) {
    const index = parseIndex(current.bytes, `index of ${pull.name}`);
    if (depth === INDEX_DEPTH) {
      throw new NoMatchingPlatformError(`${pull.name} has indexes more than ${INDEX_DEPTH} deep`, {
        image: pull.name,
      });
    }
    const entry = chooseManifest(index.manifests, wanted);
    platform = entry.platform ?? platform;
    current = await readDocument(pull, entry);
  }
  return { document: current, platform };
}

/** A manifest by descriptor, from the store when it is there. */
async function readDocument(pull: Pull, descriptor: Descriptor): Promise<FetchedDocument> {
  const what = `manifest ${descriptor.digest} of ${pull.name}`;
  const stored = await kept(pull, descriptor);
  if (stored === undefined) {
    const document = await pull.source.document(descriptor, { signal: pull.signal });
    keepMeanwhile(pull, descriptor, document.bytes);
    return document;
  }
  await verifyDescriptor(stored, descriptor, what);
  return openDocument(stored, { what, descriptor });
}

async function readImage(
  pull: Pull,
  chosen: Chosen,
): Promise<{
  readonly imageID: Descriptor['digest'];
  readonly config: ImageConfig;
  readonly platform: Platform;
  readonly layers: Layers;
}> {
  const manifest = parseManifest(chosen.document.bytes, `manifest of ${pull.name}`);
  requireImage(manifest, pull.name);
  for (const layer of manifest.layers) layerCompression(layer.mediaType);
  const what = `config of ${pull.name}`;
  let bytes = await kept(pull, manifest.config);
  if (bytes === undefined) {
    bytes = await pull.source.blob(manifest.config, what, { signal: pull.signal });
    keepMeanwhile(pull, manifest.config, bytes);
  }
  await verifyDescriptor(bytes, manifest.config, what);
  const config = parseConfig(bytes, what);
  return {
    imageID: manifest.config.digest,
    config,
    platform: normalizePlatform(chosen.platform ?? config.platform),
    layers: pairLayers(manifest, config, pull.name),
  };
}

/** An index is asked for a platform; a manifest has one, which must be the right one. */
function checkPlatform(name: string, platform: Platform, wanted: Platform | undefined): void {
  if (wanted !== undefined && !satisfies(platform, wanted)) {
    throw new NoMatchingPlatformError(
      `image with reference ${name} was found but its platform (${formatPlatform(platform)}) does not match the specified platform (${formatPlatform(wanted)})`,
      { wanted: formatPlatform(wanted), offered: [formatPlatform(platform)] },
    );
  }
  if (wanted === undefined && platform.os !== MACHINE_PLATFORM.os) {
    throw new NoMatchingPlatformError(
      `image operating system ${JSON.stringify(platform.os)} of ${name} cannot be used on this platform: only linux images can be run or walked`,
      { wanted: formatPlatform(MACHINE_PLATFORM), offered: [formatPlatform(platform)] },
    );
  }
}

/** A blob that is in the store, now kept by the lease; undefined when it is not. */
async function kept(pull: Pull, descriptor: Descriptor): Promise<Uint8Array<ArrayBuffer> | undefined> {
  throwIfCancelled(pull.signal, pull.name);
  await pull.lease.extend({ content: [descriptor.digest] });
  const { content } = pull.parts;
  const there = await content.stat(descriptor.digest);
  // of another size than announced: not what is meant, and perhaps too large to read
  return there?.size === descriptor.size ? content.read(descriptor.digest) : undefined;
}

/** `keep`, waited for before the image gets its name. */
function keepMeanwhile(pull: Pull, descriptor: Descriptor, bytes: Uint8Array<ArrayBuffer>): void {
  const keeping = keep(pull, descriptor, bytes);
  // whoever waits for all of them gets the failure; until then it is not unhandled
  keeping.catch(() => undefined);
  pull.keeping.push(keeping);
}

/** Puts a small, verified blob into the store under the lease. */
async function keep(pull: Pull, descriptor: Descriptor, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  throwIfCancelled(pull.signal, pull.name);
  const { content } = pull.parts;
  const { digest } = descriptor;
  await pull.lease.extend({ content: [digest] });
  if ((await content.stat(digest)) !== undefined) return;
  const writer = await content.ingest(`${pull.lease.id}-${splitDigest(digest).hex}`);
  try {
    await writer.write(bytes);
    await writer.commit(digest);
  } catch (error) {
    await writer.abort();
    if (error instanceof LayerboxError) throw error;
    throw new StorageFailedError(`cannot store ${digest} of ${pull.name}`, { digest }, { cause: error });
  }
}

function throwIfCancelled(signal: AbortSignal, name: string): void {
  if (signal.aborted) throw cancelled(name, signal.reason);
}

function cancelled(name: string, cause: unknown): Error {
  return new CancelledError(`the pull of ${name} was cancelled`, { image: name }, { cause });
}

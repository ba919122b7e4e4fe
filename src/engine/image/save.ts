/**
 * `docker save`: images as one tar that is an OCI image layout and has the manifest.json of older versions of Docker, as
 * Docker 25 and later write it. Blobs go as they are in the store; the same images give the same bytes.
 */

import { endOfArchive, paddingAfter, tarHeaderOf } from '../archive/tar-writer.ts';
import { CancelledError } from '../errors.ts';
import type { Descriptor, Platform } from '../oci/descriptor.ts';
import { type Digest, splitDigest } from '../oci/digest.ts';
import { parseManifest } from '../oci/manifest.ts';
import { documentKind, OCI_INDEX } from '../oci/media-type.ts';
import {
  familiarReference,
  formatReference,
  fullName,
  parseReference,
  type Reference,
} from '../oci/reference.ts';
import type { ImageRecord } from '../store/records.ts';
import { type ImageNames, isDangling } from './image-names.ts';
import type { ImageParts } from './image-parts.ts';
import { contentOf, type ImageContent } from './push-plan.ts';
import { readBlob } from './unpack-layer.ts';

export interface SaveOptions {
  readonly platform?: Platform;
  readonly signal: AbortSignal;
}

interface SavedImage {
  readonly record: ImageRecord;
  readonly content: ImageContent;
  readonly tags: Reference[];
}

/**
 * The archive of the images that the words name: a name with its tag, a repository with all of its tags, an ID without
 * any. The images are kept until its end. Errors: NoSuchImage, NoMatchingPlatform, ContentMissing, Cancelled; before the first piece.
 */
export async function* saveArchive(
  parts: ImageParts,
  names: ImageNames,
  words: readonly string[],
  options: SaveOptions,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
  const lease = await parts.leases.take({ owner: `save ${words.join(' ')}`, ephemeral: true });
  try {
    const images = await savedImages(parts, names, words, options.platform);
    const blobs = blobsOf(images);
    await lease.extend({ content: [...blobs.keys()] });
    for await (const piece of archiveOf(parts, images, blobs)) {
      if (options.signal.aborted)
        throw new CancelledError('the archive was not written to its end: it was cancelled');
      yield piece;
    }
    for (const { record } of images) {
      const { id, imageID } = record;
      parts.events.emit({ type: 'image', action: 'save', reference: id, imageID });
    }
  } finally {
    await lease.release();
  }
}

async function savedImages(
  parts: ImageParts,
  names: ImageNames,
  words: readonly string[],
  platform: Platform | undefined,
): Promise<readonly SavedImage[]> {
  const images = new Map<string, SavedImage>();
  const add = async (record: ImageRecord, tag: Reference | undefined) => {
    const key = `${record.imageID} ${record.target.digest}`;
    const known = images.get(key);
    const image = known ?? { record, content: await contentOf(parts.content, record, platform), tags: [] };
    images.set(key, image);
    const isNew =
      tag !== undefined && !image.tags.some((other) => formatReference(other) === formatReference(tag));
    if (isNew) image.tags.push(tag);
  };
  for (const word of words) {
    const all = await repositoryTags(parts, word);
    for (const [record, tag] of all) await add(record, tag);
    if (all.length > 0) continue;
    const record = await names.resolve(word);
    await add(record, tagOf(record, word));
  }
  return [...images.values()];
}

/** All tagged images of a repository that is named without a tag; none for any other word. */
async function repositoryTags(
  parts: ImageParts,
  word: string,
): Promise<readonly (readonly [ImageRecord, Reference])[]> {
  if (/[:@][^/]*$/.test(word)) return [];
  let repository: string;
  try {
    repository = fullName(parseReference(word));
  } catch {
    return []; // an ID, or nothing: who looks it up says what is wrong with it
  }
  const records = await parts.records.list('images', `${repository}:`);
  return records.map((record) => [record, parseReference(record.id)] as const);
}

/** The name that the word is; an ID is none, and a digest names no tag. */
function tagOf(record: ImageRecord, word: string): Reference | undefined {
  if (isDangling(record)) return undefined;
  const reference = parseReference(record.id);
  const isByID = record.imageID.startsWith(word) || record.imageID.slice('sha256:'.length).startsWith(word);
  return isByID || reference.digest !== undefined ? undefined : reference;
}

function blobsOf(images: readonly SavedImage[]): ReadonlyMap<Digest, Descriptor> {
  const blobs = new Map<Digest, Descriptor>();
  for (const { content } of images) {
    for (const { descriptor } of [content.top, ...content.below, ...content.blobs]) {
      blobs.set(descriptor.digest, descriptor);
    }
  }
  return new Map([...blobs].sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function* archiveOf(
  parts: ImageParts,
  images: readonly SavedImage[],
  blobs: ReadonlyMap<Digest, Descriptor>,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
  const folders = new Set([...blobs.keys()].map((digest) => splitDigest(digest).algorithm));
  yield folder('blobs');
  for (const algorithm of [...folders].sort()) yield folder(`blobs/${algorithm}`);
  for (const { digest, size } of blobs.values()) {
    yield fileHeader(blobPath(digest), size);
    yield* readBlob(parts.content, digest, size);
    yield new Uint8Array(paddingAfter(size));
  }
  yield* file('index.json', indexOf(images));
  yield* file('manifest.json', await listOf(images));
  yield* file('oci-layout', { imageLayoutVersion: '1.0.0' });
  yield endOfArchive.slice();
}

/** One entry for each name, as containerd reads them. */
function indexOf(images: readonly SavedImage[]) {
  const manifests = images.flatMap(({ content, tags, record }) => {
    const { mediaType, digest, size } = content.top.descriptor;
    const { os, architecture, variant } = content.top.descriptor.platform ?? record.platform;
    const platform = { architecture, os, ...(variant !== undefined && { variant }) };
    const bare = { mediaType, digest, size };
    const entry = documentKind(mediaType) === 'index' ? bare : { ...bare, platform };
    if (tags.length === 0) return [entry];
    return tags.map((tag) => ({
      ...entry,
      annotations: {
        'io.containerd.image.name': formatReference(tag),
        'org.opencontainers.image.ref.name': tag.tag ?? 'latest',
      },
    }));
  });
  return { schemaVersion: 2, mediaType: OCI_INDEX, manifests };
}

/** manifest.json: the image of each, whatever its index has besides. */
async function listOf(images: readonly SavedImage[]) {
  return images.map(({ record, content, tags }) => {
    const documents = [content.top, ...content.below];
    const own =
      documents.find(({ descriptor }) => descriptor.digest === record.manifest.digest) ??
      documents.find(({ descriptor }) => documentKind(descriptor.mediaType) === 'manifest') ??
      content.top;
    const { config, layers } = parseManifest(own.bytes, `manifest ${own.descriptor.digest}`);
    return {
      Config: blobPath(config.digest),
      RepoTags: tags.length === 0 ? null : tags.map(familiarReference),
      Layers: layers.map(({ digest }) => blobPath(digest)),
    };
  });
}

function blobPath(digest: Digest): string {
  const { algorithm, hex } = splitDigest(digest);
  return `blobs/${algorithm}/${hex}`;
}

const folder = (path: string) => tarHeaderOf({ path, type: 'dir', mode: 0o755, uid: 0, gid: 0, mtimeNs: 0n });
const fileHeader = (path: string, size: number) =>
  tarHeaderOf({ path, type: 'file', mode: 0o644, uid: 0, gid: 0, mtimeNs: 0n, size });

function* file(path: string, value: unknown): Generator<Uint8Array<ArrayBuffer>> {
  const bytes = new TextEncoder().encode(JSON.stringify(value));
  yield fileHeader(path, bytes.length);
  yield bytes;
  yield new Uint8Array(paddingAfter(bytes.length));
}

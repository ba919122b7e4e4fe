/**
 * `docker load`: the images of an archive, an OCI image layout or what `docker save` wrote (manifest.json), into the
 * sandbox. Every blob is verified by its digest, every layer by its diffID; an image gets its name when all of it is here.
 */

import {
  ContentMissingError,
  DigestMismatchError,
  InvalidDocumentError,
  NoMatchingPlatformError,
  UnsupportedMediaTypeError,
} from '../errors.ts';
import { printableName } from '../names.ts';
import { pairLayers, parseConfig } from '../oci/config.ts';
import type { Descriptor, Platform } from '../oci/descriptor.ts';
import { type DiffID, type Digest, splitDigest } from '../oci/digest.ts';
import { CONFIG_LIMIT, type Field, MANIFEST_LIMIT, parseDocument } from '../oci/document.ts';
import { parseIndex } from '../oci/index.ts';
import { parseManifest, requireImage } from '../oci/manifest.ts';
import { DOCKER_CONFIG, DOCKER_MANIFEST, documentKind } from '../oci/media-type.ts';
import { chooseManifest, formatPlatform, normalizePlatform, satisfies } from '../oci/platform.ts';
import { formatReference, parseReference, type Reference } from '../oci/reference.ts';
import { openDocument } from '../registry/fetched-document.ts';
import type { Lease } from '../store/leases.ts';
import type { ImageRecord, LayerRecord } from '../store/records.ts';
import { type ArchiveFiles, type StoredFile, storeArchive } from './archive-files.ts';
import type { ImageNames } from './image-names.ts';
import type { ImageParts } from './image-parts.ts';
import { manifestBytes, storeDocument } from './new-documents.ts';
import { shortID } from './pull-progress.ts';
import { contentOf } from './push-plan.ts';
import { layerTypeOf, unpackLayer } from './unpack-layer.ts';

export interface LoadProgress {
  readonly type: 'layer';
  /** The first 12 digits of the diffID. */
  readonly id: string;
  readonly status: 'Loading layer';
  readonly current: number;
  readonly total: number;
}

export interface LoadOptions {
  /** Only images of it. */
  readonly platform?: Platform;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: LoadProgress) => void;
}

export interface LoadedImage {
  readonly record: ImageRecord;
  /** Undefined: the archive names it not, or by what is no reference. */
  readonly reference?: Reference;
  /** The image that had the name before. */
  readonly previous?: Digest;
}

/** Images of one archive. */
const IMAGES = 1000;

/** The loaded images, in the order of the archive. Errors: those of `storeArchive`, InvalidDocument, DigestMismatch, DiffIDMismatch, ContentMissing, NoMatchingPlatform, UnsupportedMediaType. */
export async function loadArchive(
  parts: ImageParts,
  names: ImageNames,
  archive: AsyncIterable<Uint8Array<ArrayBuffer>>,
  options: LoadOptions,
): Promise<readonly LoadedImage[]> {
  const lease = await parts.leases.take({ owner: 'load', ephemeral: true });
  try {
    const files = await storeArchive(parts, archive, lease, options.signal);
    const load = new Load(parts, names, lease, files, options);
    return await load.run();
  } finally {
    await lease.release();
    // what no image came to need goes at once: archives are large
    await parts.collectGarbage();
  }
}

class Load {
  readonly #parts: ImageParts;
  readonly #names: ImageNames;
  readonly #lease: Lease;
  readonly #files: ArchiveFiles;
  readonly #options: LoadOptions;

  constructor(parts: ImageParts, names: ImageNames, lease: Lease, files: ArchiveFiles, options: LoadOptions) {
    this.#parts = parts;
    this.#names = names;
    this.#lease = lease;
    this.#files = files;
    this.#options = options;
  }

  async run(): Promise<readonly LoadedImage[]> {
    const index = this.#files.find('index.json');
    if (index !== undefined && this.#files.find('oci-layout') !== undefined) return this.#layout(index);
    const list = this.#files.find('manifest.json');
    if (list !== undefined)
      return this.#files.find('version') === undefined ? this.#list(list) : this.#directory(list);
    throw new InvalidDocumentError(
      this.#files.count === 0
        ? 'unrecognized image format: the archive is empty'
        : 'unrecognized image format: the archive has neither the index.json of an OCI image layout nor the manifest.json of docker save; the tar of a filesystem is for docker import',
      { what: 'archive' },
    );
  }

  async #layout(file: StoredFile): Promise<readonly LoadedImage[]> {
    const bytes = await this.#small(file, 'index.json', MANIFEST_LIMIT);
    const { manifests } = parseIndex(bytes, 'index.json');
    this.#checkCount(manifests.length);
    const loaded: LoadedImage[] = [];
    for (const entry of manifests) {
      const image = await this.#fromDescriptor(entry);
      if (image !== undefined) loaded.push(image);
    }
    if (loaded.length === 0) throw this.#nothingFor();
    return loaded;
  }

  /** Undefined for an image of another platform than the one that was asked for. */
  async #fromDescriptor(entry: Descriptor): Promise<LoadedImage | undefined> {
    const reference = nameOf(entry);
    const { annotations: _, ...target } = entry;
    const chosen = await this.#choose(target, 0);
    if (chosen === undefined) return undefined;
    const image = await this.#image(chosen.descriptor, chosen.platform);
    const { platform: wanted } = this.#options;
    if (wanted !== undefined && !satisfies(image.platform, wanted)) return undefined;
    const { platform: _platform, ...top } = target;
    return this.#name({ ...image, target: top }, reference);
  }

  async #choose(
    descriptor: Descriptor,
    depth: number,
  ): Promise<{ readonly descriptor: Descriptor; readonly platform: Platform | undefined } | undefined> {
    if (documentKind(descriptor.mediaType) !== 'index') {
      return { descriptor, platform: descriptor.platform };
    }
    const what = `index ${descriptor.digest}`;
    const { manifests } = parseIndex(await this.#blob(descriptor, what, MANIFEST_LIMIT), what);
    if (depth === 4) throw new NoMatchingPlatformError(`${what} has indexes more than 4 deep`);
    // an archive may leave platforms out
    const here: Descriptor[] = [];
    for (const entry of manifests) if ((await this.#has(entry)) !== undefined) here.push(entry);
    const { platform } = this.#options;
    try {
      return await this.#choose(chooseManifest(here, platform), depth + 1);
    } catch (error) {
      if (error instanceof NoMatchingPlatformError && platform !== undefined) return undefined;
      throw error;
    }
  }

  /**
   * What skopeo writes as `dir:` and podman as `docker-dir`, in a tar: the files of one image beside each other, without its
   * name, and one that tells the version of that format.
   */
  async #directory(file: StoredFile): Promise<readonly LoadedImage[]> {
    const what = 'manifest.json';
    const bytes = await this.#small(file, what, MANIFEST_LIMIT);
    const { descriptor } = await openDocument(bytes, { what, digest: file.digest });
    const image = await this.#fromDescriptor(descriptor);
    if (image === undefined) throw this.#nothingFor();
    return [image];
  }

  async #list(file: StoredFile): Promise<readonly LoadedImage[]> {
    const bytes = await this.#small(file, 'manifest.json', MANIFEST_LIMIT);
    // parseDocument reads objects: the list is one member of one
    const text = `{"images":${new TextDecoder().decode(bytes)}}`;
    const root = parseDocument(new TextEncoder().encode(text), 'manifest.json', MANIFEST_LIMIT + 16);
    const items = root.required('images').list();
    this.#checkCount(items.length);
    const loaded: LoadedImage[] = [];
    for (const item of items) loaded.push(...(await this.#fromItem(item)));
    if (loaded.length === 0) throw this.#nothingFor();
    return loaded;
  }

  async #fromItem(item: Field): Promise<readonly LoadedImage[]> {
    const configFile = this.#required(item.required('Config').string());
    const { content } = this.#parts;
    const configBytes = await this.#small(configFile, 'the config', CONFIG_LIMIT);
    const { platform } = parseConfig(configBytes, `config ${configFile.digest}`);
    const wanted = this.#options.platform;
    if (wanted !== undefined && !satisfies(platform, wanted)) return [];
    const blobs: Descriptor[] = [];
    for (const path of item.optional('Layers')?.strings() ?? []) {
      const { digest, size } = this.#required(path);
      blobs.push({ mediaType: await layerTypeOf(content, digest), digest, size });
    }
    const config = { mediaType: DOCKER_CONFIG, digest: configFile.digest, size: configFile.size };
    const layers = blobs.map((blob) => ({ diffID: blob.digest, blob }));
    const manifest = await storeDocument(
      content,
      this.#lease,
      DOCKER_MANIFEST,
      manifestBytes(DOCKER_MANIFEST, config, layers),
    );
    const image = await this.#image(manifest, undefined);
    const tags = item.optional('RepoTags')?.strings() ?? [];
    if (tags.length === 0) return [await this.#name({ ...image, target: manifest }, undefined)];
    const named: LoadedImage[] = [];
    for (const tag of tags) {
      named.push(await this.#name({ ...image, target: manifest }, parseReference(tag)));
    }
    return named;
  }

  /** All of an image but its name; its layers are unpacked. */
  async #image(
    manifest: Descriptor,
    told: Platform | undefined,
  ): Promise<
    Omit<ImageRecord, 'id' | 'target' | 'taggedAt'> & { readonly unpacked: readonly LayerRecord[] }
  > {
    const what = `manifest ${manifest.digest}`;
    const document = parseManifest(await this.#blob(manifest, what, MANIFEST_LIMIT), what);
    requireImage(document, what);
    const configBytes = await this.#blob(document.config, `config of ${what}`, CONFIG_LIMIT);
    const config = parseConfig(configBytes, `config of ${what}`);
    const layers = pairLayers(document, config, what);
    for (const { blob } of layers) await this.#requireBlob(blob, `layer ${blob.digest}`);
    const { platform: _platform, annotations: _annotations, ...bare } = manifest;
    return {
      manifest: bare,
      imageID: document.config.digest,
      platform: normalizePlatform(told ?? config.platform),
      layers,
      unpacked: await this.#unpack(layers),
    };
  }

  async #unpack(layers: ImageRecord['layers']): Promise<readonly LayerRecord[]> {
    const records: LayerRecord[] = [];
    const done = new Set<DiffID>();
    for (const { diffID, blob } of layers) {
      await this.#lease.extend({ layers: [diffID] });
      if (done.has(diffID) || (await this.#parts.records.ids('layers', diffID)).includes(diffID)) continue;
      done.add(diffID);
      const { digest, size } = blob;
      const what = `layer ${digest}`;
      this.#options.signal.throwIfAborted();
      records.push(
        await unpackLayer(this.#parts, { digest, size, diffID, what }, this.#lease, (current) =>
          this.#options.onProgress?.({
            type: 'layer',
            id: shortID(diffID),
            status: 'Loading layer',
            current,
            total: size,
          }),
        ),
      );
    }
    return records;
  }

  async #name(
    image: Omit<ImageRecord, 'id' | 'taggedAt'> & { readonly unpacked: readonly LayerRecord[] },
    reference: Reference | undefined,
  ): Promise<LoadedImage> {
    const { unpacked, ...rest } = image;
    const id = reference === undefined ? `<none>@${image.imageID}` : formatReference(reference);
    const bare: ImageRecord = { ...rest, id, taggedAt: this.#parts.now() };
    const others = await this.#others(bare);
    const record = others.length === 0 ? bare : { ...bare, more: others };
    // an image without a name of its own is there once it has any
    const isNamed = reference !== undefined || (await this.#names.of(record.imageID)).length === 0;
    const changes = unpacked.map((layer) => ({ kind: 'layers' as const, put: layer }));
    const before = isNamed ? await this.#names.give(record, changes) : undefined;
    const previous = before?.imageID === record.imageID ? undefined : before?.imageID;
    this.#parts.events.emit({ type: 'image', action: 'load', reference: id, imageID: record.imageID });
    return {
      record,
      ...(reference !== undefined && { reference }),
      ...(previous !== undefined && { previous }),
    };
  }

  /** What the index names besides the image, when all of it is here. */
  async #others(record: ImageRecord): Promise<readonly Digest[]> {
    if (record.target.digest === record.manifest.digest) return [];
    const { below, blobs, insteadOf } = await contentOf(this.#parts.content, record);
    if (insteadOf !== undefined) return [];
    const own = new Set<Digest>([
      record.manifest.digest,
      record.imageID,
      ...record.layers.map(({ blob }) => blob.digest),
    ]);
    return [...below, ...blobs]
      .map(({ descriptor }) => descriptor.digest)
      .filter((digest) => !own.has(digest));
  }

  #required(path: string): StoredFile {
    const file = this.#files.find(path);
    if (file !== undefined) return file;
    throw new InvalidDocumentError(
      `manifest.json names ${JSON.stringify(printableName(path.slice(0, 300)))}, which the archive does not have`,
      { what: 'manifest.json', path },
    );
  }

  async #has({ digest }: Descriptor): Promise<{ readonly size: number } | undefined> {
    await this.#lease.extend({ content: [digest] });
    return this.#parts.content.stat(digest);
  }

  async #requireBlob(descriptor: Descriptor, what: string): Promise<void> {
    const { digest, size } = descriptor;
    const there = await this.#has(descriptor);
    if (there !== undefined && there.size === size) return;
    const { algorithm, hex } = splitDigest(digest);
    const file = this.#files.find(`blobs/${algorithm}/${hex}`);
    if (file !== undefined && algorithm === 'sha256') {
      throw new DigestMismatchError(
        file.digest === digest
          ? `${what} has ${file.size} bytes in the archive, not the ${size} announced`
          : `${what} is not what its name in the archive says: its digest is ${file.digest}`,
        { what, expected: digest, actual: file.digest },
      );
    }
    if (file !== undefined) {
      throw new UnsupportedMediaTypeError(
        `${what}: the archive names blobs by ${algorithm}, and only sha256 is read from archives`,
        { what },
      );
    }
    throw new ContentMissingError(`the archive does not have ${what}, which it names`, { digest });
  }

  async #blob(descriptor: Descriptor, what: string, limit: number): Promise<Uint8Array<ArrayBuffer>> {
    await this.#requireBlob(descriptor, what);
    return this.#small(descriptor, what, limit);
  }

  #small({ digest, size }: StoredFile, what: string, limit: number): Promise<Uint8Array<ArrayBuffer>> {
    if (size <= limit) return this.#parts.content.read(digest);
    throw new InvalidDocumentError(`${what} has ${size} bytes: at most ${limit} are allowed`, { what, size });
  }

  #checkCount(count: number): void {
    if (count <= IMAGES) return;
    throw new InvalidDocumentError(`the archive has ${count} images: at most ${IMAGES} are loaded at once`);
  }

  #nothingFor(): Error {
    const { platform } = this.#options;
    if (platform === undefined) return new InvalidDocumentError('the archive has no image in it');
    return new NoMatchingPlatformError(
      `requested platform ${formatPlatform(platform)} not found: the archive has no image for it`,
      { wanted: formatPlatform(platform) },
    );
  }
}

/** As containerd names what it imports: its own annotation, else that of the layout when it is a reference. */
function nameOf({ annotations = {} }: Descriptor): Reference | undefined {
  const text =
    annotations['io.containerd.image.name'] ?? annotations['org.opencontainers.image.ref.name'] ?? '';
  if (text === '') return undefined;
  try {
    return parseReference(text);
  } catch {
    return undefined; // then it is loaded without a name
  }
}

/** What has to be copied of an image: from its name, by way of its platforms, to documents and blobs. */

import { InvalidDocumentError, type LayerboxError, NoMatchingPlatformError } from '../engine/errors.ts';
import { parseConfig } from '../engine/oci/config.ts';
import type { Descriptor, Platform } from '../engine/oci/descriptor.ts';
import type { Digest } from '../engine/oci/digest.ts';
import { parseIndex } from '../engine/oci/index.ts';
import { type Manifest, parseManifest, requireImage } from '../engine/oci/manifest.ts';
import { documentKind } from '../engine/oci/media-type.ts';
import {
  chooseManifest,
  formatPlatform,
  isRunnable,
  MACHINE_PLATFORM,
  normalizePlatform,
  satisfies,
} from '../engine/oci/platform.ts';
import { familiarReference, type Reference } from '../engine/oci/reference.ts';
import { type FetchedDocument, openDocument } from '../engine/registry/fetched-document.ts';
import type { ImageSource, LocalCopy } from '../engine/registry/source.ts';

/** An index may point to an index; how deep it may go, as a pull has it. */
const INDEX_DEPTH = 4;
/** Manifests and indexes of one image. The largest official images have about thirty. */
const DOCUMENT_LIMIT = 1000;

export type WantedPlatforms = readonly Platform[] | 'all';

export interface PlannedBlob {
  readonly descriptor: Descriptor;
  /** For messages: `layer sha256:... of debian:12`. */
  readonly what: string;
}

export interface ImagePlan {
  readonly reference: Reference;
  /** As Docker shows it. */
  readonly name: string;
  /** What the name stands for: an index, or the manifest of an image of one platform. */
  readonly target: Descriptor;
  /** Verbatim; each after those that it points to. */
  readonly documents: readonly FetchedDocument[];
  readonly blobs: readonly PlannedBlob[];
  /** `linux/386`; those of an index's entries without a platform are not told. */
  readonly platforms: readonly string[];
  /** Asked for and not offered, while another one is. */
  readonly missing: readonly string[];
  /** What whoever reads the folder should know, each a sentence. */
  readonly notes: readonly string[];
}

/** What the folder has already: it is not asked for again. */
export interface Here {
  /** What a reference stood for so far, as `LocalCopy` of a source has it. */
  local(reference: Reference): Promise<LocalCopy | undefined>;
  /** The bytes of a small blob, verified, or undefined. */
  read(descriptor: Pick<Descriptor, 'digest' | 'size'>): Promise<Uint8Array<ArrayBuffer> | undefined>;
}

export interface PlanOptions {
  readonly wanted: WantedPlatforms;
  readonly signal: AbortSignal;
  readonly here: Here;
}

/**
 * Asks the registry for the documents of an image. Errors: those of `ImageSource.resolve`, and NoMatchingPlatform
 * naming what the image offers when it has none of the platforms.
 */
export async function planImage(
  reference: Reference,
  source: ImageSource,
  options: PlanOptions,
): Promise<ImagePlan> {
  const planning = new Planning(familiarReference(reference), source, options);
  const target = await resolve(reference, source, options);
  if (target.kind === 'manifest') await planning.single(target, options.wanted);
  else if (options.wanted === 'all') await planning.everything(target, 0, undefined);
  else await planning.chosen(target, options.wanted);
  planning.keep(target);
  return { reference, name: planning.name, target: target.descriptor, ...planning.result(target) };
}

/** What the reference stands for; a digest that is here, and a tag that did not move, are not fetched. */
async function resolve(
  reference: Reference,
  source: ImageSource,
  { here, signal }: PlanOptions,
): Promise<FetchedDocument> {
  const { tag, digest } = reference;
  const local = await here.local(reference);
  if (digest === undefined) {
    return source.resolve(
      { ...(tag !== undefined && { tag }) },
      { signal, ...(local !== undefined && { local }) },
    );
  }
  const bytes = await local?.read(digest);
  if (bytes === undefined) return source.resolve({ digest }, { signal });
  return openDocument(bytes, { what: `manifest for ${familiarReference(reference)}`, digest });
}

class Planning {
  readonly name: string;
  readonly #source: ImageSource;
  readonly #signal: AbortSignal;
  readonly #here: Here;
  readonly #documents = new Map<Digest, FetchedDocument>();
  readonly #blobs = new Map<Digest, PlannedBlob>();
  readonly #platforms = new Map<string, Platform>();
  readonly #missing: string[] = [];
  readonly #notes: string[] = [];

  constructor(name: string, source: ImageSource, options: Pick<PlanOptions, 'signal' | 'here'>) {
    this.name = name;
    this.#source = source;
    this.#signal = options.signal;
    this.#here = options.here;
  }

  /** Puts it behind all that is kept already, though it may be kept itself: what it points to comes before it. */
  keep(document: FetchedDocument): void {
    const { digest } = document.descriptor;
    this.#documents.delete(digest);
    this.#documents.set(digest, document);
    if (this.#documents.size <= DOCUMENT_LIMIT) return;
    throw new InvalidDocumentError(
      `${this.name} has more than ${DOCUMENT_LIMIT} manifests: that is no image`,
      { what: this.name },
    );
  }

  result(
    target: FetchedDocument,
  ): Pick<ImagePlan, 'documents' | 'blobs' | 'platforms' | 'missing' | 'notes'> {
    const platforms = [...this.#platforms.values()];
    if (target.kind === 'index') this.#noteDefault(target);
    if (platforms.length > 0 && !platforms.some(isRunnable)) {
      this.#notes.push(
        `${this.name} is copied without linux/386, so the sandbox can open and walk it but not run its programs`,
      );
    }
    return {
      documents: [...this.#documents.values()],
      blobs: [...this.#blobs.values()],
      platforms: [...this.#platforms.keys()],
      missing: this.#missing,
      notes: this.#notes,
    };
  }

  /** An image of one platform: its config says which. */
  async single(target: FetchedDocument, wanted: WantedPlatforms): Promise<void> {
    const manifest = await this.#image(target);
    const platform = await this.#configPlatform(manifest);
    const offered = formatPlatform(platform);
    if (wanted !== 'all' && !wanted.some((one) => satisfies(platform, one))) {
      throw this.#noneOf(wanted.map(formatPlatform), [offered]);
    }
    this.#platforms.set(offered, platform);
    this.#take(target, manifest);
  }

  /** All that an index points to, attestations and artifacts too. */
  async everything(index: FetchedDocument, depth: number, above: Platform | undefined): Promise<void> {
    this.#checkDepth(depth);
    for (const entry of parseIndex(index.bytes, `index of ${this.name}`).manifests) {
      const kind = documentKind(entry.mediaType);
      if (kind === undefined || kind === 'schema1') {
        this.#notes.push(
          `${this.name}: its entry ${entry.digest} is left out: ${JSON.stringify(entry.mediaType)} is no type of manifest`,
        );
        continue;
      }
      if (this.#documents.has(entry.digest)) continue;
      const document = await this.#document(entry);
      const platform = entry.platform ?? above;
      if (document.kind === 'index') await this.everything(document, depth + 1, platform);
      else {
        this.#take(document, parseManifest(document.bytes, `manifest ${entry.digest} of ${this.name}`));
        if (platform !== undefined && platform.os !== 'unknown')
          this.#platforms.set(formatPlatform(normalizePlatform(platform)), platform);
      }
      this.keep(document);
    }
  }

  /** The manifests that a pull for each of these platforms comes to. */
  async chosen(index: FetchedDocument, wanted: readonly Platform[]): Promise<void> {
    const offered = new Set<string>();
    for (const platform of wanted) {
      try {
        await this.#descend(index, platform);
      } catch (error) {
        if (!(error instanceof NoMatchingPlatformError)) throw error;
        this.#missing.push(formatPlatform(platform));
        const { offered: names } = error.data;
        if (Array.isArray(names)) for (const name of names) offered.add(String(name));
      }
    }
    if (this.#missing.length === wanted.length) throw this.#noneOf(this.#missing, [...offered]);
  }

  async #descend(index: FetchedDocument, wanted: Platform): Promise<void> {
    const path = [];
    let current = index;
    let platform: Platform | undefined;
    for (let depth = 0; current.kind === 'index'; depth++) {
      this.#checkDepth(depth);
      path.push(current);
      const entry = chooseManifest(parseIndex(current.bytes, `index of ${this.name}`).manifests, wanted);
      platform = entry.platform ?? platform;
      current = await this.#document(entry);
    }
    const manifest = await this.#image(current);
    const found = platform ?? (await this.#configPlatform(manifest));
    const offered = formatPlatform(normalizePlatform(found));
    if (!satisfies(found, wanted)) throw this.#noneOf([formatPlatform(wanted)], [offered]);
    this.#platforms.set(offered, found);
    this.#take(current, manifest);
    for (const above of path.slice(1).reverse()) this.keep(above);
  }

  /** Says when a pull without --platform would look for what is not copied. */
  #noteDefault(target: FetchedDocument): void {
    let entry: Descriptor;
    try {
      entry = chooseManifest(parseIndex(target.bytes, `index of ${this.name}`).manifests);
    } catch (error) {
      if (error instanceof NoMatchingPlatformError) return;
      throw error;
    }
    const [first] = this.#platforms.keys();
    if (this.#documents.has(entry.digest) || first === undefined) return;
    const usual = entry.platform === undefined ? entry.digest : formatPlatform(entry.platform);
    this.#notes.push(
      `${this.name} is copied without ${usual}, which a pull looks for: pull it with --platform ${first}`,
    );
  }

  async #document(entry: Descriptor): Promise<FetchedDocument> {
    const known = this.#documents.get(entry.digest);
    if (known !== undefined) return known;
    const bytes = await this.#here.read(entry);
    if (bytes === undefined) return this.#source.document(entry, { signal: this.#signal });
    return openDocument(bytes, { what: `manifest ${entry.digest} of ${this.name}`, descriptor: entry });
  }

  async #image(document: FetchedDocument): Promise<Manifest> {
    const manifest = parseManifest(document.bytes, `manifest of ${this.name}`);
    requireImage(manifest, this.name);
    return manifest;
  }

  async #configPlatform(manifest: Manifest): Promise<Platform> {
    const what = `config of ${this.name}`;
    const bytes =
      (await this.#here.read(manifest.config)) ??
      (await this.#source.blob(manifest.config, what, { signal: this.#signal }));
    return normalizePlatform(parseConfig(bytes, what).platform);
  }

  #take(document: FetchedDocument, manifest: Manifest): void {
    this.keep(document);
    this.#takeBlob(manifest.config, 'config');
    for (const layer of manifest.layers) {
      // what may not be handed on is not in the registry, but at an address of its maker
      if (isForeign(layer)) {
        this.#notes.push(`${this.name}: its layer ${layer.digest} is left out, as it may not be distributed`);
      } else this.#takeBlob(layer, 'layer');
    }
  }

  #takeBlob(descriptor: Descriptor, kind: string): void {
    const known = this.#blobs.get(descriptor.digest)?.descriptor;
    if (known === undefined) {
      this.#blobs.set(descriptor.digest, {
        descriptor,
        what: `${kind} ${descriptor.digest} of ${this.name}`,
      });
    } else if (known.size !== descriptor.size) {
      throw new InvalidDocumentError(
        `${this.name} is invalid: ${descriptor.digest} is announced with ${known.size} and with ${descriptor.size} bytes`,
        { what: this.name },
      );
    }
  }

  #checkDepth(depth: number): void {
    if (depth < INDEX_DEPTH) return;
    throw new InvalidDocumentError(`${this.name} has indexes more than ${INDEX_DEPTH} deep`, {
      what: this.name,
    });
  }

  #noneOf(wanted: readonly string[], offered: readonly string[]): LayerboxError {
    const first = offered.find((platform) => platform.startsWith('linux/')) ?? offered[0];
    const advice =
      first === undefined || !wanted.includes(formatPlatform(MACHINE_PLATFORM))
        ? ''
        : `. The sandbox runs linux/386 programs alone; it can walk an image of another platform: --platform ${first} copies that`;
    return new NoMatchingPlatformError(
      `${this.name} has no ${wanted.join(' or ')}: it offers ${offered.join(', ') || 'no platform by name'}${advice}`,
      { wanted: wanted.join(', '), offered },
    );
  }
}

function isForeign(layer: Descriptor): boolean {
  return /\b(?:foreign|nondistributable)\b/.test(layer.mediaType) && (layer.urls?.length ?? 0) > 0;
}

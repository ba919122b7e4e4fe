/** An image in its registry, looked at without pulling it: its manifests, configs and attestations. */

import { InvalidDocumentError } from '../errors.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { CONFIG_LIMIT } from '../oci/document.ts';
import { type Index, parseIndex } from '../oci/index.ts';
import { parseManifest } from '../oci/manifest.ts';
import { formatPlatform, normalizePlatform } from '../oci/platform.ts';
import type { Reference } from '../oci/reference.ts';
import type { FetchedDocument } from '../registry/fetched-document.ts';
import type { ImageSource } from '../registry/source.ts';
import type { DockerHost } from './docker-host.ts';

/** As BuildKit marks a statement's kind on the layer that holds it (in-toto, "predicateType"). */
const PREDICATE = 'in-toto.io/predicate-type';
const SUBJECT = 'vnd.docker.reference.digest';
/** Attestations of one image: many more than any build makes. */
const STATEMENTS = 50;

export interface Statement {
  /** `https://spdx.dev/Document`, `https://slsa.dev/provenance/v0.2`. */
  readonly predicateType: string;
  /** Of the blob that it comes from. */
  readonly digest: string;
  readonly predicate: unknown;
}

export class RegistryImage {
  readonly document: FetchedDocument;
  /** Undefined for an image that is one manifest. */
  readonly index: Index | undefined;
  readonly #source: ImageSource;
  readonly #signal: AbortSignal;

  private constructor(source: ImageSource, document: FetchedDocument, signal: AbortSignal) {
    this.#source = source;
    this.document = document;
    this.#signal = signal;
    this.index = document.kind === 'index' ? parseIndex(document.bytes, 'the index') : undefined;
  }

  /** Errors: those of `Registries.resolve`. */
  static async open(host: DockerHost, reference: Reference, signal: AbortSignal): Promise<RegistryImage> {
    const { source, document } = await host.registries.resolve(reference, { signal });
    return new RegistryImage(source, document, signal);
  }

  /** A manifest of the index. */
  manifest(descriptor: Descriptor): Promise<FetchedDocument> {
    return this.#source.document(descriptor, { signal: this.#signal });
  }

  /** The config of a manifest, as it stands there; undefined for what is no image. */
  async config(manifest: FetchedDocument): Promise<Readonly<Record<string, unknown>> | undefined> {
    const { config } = parseManifest(manifest.bytes, 'the manifest');
    if (config.size > CONFIG_LIMIT) return undefined;
    const bytes = await this.#source.blob(config, 'its config', { signal: this.#signal });
    return objectOf(bytes, 'its config');
  }

  /** The manifests of images of the index, by their platform; of one manifest itself, as what its config says. */
  async images(): Promise<ReadonlyMap<string, FetchedDocument>> {
    const images = new Map<string, FetchedDocument>();
    if (this.index === undefined) {
      const config = await this.config(this.document);
      images.set(`${String(config?.os)}/${String(config?.architecture)}`, this.document);
      return images;
    }
    for (const entry of this.index.manifests) {
      if (entry.annotations?.[SUBJECT] !== undefined || entry.platform === undefined) continue;
      if (entry.platform.os === 'unknown') continue;
      images.set(formatPlatform(normalizePlatform(entry.platform)), await this.manifest(entry));
    }
    return images;
  }

  /** What was attested of an image of the index. */
  async statements(image: FetchedDocument): Promise<readonly Statement[]> {
    const statements: Statement[] = [];
    for (const entry of this.index?.manifests ?? []) {
      if (entry.annotations?.[SUBJECT] !== image.descriptor.digest) continue;
      const { layers } = parseManifest((await this.manifest(entry)).bytes, 'the attestation');
      for (const layer of layers) {
        const predicateType = layer.annotations?.[PREDICATE];
        if (predicateType === undefined || statements.length === STATEMENTS) continue;
        const bytes = await this.#source.blob(layer, `attestation ${layer.digest}`, { signal: this.#signal });
        const { predicate } = objectOf(bytes, `attestation ${layer.digest}`);
        statements.push({ predicateType, digest: layer.digest, predicate });
      }
    }
    return statements;
  }
}

/** The members of a JSON object. InvalidDocumentError. */
export function objectOf(bytes: Uint8Array, what: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new InvalidDocumentError(`${what} is no JSON document`, { what }, { cause });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return Object.fromEntries(Object.entries(value));
  }
  throw new InvalidDocumentError(`${what} is no JSON object`, { what });
}

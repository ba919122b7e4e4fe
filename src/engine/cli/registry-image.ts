/** An image in its registry, looked at without pulling it: its manifests, configs and attestations. */

import { type FoundAttestation, listIndexAttestations, readStatement } from '../image/attestations.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { CONFIG_LIMIT, MANIFEST_LIMIT, parseDocument } from '../oci/document.ts';
import { type Index, parseIndex } from '../oci/index.ts';
import { parseManifest } from '../oci/manifest.ts';
import { formatPlatform, isAttestation, normalizePlatform } from '../oci/platform.ts';
import type { Reference } from '../oci/reference.ts';
import type { FetchedDocument } from '../registry/fetched-document.ts';
import type { ImageSource } from '../registry/source.ts';
import type { DockerHost } from './docker-host.ts';

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

  /** The config of a manifest, as it stands there. */
  async config(manifest: FetchedDocument): Promise<Members> {
    const { config } = parseManifest(manifest.bytes, 'the manifest');
    const what = `config ${config.digest}`;
    return membersOf(await this.#source.blob(config, what, { signal: this.#signal }), what, CONFIG_LIMIT);
  }

  /** The manifests of images of the index, by their platform; of one manifest itself, as what its config says. */
  async images(): Promise<ReadonlyMap<string, FetchedDocument>> {
    const images = new Map<string, FetchedDocument>();
    if (this.index === undefined) {
      const config = await this.config(this.document);
      images.set(`${String(config.os)}/${String(config.architecture)}`, this.document);
      return images;
    }
    for (const entry of this.index.manifests) {
      if (entry.platform === undefined || isAttestation(entry)) continue;
      images.set(formatPlatform(normalizePlatform(entry.platform)), await this.manifest(entry));
    }
    return images;
  }

  /** What the index has attested of its images, not read yet. */
  attestations(): Promise<readonly FoundAttestation[]> {
    return listIndexAttestations(this.document, this.#source, { signal: this.#signal });
  }

  /** What an attestation claims, as it stands there. Errors: those of `readStatement`. */
  async predicate(found: FoundAttestation): Promise<unknown> {
    return (await readStatement(found, this.#source, { signal: this.#signal })).predicate?.value;
  }
}

type Members = Readonly<Record<string, unknown>>;

/** The members of an index or a manifest, as they stand there. InvalidDocumentError. */
export function documentMembers({ bytes, descriptor }: FetchedDocument): Members {
  return membersOf(bytes, `manifest ${descriptor.digest}`, MANIFEST_LIMIT);
}

function membersOf(bytes: Uint8Array, what: string, limit: number): Members {
  return Object.fromEntries(parseDocument(bytes, what, limit).members());
}

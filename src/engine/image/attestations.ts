/**
 * Attestations and referrers of an image, where they lie: BuildKit puts manifests beside those of the platforms in the
 * index, others refer to a manifest by its digest (distribution-spec, "Listing Referrers").
 *
 *     const { source, document } = await registries.resolve(reference, { signal });
 *     const found = await listAttestations(document, source, { signal });
 *     const facts = await readAttestation(found[0], source, { signal });
 */

import { type Attestation, parseAttestation, parseStatement, type Statement } from '../oci/attestation.ts';
import type { Descriptor, Platform } from '../oci/descriptor.ts';
import { type Digest, isDigest } from '../oci/digest.ts';
import { parseIndex } from '../oci/index.ts';
import { type Manifest, parseManifest } from '../oci/manifest.ts';
import { isAttestation } from '../oci/platform.ts';
import type { FetchedDocument } from '../registry/fetched-document.ts';
import type { ImageSource, ReadOptions } from '../registry/source.ts';

/** What is read from: `ImageSource` has it. */
export type AttestationSource = Pick<ImageSource, 'document' | 'blob' | 'referrers'>;

export interface FoundAttestation {
  /** `index`: of BuildKit's, in the image's own index; `referrer`: it refers to the manifest. */
  readonly from: 'index' | 'referrer';
  /** The manifest that it is about. */
  readonly subject: Digest;
  /** Of that manifest, when the index tells. */
  readonly platform?: Platform;
  /** The manifest that it comes from. */
  readonly manifest: Digest;
  /** Of a referrer; '' when it has none. */
  readonly artifactType: string;
  /** As annotated (`in-toto.io/predicate-type`); '' when it is not. */
  readonly predicateType: string;
  /** The document itself: its digest, its type, its size. */
  readonly blob: Descriptor;
}

const REFERENCE_DIGEST = 'vnd.docker.reference.digest';
const PREDICATE_TYPE = 'in-toto.io/predicate-type';

/**
 * All that is attached to the document that a reference named, and to each image in it; what it refers to is not looked
 * into. Errors: those of `ImageSource.document` and `referrers`.
 */
export async function listAttestations(
  document: FetchedDocument,
  source: AttestationSource,
  options: ReadOptions,
): Promise<readonly FoundAttestation[]> {
  const entries = entriesOf(document);
  const platforms = platformsOf(entries);
  const found = [...(await listIndexAttestations(document, source, options))];
  const images = entries.filter((entry) => !isAttestation(entry));
  for (const subject of [document.descriptor, ...images]) {
    for (const referrer of await source.referrers(subject.digest, options)) {
      const manifest = await manifestOf(referrer, source, options);
      if (manifest === undefined) continue;
      found.push(
        ...inManifest(manifest, 'referrer', referrer, subject.digest, platforms.get(subject.digest)),
      );
    }
  }
  return found;
}

/** Those that the index itself has, as BuildKit puts them there; none of a manifest. Errors: those of `ImageSource.document`. */
export async function listIndexAttestations(
  document: FetchedDocument,
  source: AttestationSource,
  options: ReadOptions,
): Promise<readonly FoundAttestation[]> {
  const entries = entriesOf(document);
  const platforms = platformsOf(entries);
  const found: FoundAttestation[] = [];
  for (const entry of entries.filter(isAttestation)) {
    const subject = entry.annotations?.[REFERENCE_DIGEST] ?? '';
    if (!isDigest(subject)) continue;
    const manifest = await manifestOf(entry, source, options);
    if (manifest !== undefined)
      found.push(...inManifest(manifest, 'index', entry, subject, platforms.get(subject)));
  }
  return found;
}

/** What the attestation says. Errors: those of `ImageSource.blob`, InvalidDocument. */
export async function readAttestation(
  { blob }: Pick<FoundAttestation, 'blob'>,
  source: AttestationSource,
  options: ReadOptions,
): Promise<Attestation> {
  const what = `attestation ${blob.digest}`;
  return parseAttestation(await source.blob(blob, what, options), what);
}

/** What the attestation says, not yet understood: for who shows it as it stands there. Errors as `readAttestation`. */
export async function readStatement(
  { blob }: Pick<FoundAttestation, 'blob'>,
  source: AttestationSource,
  options: ReadOptions,
): Promise<Statement> {
  const what = `attestation ${blob.digest}`;
  return parseStatement(await source.blob(blob, what, options), what);
}

/** True when `readAttestation` has a reader for the type: signatures and the like have none. */
export function isReadable({ blob, predicateType }: FoundAttestation): boolean {
  const types = [
    'application/vnd.in-toto',
    'application/vnd.dsse.envelope',
    'application/vnd.dev.sigstore.bundle',
  ];
  const documents = ['application/spdx+json', 'text/spdx+json', 'application/vnd.cyclonedx+json'];
  return predicateType !== '' || [...types, ...documents].some((type) => blob.mediaType.startsWith(type));
}

function entriesOf({ kind, bytes, descriptor }: FetchedDocument): readonly Descriptor[] {
  return kind === 'index' ? parseIndex(bytes, `index ${descriptor.digest}`).manifests : [];
}

function platformsOf(entries: readonly Descriptor[]): ReadonlyMap<Digest, Platform | undefined> {
  return new Map(entries.map(({ digest, platform }) => [digest, platform]));
}

/** Undefined: a referrer that is an index has no documents of its own. */
async function manifestOf(
  entry: Descriptor,
  source: AttestationSource,
  options: ReadOptions,
): Promise<Manifest | undefined> {
  const document = await source.document(entry, options);
  return document.kind === 'manifest' ? parseManifest(document.bytes, `manifest ${entry.digest}`) : undefined;
}

function inManifest(
  manifest: Manifest,
  from: FoundAttestation['from'],
  entry: Descriptor,
  subject: Digest,
  platform: Platform | undefined,
): readonly FoundAttestation[] {
  return manifest.layers.map((blob) => ({
    from,
    subject,
    ...(platform !== undefined && { platform }),
    manifest: entry.digest,
    artifactType: manifest.artifactType ?? entry.artifactType ?? '',
    predicateType: blob.annotations?.[PREDICATE_TYPE] ?? '',
    blob,
  }));
}

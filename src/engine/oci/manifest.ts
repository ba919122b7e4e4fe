/** Image manifests: image-spec, manifest.md, and Docker's image manifest version 2, schema 2. */

import { UnsupportedMediaTypeError } from '../errors.ts';
import { artifactOf } from './artifact.ts';
import type { Descriptor } from './descriptor.ts';
import { descriptorOf, type Field, MANIFEST_LIMIT, parseDocument } from './document.ts';
import { documentKind, OCI_MANIFEST } from './media-type.ts';

export interface Manifest {
  readonly mediaType: string;
  readonly config: Descriptor;
  /** Bottom first. */
  readonly layers: readonly Descriptor[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly subject?: Descriptor;
  readonly artifactType?: string;
}

/**
 * The manifest in these bytes. InvalidDocumentError naming the field;
 * UnsupportedMediaTypeError for schema 1.
 */
export function parseManifest(bytes: Uint8Array, what: string): Manifest {
  const root = parseDocument(bytes, what, MANIFEST_LIMIT);
  checkVersion(root);
  const mediaType = root.optional('mediaType')?.string() ?? OCI_MANIFEST;
  if (documentKind(mediaType) !== 'manifest') root.required('mediaType').fail('must name an image manifest');
  // a document that is a manifest to one reader and an index to another hides content (CVE-2021-41190)
  if (root.has('manifests')) root.fail('has both layers and manifests');
  const annotations = root.optional('annotations')?.stringMap();
  const subject = root.optional('subject');
  const artifactType = root.optional('artifactType')?.string();
  return {
    mediaType,
    config: descriptorOf(root.required('config')),
    layers: root.required('layers').list().map(descriptorOf),
    ...(annotations !== undefined && { annotations }),
    ...(subject !== undefined && { subject: descriptorOf(subject) }),
    ...(artifactType !== undefined && artifactType !== '' && { artifactType }),
  };
}

/** Throws UnsupportedMediaTypeError, saying what it is, for the manifest of an artifact that is no image. */
export function requireImage(manifest: Manifest, what: string): void {
  const artifact = artifactOf(manifest);
  if (artifact === undefined) return;
  const { words, mediaType } = artifact;
  const ofType = words === 'an artifact' ? ' of type' : ', of type';
  throw new UnsupportedMediaTypeError(
    `${what} is no image: it is ${words}${ofType} ${JSON.stringify(mediaType)}, which cannot be run`,
    { what, mediaType },
  );
}

/** Both specifications fix schemaVersion to 2; 1 is the format of before 2016, whose layers have no diffIDs. */
export function checkVersion(root: Field): void {
  const declared = root.optional('mediaType')?.string();
  const version = root.optional('schemaVersion');
  if (version?.value === 1 || (declared !== undefined && documentKind(declared) === 'schema1')) {
    throw new UnsupportedMediaTypeError(
      `${root.what} is in Docker image manifest version 2, schema 1, which is no longer supported: push the image again with a current tool`,
      { what: root.what, mediaType: declared ?? '' },
    );
  }
  if (version === undefined) root.fail('lacks schemaVersion');
  else if (version.value !== 2) version.fail('must be 2');
}

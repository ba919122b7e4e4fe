/** Image indexes: image-spec, image-index.md, and Docker's manifest lists. */

import type { Descriptor } from './descriptor.ts';
import { descriptorOf, MANIFEST_LIMIT, parseDocument } from './document.ts';
import { checkVersion } from './manifest.ts';
import { documentKind, OCI_INDEX } from './media-type.ts';

export interface Index {
  readonly mediaType: string;
  readonly manifests: readonly Descriptor[];
  readonly annotations?: Readonly<Record<string, string>>;
}

/** The index in these bytes. InvalidDocumentError naming the field. */
export function parseIndex(bytes: Uint8Array, what: string): Index {
  const root = parseDocument(bytes, what, MANIFEST_LIMIT);
  checkVersion(root);
  const mediaType = root.optional('mediaType')?.string() ?? OCI_INDEX;
  if (documentKind(mediaType) !== 'index') root.required('mediaType').fail('must name an image index');
  // see parseManifest
  if (root.has('layers') || root.has('config')) root.fail('has both manifests and layers');
  const annotations = root.optional('annotations')?.stringMap();
  return {
    mediaType,
    manifests: root.required('manifests').list().map(descriptorOf),
    ...(annotations !== undefined && { annotations }),
  };
}

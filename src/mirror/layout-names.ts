/**
 * The names in an image layout's index.json (image-spec, image-layout.md, "index.json file"). What this
 * project does not know of the document is kept as it is.
 */

import type { Descriptor } from '../engine/oci/descriptor.ts';
import { parseIndex } from '../engine/oci/index.ts';
import { OCI_INDEX } from '../engine/oci/media-type.ts';
import { familiarReference, formatReference, type Reference } from '../engine/oci/reference.ts';

/** As skopeo, umoci and Layerbox find an image by: here the name as Docker shows it. */
const REF_NAME = 'org.opencontainers.image.ref.name';
/** The full reference, as containerd and BuildKit write it: with it no two names can be taken for each other. */
const FULL_NAME = 'io.containerd.image.name';

/** The document of a layout without images. */
export const EMPTY_INDEX = { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] };

export interface NamedIndex {
  /** The document with the name in it. */
  readonly document: unknown;
  /** False when it was in it already, for the same digest. */
  readonly changed: boolean;
}

/**
 * index.json with this reference standing for this descriptor, in the place of what it stood for. A reference with a
 * digest gets an entry without a name, as it is found by its digest. InvalidDocumentError when `bytes` are no index.
 */
export function nameInIndex(
  bytes: Uint8Array<ArrayBuffer>,
  what: string,
  reference: Reference,
  descriptor: Descriptor,
): NamedIndex {
  const { manifests } = parseIndex(bytes, what);
  const document: Record<string, unknown> = JSON.parse(new TextDecoder().decode(bytes));
  const raw: readonly unknown[] = Array.isArray(document.manifests) ? document.manifests : [];
  const places = manifests.flatMap((entry, place) => (isMeant(entry, reference) ? [place] : []));
  const [first, ...others] = places;
  const known = first === undefined ? undefined : manifests[first];
  if (known !== undefined && others.length === 0 && known.digest === descriptor.digest) {
    return { document, changed: false };
  }
  if (reference.digest !== undefined && first !== undefined) return { document, changed: false };
  const entry = newEntry(reference, descriptor);
  const kept = raw.flatMap((other, place) => {
    if (place === first) return [entry];
    return others.includes(place) ? [] : [other];
  });
  return {
    document: { ...document, manifests: first === undefined ? [...kept, entry] : kept },
    changed: true,
  };
}

function newEntry(reference: Reference, descriptor: Descriptor): unknown {
  const { mediaType, digest, size } = descriptor;
  const annotations = { [REF_NAME]: familiarReference(reference), [FULL_NAME]: formatReference(reference) };
  return { mediaType, digest, size, ...(reference.digest === undefined && { annotations }) };
}

function isMeant(entry: Descriptor, reference: Reference): boolean {
  if (reference.digest !== undefined) return entry.digest === reference.digest;
  const full = entry.annotations?.[FULL_NAME];
  if (full !== undefined) return full === formatReference(reference);
  const name = entry.annotations?.[REF_NAME];
  return name === formatReference(reference) || name === familiarReference(reference);
}

/** The entry that a reference stands for, the first when there are several; undefined when there is none. */
export function entryOf(
  bytes: Uint8Array<ArrayBuffer>,
  what: string,
  reference: Reference,
): Descriptor | undefined {
  return parseIndex(bytes, what).manifests.find((entry) => isMeant(entry, reference));
}

/** What the entries of an index.json are called: the name as Docker shows it, or the digest of one without. */
export function namesInIndex(
  bytes: Uint8Array<ArrayBuffer>,
  what: string,
): readonly { readonly name: string; readonly descriptor: Descriptor }[] {
  return parseIndex(bytes, what).manifests.map((descriptor) => ({
    name: descriptor.annotations?.[REF_NAME] ?? descriptor.annotations?.[FULL_NAME] ?? descriptor.digest,
    descriptor,
  }));
}

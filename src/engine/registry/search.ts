/** Which repositories there are: what layouts name and registries list. */

import { CancelledError, InvalidReferenceError, LayerboxError } from '../errors.ts';
import { familiarName, fullName, parseReference, type Reference } from '../oci/reference.ts';

/** A place to look in: a mirror. */
export interface SearchedPlace {
  /** For messages: `layout https://example.org/registry/`. */
  readonly name: string;
  /** What it is a mirror of: `docker.io`, `ghcr.io/org`. */
  readonly key: string;
  readonly kind: 'registry' | 'layout';
  /** Of a layout its names, of a registry its repositories. */
  list(): Promise<readonly ListedName[]>;
}

export interface ListedName {
  readonly name: string;
  readonly description?: string;
}

export interface FoundRepository {
  /** As Docker shows it: `busybox`. */
  readonly name: string;
  readonly isOfficial: boolean;
  readonly description: string;
  /** Empty where the place does not say. */
  readonly tags: readonly string[];
  readonly place: string;
}

export interface Found {
  /** By name. */
  readonly repositories: readonly FoundRepository[];
  /** What could not be looked in, and why. */
  readonly failures: readonly { readonly place: string; readonly error: LayerboxError }[];
}

/** All that the places have; one that does not answer is a failure of its own. CancelledError. */
export async function findRepositories(places: readonly SearchedPlace[]): Promise<Found> {
  // a set of tags for each: a layout may name one repository many thousand times
  const found = new Map<string, Omit<FoundRepository, 'tags'> & { readonly tags: Set<string> }>();
  const failures: Found['failures'][number][] = [];
  for (const place of places) {
    let listed: readonly ListedName[];
    try {
      listed = await place.list();
    } catch (error) {
      if (!(error instanceof LayerboxError) || error instanceof CancelledError) throw error;
      failures.push({ place: place.name, error });
      continue;
    }
    for (const { name, description = '' } of listed) {
      const reference = meaning(place, name);
      if (reference === undefined) continue;
      const full = fullName(reference);
      const known = found.get(full);
      const tag = place.kind === 'layout' ? reference.tag : undefined;
      const tags = known?.tags ?? new Set<string>();
      if (tag !== undefined) tags.add(tag);
      found.set(full, {
        name: familiarName(reference),
        isOfficial: full.startsWith('docker.io/library/'),
        description: known?.description || description,
        tags,
        place: known?.place ?? place.name,
      });
    }
  }
  const repositories = [...found.values()].map(({ tags, ...repository }) => ({
    ...repository,
    tags: [...tags],
  }));
  const byName = (a: FoundRepository, b: FoundRepository) => (a.name < b.name ? -1 : 1);
  return { repositories: repositories.sort(byName), failures };
}

/**
 * The reference that a name of the place stands for; undefined when it is none of what the place is a mirror of. Names in
 * a layout are read as layout.ts takes them for tags.
 */
function meaning({ key, kind }: SearchedPlace, name: string): Reference | undefined {
  const [registry = key] = key.split('/');
  const isRepository = key !== registry;
  const candidates =
    kind === 'registry'
      ? [`${registry}/${name}`]
      : [name, `${key}/${name}`, ...(isRepository && !/[:/]/.test(name) ? [`${key}:${name}`] : [])];
  for (const candidate of candidates) {
    const reference = parsed(candidate);
    if (reference === undefined) continue;
    const full = fullName(reference);
    if (full === key || full.startsWith(`${key}/`)) return reference;
  }
  return undefined;
}

function parsed(text: string): Reference | undefined {
  try {
    return parseReference(text);
  } catch (error) {
    if (error instanceof InvalidReferenceError) return undefined; // names in a layout are free text
    throw error;
  }
}

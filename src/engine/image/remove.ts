/**
 * `docker rmi`: what is untagged, what is deleted, and what stands in the way.
 * The rules and the words of the conflicts are those of Docker's daemon.
 */

import { ImageInUseError } from '../errors.ts';
import { chainIDs } from '../oci/chain-id.ts';
import type { Digest } from '../oci/digest.ts';
import { familiarName, familiarReference, fullName, parseReference } from '../oci/reference.ts';
import type { Change, ImageRecord } from '../store/records.ts';
import { hasRepoDigestOf, type ImageNames, isDangling, withoutName } from './image-names.ts';
import type { ImageParts } from './image-parts.ts';
import { shortID } from './pull-progress.ts';

export interface RemovedImages {
  /** `busybox:latest`, `busybox@sha256:...`, in the order of Docker's "Untagged:" lines. */
  readonly untagged: readonly string[];
  /** The image ID, then the chain IDs of layers that nothing else has, top first: "Deleted:" lines. */
  readonly deleted: readonly string[];
  /** Bytes that were given back: compressed and unpacked layers, documents. */
  readonly reclaimed: number;
}

/** See `Images.remove`. */
export async function removeImage(
  parts: ImageParts,
  names: ImageNames,
  text: string,
  force: boolean,
): Promise<RemovedImages> {
  const removed = await names.inTurn(async () => {
    const record = await names.resolve(text);
    const records = await names.of(record.imageID);
    const isByID = record.imageID.startsWith(text) || record.imageID.slice('sha256:'.length).startsWith(text);
    const plan = isByID
      ? await planByID(parts, record, records, force)
      : await planByName(parts, text, record, records, force);
    const deleted = plan.isDeleted ? await deletedNames(parts, record) : [];
    const kept: Change[] = plan.isDangling ? [{ kind: 'images', put: withoutName(record) }] : [];
    await parts.records.commit([
      ...plan.removed.map(({ id }) => ({ kind: 'images' as const, delete: id })),
      ...kept,
    ]);
    return { plan, deleted, record, untagged: untaggedNames(plan.removed, records) };
  });
  for (const { id, imageID } of removed.plan.removed) {
    if (!id.startsWith('<none>')) {
      parts.events.emit({ type: 'image', action: 'untag', reference: id, imageID });
    }
  }
  let reclaimed = 0;
  if (removed.plan.isDeleted) {
    const { id, imageID } = removed.record;
    parts.events.emit({ type: 'image', action: 'delete', reference: id, imageID });
    reclaimed = await parts.collectGarbage();
    parts.events.emit({ type: 'storage', action: 'reclaimed', bytes: reclaimed });
  }
  return { untagged: removed.untagged, deleted: removed.deleted, reclaimed };
}

interface Plan {
  readonly removed: readonly ImageRecord[];
  /** The image itself goes. */
  readonly isDeleted: boolean;
  /** The image stays without a name. */
  readonly isDangling: boolean;
}

async function planByName(
  parts: ImageParts,
  text: string,
  record: ImageRecord,
  records: readonly ImageRecord[],
  force: boolean,
): Promise<Plan> {
  const others = records.filter(({ id }) => id !== record.id);
  if (others.length > 0 && !onlyDigestsOfSameRepository(record, others)) {
    return { removed: [record], isDeleted: false, isDangling: false };
  }
  const uses = await parts.usedBy(record.imageID);
  const [use] = uses;
  if (!force && use !== undefined) {
    throw new ImageInUseError(
      `conflict: unable to remove repository reference ${JSON.stringify(text)} (must force) - container ${shortID(use.container)} is using its referenced image ${shortID(record.imageID)}`,
      { image: text, container: use.container },
    );
  }
  // by force the name goes in any case; a running container keeps the image
  const isRunning = uses.some(({ running }) => running);
  return { removed: records, isDeleted: !isRunning, isDangling: isRunning };
}

async function planByID(
  parts: ImageParts,
  record: ImageRecord,
  records: readonly ImageRecord[],
  force: boolean,
): Promise<Plan> {
  const uses = await parts.usedBy(record.imageID);
  const running = uses.find((use) => use.running);
  if (running !== undefined) {
    throw conflict(
      record,
      'cannot be forced',
      `image is being used by running container ${shortID(running.container)}`,
    );
  }
  const [stopped] = uses;
  if (!force && !isSingleReference(records)) {
    throw conflict(record, 'must be forced', 'image is referenced in multiple repositories');
  }
  if (!force && stopped !== undefined) {
    throw conflict(
      record,
      'must be forced',
      `image is being used by stopped container ${shortID(stopped.container)}`,
    );
  }
  return { removed: records, isDeleted: true, isDangling: false };
}

/** At most one tag, and all names in one repository. */
function isSingleReference(records: readonly ImageRecord[]): boolean {
  const references = records.filter((record) => !isDangling(record)).map(({ id }) => parseReference(id));
  const repositories = new Set(references.map(fullName));
  const tags = references.filter(({ digest }) => digest === undefined);
  return repositories.size <= 1 && tags.length <= 1;
}

/** Once the last tag of a repository goes, digest references of the same repository go with it. */
function onlyDigestsOfSameRepository(record: ImageRecord, others: readonly ImageRecord[]): boolean {
  if (isDangling(record)) return false;
  const own = parseReference(record.id);
  return (
    own.digest === undefined &&
    others.every((other) => {
      if (isDangling(other)) return true;
      const reference = parseReference(other.id);
      return reference.digest !== undefined && fullName(reference) === fullName(own);
    })
  );
}

/** Docker keeps a digest reference beside each tag that was pulled or pushed, and tells of it when the last tag goes. */
function untaggedNames(removed: readonly ImageRecord[], all: readonly ImageRecord[]): readonly string[] {
  const gone = new Set(removed.map(({ id }) => id));
  const lines = new Set<string>();
  for (const record of removed) {
    if (isDangling(record)) continue;
    const reference = parseReference(record.id);
    lines.add(familiarReference(reference));
    const remaining = all.filter((other) => !gone.has(other.id) && !isDangling(other));
    const isLast = !remaining.some((other) => fullName(parseReference(other.id)) === fullName(reference));
    if (isLast && all.some((other) => hasRepoDigestOf(other, record)))
      lines.add(`${familiarName(reference)}@${record.target.digest}`);
  }
  // tags before digests
  return [...lines].sort((a, b) => Number(a.includes('@')) - Number(b.includes('@')));
}

async function deletedNames(parts: ImageParts, record: ImageRecord): Promise<readonly Digest[]> {
  const chain = await chainIDs(record.layers.map(({ diffID }) => diffID));
  const others = (await parts.records.list('images')).filter(({ imageID }) => imageID !== record.imageID);
  const containers = await parts.records.list('containers');
  const stacks = [
    ...others.map(({ layers }) => layers.map(({ diffID }) => diffID)),
    ...containers.map(({ layers }) => layers),
  ];
  const needed = new Set((await Promise.all(stacks.map(chainIDs))).flat());
  return [record.imageID, ...chain.filter((id) => !needed.has(id)).reverse()];
}

function conflict(record: ImageRecord, remedy: string, reason: string): Error {
  return new ImageInUseError(
    `conflict: unable to delete ${shortID(record.imageID)} (${remedy}) - ${reason}`,
    {
      image: record.imageID,
    },
  );
}

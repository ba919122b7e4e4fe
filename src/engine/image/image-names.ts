/** Which image a name means, and giving and taking names: always as a whole, one after the other. */

import { InvalidReferenceError, NoSuchImageError } from '../errors.ts';
import type { Digest } from '../oci/digest.ts';
import {
  familiarReference,
  formatReference,
  fullName,
  parseReference,
  type Reference,
} from '../oci/reference.ts';
import type { Change, ImageRecord } from '../store/records.ts';
import type { ImageParts } from './image-parts.ts';

const NONE = '<none>@';

/** True for the record of an image without a name. */
export function isDangling(record: ImageRecord): boolean {
  return record.id.startsWith(NONE);
}

export class ImageNames {
  readonly #parts: Pick<ImageParts, 'records' | 'events'>;
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: Pick<ImageParts, 'records' | 'events'>) {
    this.#parts = parts;
  }

  /** See `Images.resolve`. A name comes before the beginning of an ID, as in Docker. */
  async resolve(text: string): Promise<ImageRecord> {
    const named = await this.#byName(text);
    if (named !== undefined) return named;
    const hex = /^(?:sha256:)?([0-9a-f]{1,64})$/.exec(text)?.[1];
    const found = hex === undefined ? [] : await this.#byID(`sha256:${hex}`);
    const ids = new Set(found.map((record) => record.imageID));
    if (ids.size > 1) {
      throw new NoSuchImageError(
        `No such image: ${text}: ${ids.size} images have IDs that begin so, write more of it`,
        { image: text },
      );
    }
    const record = found.find((candidate) => !isDangling(candidate)) ?? found[0];
    if (record !== undefined) return record;
    throw noSuchImage(text);
  }

  /** The records of an image, those with names first. */
  async of(imageID: Digest): Promise<readonly ImageRecord[]> {
    const records = await this.#parts.records.list('images');
    const own = records.filter((record) => record.imageID === imageID);
    return [...own.filter((record) => !isDangling(record)), ...own.filter(isDangling)];
  }

  /**
   * Makes the record's name point to it, together with `more`, in one
   * transaction. The image that loses its last name by it becomes `<none>`.
   * A repo digest that the repository has stays known. Returns what the name
   * meant before.
   */
  give(record: ImageRecord, more: readonly Change[]): Promise<ImageRecord | undefined> {
    return this.inTurn(async () => {
      const previous = await this.#parts.records.get('images', record.id);
      const known = (await this.of(record.imageID)).some((other) => hasRepoDigestOf(other, record));
      const put: ImageRecord = known ? { ...record, hasRepoDigest: true } : record;
      const changes: Change[] = [{ kind: 'images', put }, ...more];
      const moved = previous !== undefined && previous.imageID !== record.imageID ? previous : undefined;
      if (moved !== undefined && (await this.of(moved.imageID)).length === 1) {
        changes.push({ kind: 'images', put: withoutName(moved) });
      }
      if (!isDangling(record)) changes.push({ kind: 'images', delete: `${NONE}${record.imageID}` });
      await this.#parts.records.commit(changes);
      if (moved !== undefined) {
        const { id, imageID } = moved;
        this.#parts.events.emit({ type: 'image', action: 'untag', reference: id, imageID });
      }
      return previous;
    });
  }

  /** The registry has what the record's name points to, unless the name points elsewhere by now. */
  markPushed(record: ImageRecord): Promise<void> {
    return this.inTurn(async () => {
      const now = await this.#parts.records.get('images', record.id);
      if (now === undefined || now.target.digest !== record.target.digest) return;
      await this.#parts.records.commit([{ kind: 'images', put: { ...now, hasRepoDigest: true } }]);
    });
  }

  /** Runs what reads names and then changes them while nobody else does. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work, work);
    this.#last = turn.catch(() => undefined); // whoever asked for this turn has its error
    return turn;
  }

  async #byName(text: string): Promise<ImageRecord | undefined> {
    if (/^(?:sha256:)?[0-9a-f]{64}$/.test(text)) return undefined; // an image ID; no name can be one
    const reference = parsed(text);
    if (reference === undefined) return undefined;
    const exact = await this.#parts.records.get('images', formatReference(reference));
    if (exact !== undefined || reference.digest === undefined) return exact;
    const { digest } = reference;
    const repository = fullName(reference);
    const records = await this.#parts.records.list('images', repository);
    return records.find(
      (record) =>
        (record.target.digest === digest || record.manifest.digest === digest) &&
        fullName(parseReference(record.id)) === repository,
    );
  }

  async #byID(prefix: string): Promise<readonly ImageRecord[]> {
    const records = await this.#parts.records.list('images');
    return records.filter((record) => record.imageID.startsWith(prefix));
  }
}

/** True when the first record tells of a repo digest of the other's repository and target. */
export function hasRepoDigestOf(known: ImageRecord, record: ImageRecord): boolean {
  return (
    known.hasRepoDigest === true &&
    !isDangling(known) &&
    !isDangling(record) &&
    known.target.digest === record.target.digest &&
    fullName(parseReference(known.id)) === fullName(parseReference(record.id))
  );
}

/** The record of the same image once it has no name. */
export function withoutName(record: ImageRecord): ImageRecord {
  return { ...record, id: `${NONE}${record.imageID}` };
}

function parsed(text: string): Reference | undefined {
  if (text === '') throw new InvalidReferenceError('invalid reference format', { reference: text });
  return parseReference(text);
}

function noSuchImage(text: string): Error {
  const isID = /^(?:sha256:)?[0-9a-f]{64}$/.test(text);
  const shown = isID ? text : familiarReference(parseReference(text));
  return new NoSuchImageError(`No such image: ${shown}`, { image: text });
}

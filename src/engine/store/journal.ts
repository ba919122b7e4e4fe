/**
 * The journal port: where an upper is made durable. A journal is an ordered
 * list of segments, each written once, whole, and never changed. Content and
 * journal records of an upper live in them; what is inside is known to
 * unionfs alone.
 *
 * `append` resolves when the segment survives a killed tab. A segment that was
 * not acknowledged is there whole after reopening, or not at all.
 */

export interface JournalStore {
  /** Opens the journal of this name, making an empty one when there is none. One opener at a time. */
  open(name: string): Promise<Journal>;
  /** Gives all its space back; removing what is not there is no error. */
  delete(name: string): Promise<void>;
  list(): Promise<readonly string[]>;
}

export interface Journal {
  /** In ascending order of number; numbers are never used again. */
  readonly segments: readonly { readonly number: number; readonly size: number }[];
  /** The whole segment. Throws ContentMissingError for a number that is not in the list. */
  read(number: number): Promise<Uint8Array<ArrayBuffer>>;
  /** The number of the new segment: above all before it. */
  append(bytes: Uint8Array<ArrayBuffer>): Promise<number>;
  /**
   * Bytes that may still be appended, as far as is known; undefined where nobody knows. What goes beyond is refused,
   * or may be; what frees space (a checkpoint, a removal) goes on.
   */
  readonly room?: number | undefined;
  /** Whether `room` is only for what was promised already. */
  readonly isShort?: boolean;
  /** The number that the next `append` will give. */
  readonly next: number;
  remove(numbers: readonly number[]): Promise<void>;
  close(): Promise<void>;
}
